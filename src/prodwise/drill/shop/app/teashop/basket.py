"""What a visitor has chosen, kept in the signed session cookie."""

import os
import sqlite3
from dataclasses import dataclass

from flask import session

from teashop import catalogue, provider

MOST_TINS = 9


@dataclass(frozen=True)
class Line:
    product: catalogue.Product
    tins: int

    @property
    def cents(self) -> int:
        return self.product.cents * self.tins


@dataclass(frozen=True)
class Bill:
    """shipping_cents is None while nobody can quote it; it is then charged with the order's base rate."""

    goods_cents: int
    shipping_cents: int | None

    @property
    def total_cents(self) -> int:
        return self.goods_cents + (self.shipping_cents or 0)


def chosen() -> dict[str, int]:
    return dict(session.get("cart", {}))


def tins() -> int:
    return sum(chosen().values())


def change(slug: str, tins: str) -> None:
    """Set how many tins of one tea; none takes it out, nonsense counts as one."""
    wanted = int(tins) if tins.isascii() and tins.isdigit() else 1
    cart = chosen()
    cart.pop(slug, None)
    if wanted:
        cart[slug] = min(wanted, MOST_TINS)
    session["cart"] = cart


def clear() -> None:
    session.pop("cart", None)


def lines(connection: sqlite3.Connection) -> list[Line]:
    """The chosen teas that are still sold."""
    found = [(catalogue.find(connection, slug), count) for slug, count in chosen().items()]
    return [Line(product, count) for product, count in found if product is not None]


def bill(lines: list[Line]) -> Bill:
    """Goods and shipping; shipping is free from SHOP_FREE_SHIPPING_FROM euros."""
    goods = sum(line.cents for line in lines)
    if not lines or goods >= 100 * int(os.environ.get("SHOP_FREE_SHIPPING_FROM", "60")):
        return Bill(goods, 0)
    return Bill(goods, provider.shipping_cents(sum(line.product.grams * line.tins for line in lines)))
