"""What people see."""

import os
import uuid

from flask import Blueprint, abort, jsonify, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from teashop import basket, catalogue, db, orders, provider

pages = Blueprint("pages", __name__)
KINDS = ("green", "black", "oolong", "herbal")


@pages.context_processor
def everywhere() -> dict[str, object]:
    return {"tins": basket.tins(), "kinds": KINDS, "release": os.environ.get("PRODWISE_RELEASE", "")}


@pages.get("/")
def home() -> str:
    kind = request.args.get("kind", "")
    with db.connect() as connection:
        products = catalogue.everything(connection, kind if kind in KINDS else "")
    return render_template("home.html", products=products, kind=kind)


@pages.get("/product/<slug>")
def product(slug: str) -> str:
    with db.connect() as connection:
        found = catalogue.find(connection, slug) or abort(404)
        said = catalogue.reviews(connection, slug)
    shipping = provider.shipping_cents(found.grams)
    return render_template("product.html", product=found, reviews=said, shipping=shipping)


@pages.get("/cart")
def cart() -> str:
    with db.connect() as connection:
        lines = basket.lines(connection)
    return render_template("cart.html", lines=lines, bill=basket.bill(lines))


@pages.post("/cart/items")
def add() -> Response:
    slug = request.form.get("product", "")
    with db.connect() as connection:
        if catalogue.find(connection, slug) is None:
            abort(404)
    basket.change(slug, request.form.get("tins", "1"))
    return redirect(url_for("pages.cart"), code=303)


@pages.post("/checkout")
def checkout() -> Response | tuple[str, int]:
    name, address = request.form.get("name", "").strip(), request.form.get("address", "").strip()
    with db.connect() as connection:
        lines = basket.lines(connection)
    if not lines or not name or not address:
        return render_template("problem.html", what="Something is missing: a tea, your name or your address."), 400
    bill = basket.bill(lines)
    try:
        payment = provider.charge(bill.total_cents, session.setdefault("key", uuid.uuid4().hex))
    except provider.ProviderDown as error:
        print(f"checkout failed: {error}", flush=True)
        return render_template("problem.html", what="Our payment provider is not answering. Nothing was charged."), 502
    with db.connect() as connection:
        number = orders.place(connection, name, address, bill.total_cents, payment, basket.chosen())
    basket.clear()
    session.pop("key", None)
    session["orders"] = [*session.get("orders", [])[-4:], number]
    return redirect(url_for("pages.order", number=number), code=303)


@pages.get("/orders/<int:number>")
def order(number: int) -> str:
    if number not in session.get("orders", []):
        abort(404)
    with db.connect() as connection:
        found = orders.find(connection, number) or abort(404)
    return render_template("order.html", order=found)


@pages.get("/healthz")
def healthz() -> Response:
    """Ready when the database answers. Says nothing about the payment provider: it is not ours to restart."""
    with db.connect() as connection:
        (products,) = connection.execute("SELECT count(*) FROM product").fetchone()
    return jsonify(ok=True, products=products, release=os.environ.get("PRODWISE_RELEASE", ""))


@pages.app_errorhandler(404)
def missing(_: Exception) -> tuple[str, int]:
    return render_template("problem.html", what="We have no such page. The kettle is this way."), 404


@pages.app_errorhandler(500)
def broken(_: Exception) -> tuple[str, int]:
    return render_template("problem.html", what="That went wrong on our side. We are on it."), 500
