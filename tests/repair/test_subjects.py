"""Which files a test is about."""

from __future__ import annotations

import pytest

from prodwise.repair.pool import lenders
from prodwise.repair.source import Source
from prodwise.repair.subjects import lent, subjects

FILES = {
    "shop/__init__.py": "from .cart import Cart\nVERSION = 1\n",
    "shop/cart.py": "",
    "shop/db/models.py": "",
    "src/till/__init__.py": "from .money import round_up\n",
    "src/till/money.py": "",
    "lone.py": "",
}


def read(path: str) -> Source | None:
    return Source(path, FILES[path]) if path in FILES else None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import lone", {"lone.py": {""}}),
        ("from lone import LIMITS, other", {"lone.py": {"LIMITS", "other"}}),
        ("from shop.db import models", {"shop/db/models.py": {""}}),
        ("from shop.db.models import User", {"shop/db/models.py": {"User"}}),
        ("from shop import Cart as Basket", {"shop/cart.py": {"Cart"}}),
        ("from shop import VERSION", {"shop/__init__.py": {"VERSION"}}),
        ("def test():\n    from till import round_up", {"src/till/money.py": {"round_up"}}),
        ("import json, requests\nfrom . import helpers\nfrom .. import lone", {}),
        ("from shop import nothing", {}),
    ],
)
def test_a_test_is_about_what_it_imports(text: str, found: dict[str, set[str]]) -> None:
    assert subjects([Source("tests/test_it.py", text)], read) == found


LEXER = "import re\nfrom .keywords import PATTERNS, compiled\nfrom sql.limits import MOST\n\ndef lex(a):\n    return PATTERNS[a]\n"
LENDERS = {
    "src/sql/lexer.py": LEXER,
    "src/sql/keywords.py": "PATTERNS = []\n\ndef compiled():\n    return 1\n",
    "src/sql/limits.py": "MOST: int = 3\n",
}


def test_a_file_takes_values_of_others_by_name() -> None:
    known = {path: Source(path, text) for path, text in LENDERS.items()}
    assert lent(known["src/sql/lexer.py"], known.get) == {
        "src/sql/keywords.py": {"PATTERNS"},
        "src/sql/limits.py": {"MOST"},
    }
    assert lent(known["src/sql/limits.py"], known.get) == {}


@pytest.mark.parametrize(("suspicion", "found"), [(0.9, ["src/sql/keywords.py"]), (0.2, [])])
def test_whose_value_is_read_at_a_suspect_line_is_suspect(suspicion: float, found: list[str]) -> None:
    known = {path: Source(path, text) for path, text in LENDERS.items()}
    places = {("src/sql/lexer.py", 6): suspicion}
    assert list(lenders([known["src/sql/lexer.py"]], places, known.get)) == found
