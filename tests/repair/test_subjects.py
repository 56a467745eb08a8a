"""Which files a test is about."""

from __future__ import annotations

import pytest

from prodwise.repair.source import Source
from prodwise.repair.subjects import subjects

FILES = {
    "shop/__init__.py": "from .cart import Cart\nfrom shop.tax import rate as tax_rate\n",
    "shop/cart.py": "",
    "shop/tax.py": "",
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
        ("import lone", {"lone.py"}),
        ("from shop.db import models", {"shop/db/models.py"}),
        ("from shop.db.models import User", {"shop/db/models.py"}),
        ("from shop import Cart", {"shop/cart.py"}),
        ("from shop import tax_rate", {"shop/tax.py"}),
        ("def test():\n    from till import round_up", {"src/till/money.py"}),
        ("import json, requests\nfrom . import helpers\nfrom .. import lone", set()),
        ("from shop import nothing", set()),
    ],
)
def test_a_test_is_about_what_it_imports(text: str, found: set[str]) -> None:
    paths = FILES.keys() - {"shop/__init__.py", "src/till/__init__.py"}
    assert subjects([Source("tests/test_it.py", text)], paths, read) == found
