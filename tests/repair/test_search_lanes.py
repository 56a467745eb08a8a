"""Edits are tried side by side, and those that cannot change the failing test's answer come last."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from prodwise.repair.edits import Edit
from prodwise.repair.lanes import Lanes
from prodwise.repair.probe import BEST, NEARLY, Probe, Trial, Tried, Try
from prodwise.repair.source import Source
from prodwise.repair.whole import Whole, around
from prodwise.sandbox.workshop import Workshop
from tests.repair.workshops import workshop

PROGRAM = """import itertools

COUNT = itertools.count()


def price(cups, member):
    if cups > 10:
        cups = cups - 1
    return cups * rate(member)


def rate(member):
    return 2


def number():
    total = next(COUNT)
    return total
"""
TESTS = """import m


def test_price():
    assert m.price(3, True) == 9


def test_number():
    assert m.number() == 1


def test_many():
    for cups in range(3, 11):
        assert m.price(cups, True) == 2 * cups
    assert m.price(12, True) == 24
"""
COMMAND = (sys.executable, "-m", "pytest", "-q", "test_m.py")
PRICE, NUMBER, MANY = (f"test_m.py::test_{name}" for name in ("price", "number", "many"))


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    (tmp_path / "m.py").write_text(PROGRAM)
    (tmp_path / "test_m.py").write_text(TESTS)
    with workshop(tmp_path, COMMAND) as shop:
        yield shop


def edits(pairs: Sequence[tuple[str, str]]) -> dict[int, Try]:
    """Of texts that the program has once, in their order."""
    source, found = Source("m.py", PROGRAM), dict[int, Try]()
    for at, (old, new) in enumerate(pairs):
        start = PROGRAM.index(old)
        edit = Edit("m.py", start, start + len(old), new, "kind", "why", 1.0, source.line_of(start))
        lines = [one for one in source.statements if one.lineno <= edit.line <= source.last_head_line(one)]
        found[at] = Try(edit, source.unit(lines[-1]), 1.0, around(source, lines[-1], edit))
    return found


def tried(shop: Workshop, some: dict[int, Try], test: str, trial: Trial | None = None) -> tuple[Tried, int]:
    """And how many lanes there were."""
    trial = trial or Trial((test,), (test,), (PRICE, NUMBER, MANY), 2.0, error="AssertionError")
    with Lanes(shop, shop.base) as lanes, shop.fresh(shop.base) as tree:
        probe = Probe(tree)
        found = lanes.attempt(probe, COMMAND, some, trial, 60.0)
        assert not (probe.place / BEST).exists()
        return found, len(list(tree.root.parent.parent.glob("tree-*")))


def test_what_leaves_the_value_as_it_is_or_differs_like_what_failed_waits(shop: Workshop) -> None:
    some = edits([
        ("cups > 10", "cups > 11"),
        ("cups > 10", "cups < 10"),
        ("cups > 10", "cups < 11"),
        ("cups * rate(member)", "cups + rate(member)"),
        ("cups * rate(member)", "cups * cup(member)"),
        ("cups * rate(member)", "cups + rate(cups)"),
        ("cups * rate(member)", "cups * cup(cups)"),
        ("cups * rate(member)", "cups * rate(cups) + cups"),
    ])  # fmt: skip
    found, _ = tried(shop, some, PRICE)
    assert found.codes[7] == 0
    assert list(found.codes) == [1, 3, 4, 7, 0, 2, 5, 6]
    assert set(found.codes.values()) == {0, 1}


def test_where_the_test_fails_is_asked_however_often_it_came_past_before(shop: Workshop) -> None:
    """Many tests ask one thing after the other of a function, and only the last one fails."""
    some = edits(
        [("cups > 10", "cups > 11"), ("cups - 1", "cups - 1 + 0"), ("cups - 1", "cups"), ("cups > 10", "cups > 12")]
    )
    found, _ = tried(shop, some, MANY)
    assert found.codes[3] == 0
    assert list(found.codes) == [2, 3, 0, 1]


def test_what_a_question_would_use_up_tells_nothing(shop: Workshop) -> None:
    """The count goes on with each question: nothing is known of it, and nothing waits."""
    some = edits([("next(COUNT)", "next(COUNT) + 0"), ("next(COUNT)", "next(COUNT) + 1")])
    found, _ = tried(shop, some, NUMBER)
    assert found.codes == {0: 1, 1: 0}


def test_many_edits_are_tried_on_all_cores_and_each_once(shop: Workshop) -> None:
    some = edits([("return 2", f"return {number}") for number in range(4, 184)])
    found, trees = tried(shop, some, PRICE)
    assert trees == min(4, len(os.sched_getaffinity(0)))
    assert found.codes == dict.fromkeys(some, 1)


def test_where_memory_is_scarce_there_is_one(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=500 << 20))
    some = edits([("return 2", f"return {number}") for number in range(4, 144)])
    assert tried(shop, some, PRICE) == (Tried(True, dict.fromkeys(some, 1)), 1)


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
def test_what_passes_in_one_lane_ends_the_less_likely_in_the_other(shop: Workshop) -> None:
    some = edits([("return 2", f"return {number}") for number in (3, *range(4, 1200))])
    some = {at: Try(one.edit, one.unit, 1.0 if at == 0 else 5.0) for at, one in some.items()}
    found, _ = tried(shop, some, PRICE, Trial((PRICE,), (PRICE,), (NUMBER, MANY), 2.0, margin=0.8, most=60))
    assert found.codes[0] == 0
    assert len(found.codes) < len(some) / 2


def test_the_first_few_are_tried_however_likely_one_is_that_passed(shop: Workshop) -> None:
    some = edits([("return 2", f"return {number}") for number in (3, *range(4, 600))])
    some = {at: Try(one.edit, one.unit, 1.0 if at == 0 else 5.0) for at, one in some.items()}
    found, _ = tried(shop, some, PRICE, Trial((PRICE,), (PRICE,), (NUMBER, MANY), 2.0, margin=0.8, look=200))
    assert set(found.codes) >= set(range(190))
    assert len(found.codes) < len(some)


def test_what_mends_the_failing_test_and_breaks_another_is_told_apart(shop: Workshop) -> None:
    some = edits([("return 2", "return 3"), ("return 2", "return 5")])
    found, _ = tried(shop, some, PRICE, Trial((PRICE,), (PRICE, NUMBER), (), 2.0))
    assert found.codes == {0: NEARLY, 1: 1}


@pytest.mark.parametrize(
    ("statement", "part", "kind"),
    [
        ("if a > b:\n    pass", "b", "truth"),
        ("x = a + b", "b", "value"),
        ("x = a + b", "x", None),
        ("return_(a)", "a", "effect"),
        ("for x in a:\n    b", "a", "value"),
        ("for x in a:\n    b", "x", None),
        ("del a", "a", None),
    ],
)
def test_the_expression_around_an_edit(statement: str, part: str, kind: str | None) -> None:
    source = Source("m.py", statement + "\n")
    start = statement.rindex(part) if part != "x" else statement.index(part)
    edit = Edit("m.py", start, start + 1, "c", "kind", "why", 1.0, 1)
    whole = around(source, source.statements[0], edit)
    assert (whole.kind if isinstance(whole, Whole) else None) == kind


PATIENT = """import time

