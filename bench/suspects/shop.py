"""A shop in Python. Developed on."""

# ruff: noqa: E501 - the edits are read best one a line
from __future__ import annotations

from bench.suspects.anywhere import anywhere
from bench.suspects.project import (
    Fault,
    Harmless,
    Project,
    append,
    both,
    create,
    every,
    move,
    remove,
    rename,
    swap,
)

FILES = {
    "README.md": "# Shop\n\nSells tea.\n",
    "requirements.txt": "teatime==1.2.0\nslugs==3.1.0\nrequests==2.31.0\n",
    "settings.json": '{\n  "currency": "EUR",\n  "shipping_fee": 490,\n  "free_from": 5000\n}\n',
    "run.py": "from shop.web import answer\nimport shop.pages\n\n\ndef main(request):\n    return answer(request)\n",
    "shop/__init__.py": "",
    "shop/web.py": """import logging

log = logging.getLogger(__name__)
ROUTES = {}


def route(pattern):
    def keep(function):
        ROUTES[pattern] = function
        return function

    return keep


def answer(request):
    path = request.split(" ")[1]
    for pattern, function in ROUTES.items():
        found = match(pattern, path)
        if found is not None:
            return function(**found)
    raise LookupError("no route for this path")


def match(pattern, path):
    theirs, ours = path.strip("/").split("/"), pattern.strip("/").split("/")
    if len(ours) != len(theirs):
        return None
    found = {}
    for one, other in zip(ours, theirs):
        if one.startswith("<"):
            found[one.strip("<>")] = other
        elif one != other:
            return None
    return found
""",
    "shop/pages.py": """import logging

from shop import cart, mail, orders, search
from shop.users import user_of
from shop.web import route

log = logging.getLogger(__name__)


@route("/cart/<user>")
def show_cart(user):
    lines = cart.lines_of(user)
    return {"lines": lines, "total": cart.total(lines)}


@route("/order/<user>")
def place_order(user):
    order = orders.place(user_of(user), cart.lines_of(user))
    mail.confirm(order)
    return {"number": order.number}


@route("/search/<words>")
def find(words):
    found = search.find(words)
    return [search.teaser(one) for one in found]


@route("/profile/<user>")
def profile(user):
    one = user_of(user)
    return {"name": one.display_name(), "since": one.since, "points": orders.points(one)}


@route("/about")
def about():
    return {"text": "We sell tea."}
""",
    "shop/catalogue.py": """import logging

log = logging.getLogger(__name__)
PRODUCTS = [
    {"sku": "green-1", "title": "Green tea", "price": 450, "weight": 100},
    {"sku": "black-1", "title": "Black tea", "price": 390, "weight": 100},
    {"sku": "pot-1", "title": "Tea pot", "price": 2490, "weight": 900},
]


def product(sku):
    for one in PRODUCTS:
        if one["sku"] == sku:
            return one
    raise LookupError("no such product")


def all_products():
    return list(PRODUCTS)
""",
    "shop/cart.py": """import logging

from shop import prices
from shop.catalogue import product

log = logging.getLogger(__name__)
CARTS = {"ann": [("green-1", 2), ("pot-1", 1)], "bob": [("black-1", 1)]}


def lines_of(user):
    lines = []
    for sku, many in CARTS.get(user, []):
        one = product(sku)
        lines.append({"sku": sku, "many": many, "price": prices.price_of(one), "weight": one["weight"]})
    return lines


def total(lines):
    amount = sum(line["price"] * line["many"] for line in lines)
    fee = prices.shipping(amount, weight_of(lines))
    return amount + fee


def weight_of(lines):
    return sum(line["weight"] * line["many"] for line in lines)
""",
    "shop/prices.py": """import logging

from shop.settings import setting

log = logging.getLogger(__name__)
HEAVY = 2000


def price_of(one):
    price = one["price"]
    return discounted(price, 0)


def discounted(price, percent):
    return price - price * percent // 100


def shipping(amount, weight):
    if amount >= setting("free_from"):
        return 0
    fee = setting("shipping_fee")
    if weight > HEAVY:
        fee += 500
    return fee
""",
    "shop/settings.py": """import json
import pathlib

FILE = pathlib.Path(__file__).parent.parent / "settings.json"


def load():
    return json.loads(FILE.read_text())


def setting(name):
    return load()[name]
""",
    "shop/users.py": """import logging

log = logging.getLogger(__name__)


class User:
    def __init__(self, id, name, mail, since):
        self.id = id
        self.name = name
        self.mail = mail
        self.since = since

    def display_name(self):
        return self.name.title()


USERS = {"ann": User("ann", "ann smith", "ann@shop.test", 2019), "bob": User("bob", "bob", "bob@shop.test", 2021)}


def user_of(id):
    return USERS[id]
""",
    "shop/orders.py": """import logging

import teatime

from shop import cart

log = logging.getLogger(__name__)
ORDERS = []


class Order:
    def __init__(self, number, user, lines, day):
        self.number = number
        self.user = user
        self.lines = lines
        self.day = day

    def total(self):
        return cart.total(self.lines)


def next_number():
    return len(ORDERS) + 1


def place(user, lines):
    day = teatime.today()
    order = Order(next_number(), user, lines, day)
    ORDERS.append(order)
    return order


def points(user):
    mine = [order for order in ORDERS if order.user is user]
    return sum(order.total() // 100 for order in mine)
""",
    "shop/mail.py": """import logging
import pathlib

log = logging.getLogger(__name__)
SENT = []
TEMPLATES = pathlib.Path(__file__).parent / "templates"


def confirm(order):
    text = render("confirm.txt", name=order.user.display_name(), number=order.number, total=order.total())
    send(order.user.mail, text)


def render(template, **values):
    text = (TEMPLATES / template).read_text()
    return text.format(**values)


def send(to, text):
    if "@" not in to:
        raise ValueError("address is not valid: %s" % to)
    SENT.append((to, text))
""",
    "shop/templates/confirm.txt": "Dear {name},\nyour order {number} of {total} is on its way.\n",
    "shop/search.py": """import logging

import slugs

from shop.catalogue import all_products

log = logging.getLogger(__name__)


def find(words):
    wanted = slugs.slug(words).split("-")
    return [one for one in all_products() if hits(one, wanted)]


def hits(one, wanted):
    title = slugs.slug(one["title"])
    return any(word in title for word in wanted)


def teaser(one):
    return one["title"][:40] + " for " + money(one["price"])


def money(cents):
    return "%d.%02d" % divmod(cents, 100)
""",
}

