"""What the shop sells."""

import sqlite3
from dataclasses import dataclass

import webcolors

PRODUCTS = (
    (
        "sencha",
        "First Sencha",
        "Uji, Japan",
        "Spring grass, steamed for forty seconds, no more.",
        1490,
        100,
        128,
        "green",
    ),
    ("gyokuro", "Gyokuro Shade", "Yame, Japan", "Three weeks under straw. Sweet as peas.", 2890, 50, 146, "green"),
    (
        "dragonwell",
        "Dragonwell",
        "Hangzhou, China",
        "Pan-pressed flat by hand. Chestnut and hay.",
        1990,
        100,
        98,
        "green",
    ),
    (
        "genmaicha",
        "Genmaicha",
        "Shizuoka, Japan",
        "Green tea with toasted rice; supper in a cup.",
        990,
        100,
        78,
        "green",
    ),
    (
        "assam",
        "Breakfast Assam",
        "Dibrugarh, India",
        "Malt, copper, and a good argument for milk.",
        890,
        125,
        18,
        "black",
    ),
    ("darjeeling", "Second Flush", "Darjeeling, India", "Muscatel from the June picking.", 1790, 100, 32, "black"),
    ("keemun", "Keemun Congou", "Qimen, China", "Cocoa, orchid, a little smoke.", 1390, 100, 8, "black"),
    ("lapsang", "Lapsang", "Wuyi, China", "Dried over pine. For people who like weather.", 1290, 100, 352, "black"),
    ("oolong", "Iron Goddess", "Anxi, China", "Rolled tight, opens slowly, seven infusions.", 2190, 75, 168, "oolong"),
    (
        "milk-oolong",
        "High Mountain Oolong",
        "Alishan, Taiwan",
        "Cream and gardenia at 1,600 metres.",
        2590,
        75,
        186,
        "oolong",
    ),
    ("rooibos", "Red Bush", "Cederberg, South Africa", "No caffeine, no regrets.", 790, 125, 12, "herbal"),
    ("mint", "Garden Mint", "Meknes, Morocco", "Only mint. Quite a lot of it.", 690, 50, 156, "herbal"),
)
REVIEWS = (
    ("sencha", 5, "Tastes like the first warm day.", "Mara"),
    ("sencha", 4, "Mind the temperature and it is perfect.", "Ilse"),
    ("gyokuro", 5, "Worth every cent, twice a year.", "Tomás"),
    ("dragonwell", 5, "My desk smells of chestnuts.", "Noor"),
    ("genmaicha", 4, "Comfort.", "Jun"),
    ("assam", 5, "It got me through a thesis.", "Petra"),
    ("darjeeling", 4, "Light and serious.", "Anil"),
    ("keemun", 5, "Chocolate without the chocolate.", "Odile"),
    ("oolong", 5, "Still going on the sixth cup.", "Wen"),
)
RIBBONS = {"green": "olivedrab", "black": "saddlebrown", "oolong": "peru", "herbal": "indianred"}
COLUMNS = "slug, name, origin, blurb, cents, grams, hue, kind"


@dataclass(frozen=True)
class Product:
    """One tea. cents: price of a tin in euro cents; grams: a tin's weight; hue: the tin's colour, 0…359."""

    slug: str
    name: str
    origin: str
    blurb: str
    cents: int
    grams: int
    hue: int
    kind: str


@dataclass(frozen=True)
class Review:
    stars: int
    said: str
    who: str


def stock_up(connection: sqlite3.Connection) -> None:
    """Put the catalogue into an empty database; a filled one is left alone."""
    if connection.execute("SELECT 1 FROM product LIMIT 1").fetchone() is None:
        connection.executemany(f"INSERT INTO product ({COLUMNS}) VALUES (?,?,?,?,?,?,?,?)", PRODUCTS)
        connection.executemany("INSERT INTO review (slug, stars, said, who) VALUES (?,?,?,?)", REVIEWS)


def everything(connection: sqlite3.Connection, kind: str = "") -> list[Product]:
    """All teas, or those of one kind, in the order in which they were put on the shelf."""
    where, values = ("WHERE kind = ?", (kind,)) if kind else ("", ())
    rows = connection.execute(f"SELECT {COLUMNS} FROM product {where} ORDER BY rowid", values)
    return [Product(*row) for row in rows]


def find(connection: sqlite3.Connection, slug: str) -> Product | None:
    row = connection.execute(f"SELECT {COLUMNS} FROM product WHERE slug = ?", (slug,)).fetchone()
    return Product(*row) if row else None


def reviews(connection: sqlite3.Connection, slug: str) -> list[Review]:
    rows = connection.execute("SELECT stars, said, who FROM review WHERE slug = ? ORDER BY rowid", (slug,))
    return [Review(*row) for row in rows]


def ribbon(kind: str) -> str:
    """The colour of the ribbon around a kind's tins, as "#rrggbb"."""
    return str(webcolors.CSS3_NAMES_TO_HEX[RIBBONS[kind]])