import m


def test_price():
    assert m.price(3, True) == 9


def test_waits():
    time.sleep(1)


def test_waits_again():
    time.sleep(1)


def test_waits_once_more():
    time.sleep(1)
"""


def test_tests_that_wait_one_after_the_other_are_no_try_that_hangs(shop: Workshop) -> None:
    """None of them waits for as long as a try may, and together they wait for longer."""
    some = edits([("cups * rate(member)", "cups * 3")])
    must = (PRICE, *(f"test_m.py::test_waits{more}" for more in ("", "_again", "_once_more")))
    with shop.fresh(shop.base) as tree:
        (tree.root / "test_m.py").write_text(PATIENT)
        found = Probe(tree).attempt(COMMAND, some, Trial((PRICE,), must, (), 2.0, idle=1.8), 60.0)
    assert found.codes == {0: 0}


def test_what_fails_anyway_is_not_run_in_a_try(shop: Workshop) -> None:
    """It could use up the time of what has to pass."""
    some = edits([("cups * rate(member)", "cups * 3")])
    with shop.fresh(shop.base) as tree:
        (tree.root / "test_m.py").write_text(PATIENT.replace("time.sleep(1)", "1 / [1 for _ in iter(int, 1)][0]", 1))
        found = Probe(tree).attempt(COMMAND, some, Trial((PRICE,), (PRICE,), ("test_m.py::test_waits",), 1.0), 60.0)
    assert found.codes == {0: 0}


CASES = """import os
import unittest