PACKAGES = {
    "teatime 1.2.0": "def today():\n    return '2026-01-05'\n",
    "teatime 1.3.0": "def today():\n    return '2026-01-05'\n\n\ndef noon():\n    return 12\n",
    "teatime 2.0.0": "class Clock:\n    def today(self):\n        return '2026-01-05'\n",
    "slugs 3.1.0": "def slug(text):\n    return '-'.join(text.lower().split())\n",
    "slugs 3.2.0": "def slug(text):\n    return '-'.join(str(text).lower().split())\n",
    "slugs 4.0.0": "def slug(text, separator):\n    return clean(text, separator)\n\n\ndef clean(text, separator):\n    return separator.join(text)\n",
    "slugs 4.1.0": "def slug(text):\n    return clean(text)\n\n\ndef clean(text):\n    return '-'.join(text.encode().lower().split())\n",
    "requests 2.31.0": "",
    "requests 2.32.0": "",
}

FAULTS = (
    Fault("key-renamed", "Use cents everywhere", "GET /cart/ann",
          both(swap(('"title": "Green tea", "price": 450', '"title": "Green tea", "cents": 450'), ('"title": "Black tea", "price": 390', '"title": "Black tea", "cents": 390'), ('"title": "Tea pot", "price": 2490', '"title": "Tea pot", "cents": 2490'), ('money(one["price"])', 'money(one["cents"])')))),
    Fault("function-removed", "Remove dead code", "GET /order/ann", swap(("def next_number():\n    return len(ORDERS) + 1\n\n\n", ""))),
    Fault("attribute-renamed", "Rename mail to email", "GET /order/bob", swap(("self.mail = mail", "self.email = mail"))),
    Fault("argument-added", "Shipping by country", "GET /cart/bob", swap(("def shipping(amount, weight):", "def shipping(amount, weight, country):"))),
    Fault("setting-removed", "Clean settings", "GET /cart/ann", swap((',\n  "free_from": 5000', ""))),
    Fault("template-key", "Nicer confirmation", "GET /order/ann", swap(("order {number} of {total}", "order {number} of {amount}"))),
    Fault("template-renamed", "Sort templates", "GET /order/bob", rename("shop/templates/confirm.txt", "shop/templates/order_confirm.txt")),
    Fault("none-returned", "Look products up faster", "GET /cart/bob",
          swap(('    for one in PRODUCTS:\n        if one["sku"] == sku:\n            return one\n    raise LookupError("no such product")', '    by_sku = {one["sku"].upper(): one for one in PRODUCTS}\n    return by_sku.get(sku)'))),
    Fault("typo", "Round points", "GET /profile/ann",
          both(swap(("    mine = [order for order in ORDERS if order.user is user]", "    mine = [order for order in ORDERS if order.user is usr] or [1 / len(usr.id)]")))),
    Fault("package-major", "Bump teatime to 2.0.0", "GET /order/ann", every("1.2.0", "2.0.0", "requirements")),
    Fault("package-raises", "Update dependencies", "GET /search/green", both(every("3.1.0", "4.1.0", "requirements"), every("2.31.0", "2.32.0", "requirements"))),
    Fault("type-changed", "Keep prices as text", "GET /cart/ann", swap(('    return price - price * percent // 100', '    return "%d" % (price - price * percent // 100)'))),
    Fault("import-broken", "Split prices", "GET /about", swap(("from shop.users import user_of", "from shop.users import user_of, guest_user"))),
    Fault("own-message", "Check addresses", "GET /order/ann", swap(('    if "@" not in to:', '    if not to.endswith(".example"):'))),
    Fault("module-gone", "Fold search into catalogue", "GET /about", both(remove("shop/settings.py"))),
    Fault("two-changes", "Order lines by weight; log more", "GET /cart/ann",
          both(swap(('"many": many, "price"', '"count": many, "price"'), ("    return len(ORDERS) + 1", "    number = len(ORDERS) + 1\n    return number")))),
    Fault("class-argument", "Orders know their currency", "GET /order/bob", swap(("def __init__(self, number, user, lines, day):", "def __init__(self, number, user, lines, day, currency):"))),
    Fault("deep-value", "Names may be missing", "GET /profile/bob", swap(('"bob": User("bob", "bob",', '"bob": User("bob", None,'))),
)  # fmt: skip

