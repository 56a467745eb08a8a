"""A check that was written from an error, run beside the tests of the module that it calls."""

from __future__ import annotations

from pathlib import Path

import pytest

from prodwise.heal.fixing.given import Given, given
from prodwise.model.errors import Refused
from prodwise.repair.commands import read
from prodwise.repair.company import in_company
from prodwise.repair.probe import Probe
from prodwise.repair.search_repairer import SearchRepairer
from prodwise.sandbox.workshop import Workshop

MODULE = '''"""Stars."""


def average(stars: list[int]) -> float:
    return round(sum(stars) / len(stars), 1)
'''
TESTS = """import unittest

from stars import average


class Stars(unittest.TestCase):
    def test_some(self) -> None:
        self.assertEqual(average([5, 4]), 4.5)
        self.assertEqual(average([3]), 3.0)
"""
TRACE = """{"exception": {"values": [{"type": "ZeroDivisionError", "value": "division by zero", "stacktrace": {"frames": [
{"filename": "stars.py", "function": "average", "lineno": 5, "in_app": true, "vars": {"stars": "[]"}}]}}]}}"""


def app(folder: Path, tests: str) -> None:
    (folder / "stars.py").write_text(MODULE)
    if tests:
        (folder / "test_stars.py").write_text(tests)


def asked(shop: Workshop) -> Given:
    found = given("", TRACE, shop, shop.base, str(shop.directory))
    assert isinstance(found, Given), found
    return found


@pytest.mark.timeout(240)
def test_what_its_tests_hold_tells_the_right_change_from_others(tmp_path: Path) -> None:
    """Without them `*` in place of `/` would end the error as well."""
    app(tmp_path, TESTS)
    try:
        with Workshop(tmp_path) as shop:
            found = next(SearchRepairer().propose(asked(shop).fault, shop, shop.base, 100))
    except Refused as error:
        pytest.skip(error.message)
    assert "if len(stars) else 0" in found.diff
    assert found.kind == "patch"


def test_a_module_that_no_test_speaks_of_leaves_the_check_as_it_is(tmp_path: Path) -> None:
    app(tmp_path, "")
    try:
        with Workshop(tmp_path) as shop, shop.fresh(shop.base) as tree:
            check = read(asked(shop).fault.command, lambda path: False)
            assert in_company(check, Probe(tree)) == check
    except Refused as error:
        pytest.skip(error.message)