import m


class Prices(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.right = 9

    def setUp(self):
        self.cups = 3

    def tearDown(self):
        assert self.cups == 3

    def test_price(self):
        with self.subTest():
            self.assertEqual(m.price(self.cups, True), self.right)


class OfItsRunner(unittest.TestCase):
    def test_price(self):
        self.assertIn("PYTEST_CURRENT_TEST", os.environ, "run it by pytest")
        self.assertEqual(m.price(3, True), 8.5 if m.rate(0) is None else 9)


class Otherwise(OfItsRunner):
    def test_price(self):
        os.environ["PYTEST_CURRENT_TEST"]
        super().test_price()
"""


@pytest.mark.parametrize("case", ["Prices", "OfItsRunner", "Otherwise"])
def test_the_first_look_at_a_case_is_no_stricter_than_its_runner(shop: Workshop, case: str) -> None:
    """One that would fail with any edit for want of its runner is run by that."""
    some = edits([("return 2", f"return {number}") for number in range(4, 9)])
    some[5] = edits([("cups * rate(member)", "cups * 3")])[0]
    name = f"test_m.py::{case}::test_price"
    with shop.fresh(shop.base) as tree:
        (tree.root / "test_m.py").write_text(CASES)
        found = Probe(tree).attempt(COMMAND, some, Trial((name,), (name,), (), 2.0, error="AssertionError"), 60.0)
    assert found.codes == {**dict.fromkeys(range(5), 1), 5: 0}


LATER = """import m

RATES = {"late": sum([1, 1])}


def late():
    return RATES["late"]


class Price:
    def __repr__(self):
        return "a price of %d" % self.cents()

    def cents(self):
        return 3

    def __eq__(self, other):
        return self.cents() == other
"""
FIXED = """import os

import pytest


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def cups():
    return 3


@pytest.mark.parametrize("rate", [2])
def test_price(cups, rate):
    import later

    assert not os.listdir(".")
    assert later.m.price(cups, True) == 7 + later.late()
    assert later.Price() == rate
"""


def test_lines_of_what_is_imported_late_or_only_told_are_no_lines_of_the_test(shop: Workshop) -> None:
    with shop.fresh(shop.base) as tree:
        (tree.root / "later.py").write_text(LATER)
        (tree.root / "test_m.py").write_text(
            FIXED.replace("later.m.price(cups, True) == 7 + later.late()", "later.late()")
        )
        covered = Probe(tree).cover(COMMAND, None, 60.0)
    (test,) = covered.tests
    assert test.failed
    lines = LATER.split("\n")
    assert {lines[line - 1].strip() for line in test.lines["later.py"]} == {
        "def late():", 'return RATES["late"]', "def __eq__(self, other):", "return self.cents() == other",
        "def cents(self):", "return 3",
    }  # fmt: skip


def test_fixtures_and_late_imports_do_not_keep_a_test_from_a_first_look(shop: Workshop) -> None:
    """Of an edit in what is imported only by the test as well, of a value of its module too."""
    name = "test_m.py::test_price[2]"
    some = edits([("return 2", "return 3"), ("return 2", "return 4")])  # 9 is 7 + 2, 6 is 7 - 1
    with shop.fresh(shop.base) as tree:
        (tree.root / "later.py").write_text(LATER)
        (tree.root / "test_m.py").write_text(FIXED.replace("    assert later.Price() == rate\n", ""))
        for at, new in enumerate(("-2", "5"), 2):
            start = LATER.index("1, 1")
            some[at] = Try(Edit("later.py", start, start + 1, new, "kind", "why", 1.0, 3), None, 1.0)
        found = Probe(tree).attempt(COMMAND, some, Trial((name,), (name,), (), 2.0, error="AssertionError"), 60.0)
    assert found.codes == {0: 0, 1: 1, 2: 0, 3: 1}