HARMLESS = (
    *anywhere("python"),
    Harmless("Order prices", swap(("    price = one[\"price\"]\n", "    price = int(one[\"price\"])\n"))),
    Harmless("Heavier parcels", swap(("HEAVY = 2000", "HEAVY = 2500"))),
    Harmless("Shorter teasers", swap(("[:40]", "[:36]"))),
    Harmless("Move weight_of to prices", move("def weight_of(lines):", "", "shop/prices.py", ("weight_of(lines))", "prices.weight_of(lines))"))),
    Harmless("Move money to prices", move("def money(cents):", "", "shop/prices.py", ("from shop.catalogue import all_products", "from shop.catalogue import all_products\nfrom shop.prices import money"))),
    Harmless("Rename search to finder", rename("shop/search.py", "shop/finder.py", ("import cart, mail, orders, search", "import cart, finder, mail, orders"), ("search.find(", "finder.find("), ("search.teaser(", "finder.teaser("))),
    Harmless("Rename mail to post", rename("shop/mail.py", "shop/post.py", ("import cart, mail, orders", "import cart, orders, post"), ("mail.confirm(order)", "post.confirm(order)"))),
    Harmless("Add a tea", swap(("PRODUCTS = [\n", 'PRODUCTS = [\n    {"sku": "mate-1", "title": "Mate", "price": 520, "weight": 250},\n'))),
    Harmless("Bump requests", every("2.31.0", "2.32.0", "requirements")),
    Harmless("Bump teatime", every("1.2.0", "1.3.0", "requirements")),
    Harmless("Bump slugs", every("3.1.0", "3.2.0", "requirements")),
    Harmless("Count carts", append("cart.py", "\n\ndef open_carts():\n    return sum(1 for lines in CARTS.values() if lines)\n")),
    Harmless("Guard empty carts", swap(("def total(lines):\n", "def total(lines):\n    if not lines:\n        return 0\n"))),
    Harmless("Name the amount", both(swap(("    amount = sum(line[\"price\"] * line[\"many\"] for line in lines)\n", "    amount = sum(\n        line[\"price\"] * line[\"many\"]\n        for line in lines\n    )\n")))),
    Harmless("Remember the path", swap(('    path = request.split(" ")[1]', '    path = request.split(" ", 1)[1]'))),
    Harmless("Longer subject", swap(("is on its way.", "is on its way to you."))),
    Harmless("Typing of users", swap(("        return self.name.title()", "        name = self.name\n        return name.title()"))),
    Harmless("Add a health page", append("pages.py", '\n\n@route("/health")\ndef health():\n    return {"ok": True}\n')),
    Harmless("Add CI", create(".github/workflows/ci.yml", "on: push\njobs: {}\n")),
    Harmless("Higher fee", swap(('"shipping_fee": 490', '"shipping_fee": 520'))),
    Harmless("Day of an order", swap(("    day = teatime.today()\n", "    today = teatime.today()\n    day = today\n"))),
)  # fmt: skip

PROJECT = Project("shop", "python", FILES, FAULTS, HARMLESS, PACKAGES,
                  {"GET /cart/ann": "GET /cart/:user", "GET /cart/bob": "GET /cart/:user", "GET /order/ann": "GET /order/:user", "GET /order/bob": "GET /order/:user",
                   "GET /search/green": "GET /search/:words", "GET /profile/ann": "GET /profile/:user", "GET /profile/bob": "GET /profile/:user", "GET /about": "GET /about"})  # fmt: skip
