"""Which files a test is about."""

from __future__ import annotations

import pytest

from prodwise.repair.source import Source
from prodwise.repair.subjects import subjects

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
