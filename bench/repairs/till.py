"""A till: prices, discounts, receipts."""

# ruff: noqa: E501
from __future__ import annotations

from bench.repairs.case import Project, Tests

_PRICES = '''"""Prices in cents."""


def line_total(price, quantity):
    """Price of several pieces of one article."""
    return price * quantity


def total(lines):
    """Sum over (price, quantity) pairs."""
    whole = 0
    for price, quantity in lines:
        whole += line_total(price, quantity)
    return whole


def discount(amount, percent):
    """The amount less a share of it, never below zero."""
    if percent >= 100:
        return 0
    return amount - amount * percent // 100


def bulk_percent(quantity):
    """10 % from ten pieces on, 20 % from fifty on."""
    if quantity >= 50:
        return 20
    if quantity >= 10:
        return 10
    return 0


def split(amount, people):
    """Equal parts; the first ones pay the cents that are left over."""
    part = amount // people
    rest = amount % people
    return [part + 1 if at < rest else part for at in range(people)]


def cheapest(articles):
    """The (name, price) with the lowest price, the first of equals."""
    best = articles[0]
    for article in articles[1:]:
        if article[1] < best[1]:
            best = article
    return best


def average(amounts):
    """Mean amount in whole cents, 0 without any."""
    if not amounts:
        return 0
    return sum(amounts) // len(amounts)


def between(amount, low, high):
    """Whether an amount lies in a price range, both ends included."""
    return low <= amount and amount <= high
'''
_RECEIPT = '''"""Receipts as text."""

from till.prices import line_total, total


def money(cents):
    """`1234` as `12.34`."""
    sign = "-" if cents < 0 else ""
    cents = abs(cents)
    return f"{sign}{cents // 100}.{cents % 100:02d}"


def header(shop, number):
    """`Shop  #7`, the shop's name without blanks around it."""
    return f"{shop.strip()}  #{number}"


def rows(lines):
    """One row a line: name, quantity, price of all."""
    found = []
    for name, price, quantity in lines:
        found.append(f"{quantity} x {name} {money(line_total(price, quantity))}")
    return found


def receipt(shop, number, lines):
    """The whole receipt."""
    amount = total([(price, quantity) for _, price, quantity in lines])
    return "\\n".join([header(shop, number), *rows(lines), f"total {money(amount)}"])


def note(customer):
    """A greeting by first name where the customer is known."""
    if customer is None:
        return "Thank you"
    return "Thank you, " + customer["name"].split()[0]


def phone(customer):
    """The customer's phone number, or an empty text."""
    return customer.get("phone", "")


def collect(line, basket=None):
    """The basket with one line more."""
    if basket is None:
        basket = []
    basket.append(line)
    return basket
'''
_TESTS = """from till.prices import average, between, bulk_percent, cheapest, discount, line_total, split, total
from till.receipt import collect, header, money, note, phone, receipt, rows


def test_line_total():
    assert line_total(250, 3) == 750
    assert line_total(99, 1) == 99


def test_total():
    assert total([(100, 2), (50, 3)]) == 350
    assert total([]) == 0


def test_discount():
    assert discount(1000, 25) == 750
    assert discount(1000, 0) == 1000
    assert discount(1000, 120) == 0


def test_bulk_percent():
    assert bulk_percent(9) == 0
    assert bulk_percent(10) == 10
    assert bulk_percent(50) == 20


def test_split():
    assert split(10, 3) == [4, 3, 3]
    assert split(9, 3) == [3, 3, 3]


def test_cheapest():
    assert cheapest([("tea", 300), ("milk", 120), ("salt", 120)]) == ("milk", 120)


def test_average():
    assert average([10, 20, 40]) == 23
    assert average([]) == 0


def test_between():
    assert between(5, 5, 10)
    assert between(10, 5, 10)
    assert not between(11, 5, 10)


def test_money():
    assert money(1234) == "12.34"
    assert money(5) == "0.05"
    assert money(-250) == "-2.50"


def test_header():
    assert header(" Corner ", 7) == "Corner  #7"


def test_rows():
    assert rows([("tea", 300, 2)]) == ["2 x tea 6.00"]


def test_receipt():
    assert receipt("Corner", 1, [("tea", 300, 2), ("milk", 120, 1)]).endswith("total 7.20")


def test_note():
    assert note({"name": "Ada Byron"}) == "Thank you, Ada"


def test_note_for_nobody():
    assert note(None) == "Thank you"


def test_phone():
    assert phone({"phone": "12"}) == "12"
    assert phone({}) == ""


def test_collect():
    assert collect("a") == ["a"]
    assert collect("b") == ["b"]
    assert collect("c", ["b"]) == ["b", "c"]
"""
_HELD = """from till.prices import average, between, bulk_percent, cheapest, discount, line_total, split, total
from till.receipt import collect, header, money, note, phone, receipt, rows


def test_prices():
    assert line_total(1, 7) == 7 and line_total(0, 4) == 0 and line_total(12, 12) == 144
    assert total([(7, 1), (3, 3), (1, 0)]) == 16 and total([(5, 5)]) == 25
    assert discount(999, 10) == 900 and discount(50, 100) == 0 and discount(200, 50) == 100 and discount(10, 99) == 1
    assert [bulk_percent(n) for n in (0, 1, 11, 49, 51, 1000)] == [0, 0, 10, 10, 20, 20]
    assert split(11, 4) == [3, 3, 3, 2] and split(2, 3) == [1, 1, 0] and sum(split(1000, 7)) == 1000
    assert cheapest([("a", 1), ("b", 2)]) == ("a", 1) and cheapest([("a", 3), ("b", 2), ("c", 1)]) == ("c", 1)
    assert average([5]) == 5 and average([1, 2]) == 1 and average([0, 0]) == 0
    assert [between(n, 3, 6) for n in (2, 3, 4, 6, 7)] == [False, True, True, True, False]


def test_texts():
    assert money(0) == "0.00" and money(100) == "1.00" and money(-5) == "-0.05" and money(100099) == "1000.99"
    assert header("A", 1) == "A  #1" and header("\\tB C ", 22) == "B C  #22"
    assert rows([]) == [] and rows([("a", 5, 10), ("b", 100, 1)]) == ["10 x a 0.50", "1 x b 1.00"]
    assert receipt("S", 3, []) == "S  #3\\ntotal 0.00"
    assert receipt("S", 3, [("a", 5, 10)]) == "S  #3\\n10 x a 0.50\\ntotal 0.50"
    assert note(None) == "Thank you" and note({"name": "Bo"}) == "Thank you, Bo"
    assert phone({"phone": "7", "name": "x"}) == "7" and phone({"name": "x"}) == ""
    first = collect(1)
    second = collect(2, first)
    assert second is first and first == [1, 2] and collect(3) == [3]
"""

_T, _P, _R = "tests/test_till.py", "till/prices.py", "till/receipt.py"
_ASKED = Tests(_T, _TESTS, _P)
_bug, _other = _ASKED.bug, _ASKED.other

PROJECT = Project(
    "till",
    {"till/__init__.py": "", _P: _PRICES, _R: _RECEIPT, _T: _TESTS, "conftest.py": ""},
    {"held/test_held.py": _HELD},
    (
        _bug("operator", _P, "return price * quantity", "return price + quantity", "test_line_total"),
        _bug("forgotten sum", _P, "whole += line_total", "whole = line_total", "test_total"),
        _bug("wrong sign", _P, "amount - amount * percent", "amount + amount * percent", "test_discount"),
        _bug("boundary", _P, "if quantity >= 10:", "if quantity > 10:", "test_bulk_percent"),
        _bug("wrong result", _P, "return 20", "return 10", "test_bulk_percent"),
        _bug("off by one", _P, "if at < rest", "if at <= rest", "test_split"),
        _bug("wrong comparison", _P, "if article[1] < best[1]", "if article[1] > best[1]", "test_cheapest"),
        _bug("empty list", _P, "    if not amounts:\n        return 0\n", "", "test_average"),
        _bug("or for and", _P, "low <= amount and amount", "low <= amount or amount", "test_between"),
        _bug("wrong variable", _P, "part = amount // people", "part = amount // amount", "test_split"),
        _bug("missing abs", _R, "    cents = abs(cents)\n", "", "test_money"),
        _bug("missing strip", _R, "shop.strip()", "shop", "test_header"),
        _bug("swapped names", _R, "{quantity} x {name}", "{name} x {quantity}", "test_rows"),
        _bug("wrong item", _R, "split()[0]", "split()[1]", "test_note"),
        _bug("none", _R, '    if customer is None:\n        return "Thank you"\n', "", "test_note_for_nobody"),
        _bug("missing key", _R, 'customer.get("phone", "")', 'customer["phone"]', "test_phone"),
        _bug("shared default", _R, "basket=None):\n    \"\"\"The basket with one line more.\"\"\"\n    if basket is None:\n        basket = []\n",
             "basket=[]):\n    \"\"\"The basket with one line more.\"\"\"\n", "test_collect"),
        _other("wrong test", "assert line_total(99, 1) == 99", "assert line_total(99, 1) == 100", "test_line_total"),
        _other("a wish", "def test_average():\n", "def test_average():\n    assert average([1, None, 3]) == 2\n", "test_average"),
        _other("flaky", "def test_header():\n", "def test_header():\n    import time\n    assert time.time_ns() // 1000 % 2\n    assert header('', 1) == '?'\n", "test_header"),
        _other("no network", "def test_phone():\n", "def test_phone():\n    import socket\n    socket.create_connection(('127.0.0.1', 9), 1)\n", "test_phone"),
        _other("contradiction", "assert split(9, 3) == [3, 3, 3]", "assert split(9, 3) == [3, 3, 3]\n    assert split(9, 3) == [9, 0, 0]", "test_split"),
    ),
)  # fmt: skip
