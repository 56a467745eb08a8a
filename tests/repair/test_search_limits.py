"""A limit is moved to where the tests hold it from both sides, or where the code tells of it; else nothing is said."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench.repair import write
from prodwise.model.patch import Fault
from prodwise.repair import limits
from prodwise.repair.edits import Edit
from prodwise.repair.localise import Spectrum
from prodwise.repair.pool import Candidate
from prodwise.repair.search_repairer import SearchRepairer
from prodwise.repair.source import Source
from prodwise.repair.verdict import chosen
from tests.repair.workshops import workshop

TEXT = 'def f(parts):\n    """{said}."""\n    if len(parts) < 2:\n        raise ValueError(parts)\n    return parts\n'
RAN = Spectrum(tuple({"m.py": frozenset((3,))} for _ in range(4)))


def moved(bad: str, good: str, said: str = "Says") -> tuple[Candidate, list[Candidate]]:
    """The edit that makes one of the other, and those that are tried beside it."""
    text = TEXT.replace("{said}", said).replace("len(parts) < 2", bad)
    source, at = Source("m.py", text), text.index(bad)
    edit = Edit("m.py", at, at + len(bad), good, "comparison", "why", 0.8, 3)
    (one,) = limits.marked([Candidate(edit, None, 0.8)], lambda _: source)
    return one, limits.others([one], lambda _: source)


def texts(some: list[Candidate]) -> list[str]:
    return [one.edit.new for one in some]


@pytest.mark.parametrize(
    ("bad", "good", "beside"),
    [
        ("len(parts) < 2", "len(parts) <= 2", ["len(parts) < 4", "len(parts) < 5"]),
        ("len(parts) < 2", "len(parts) < 3", ["len(parts) < 4", "len(parts) < 5"]),
        ("len(parts) > 5", "len(parts) >= 5", ["len(parts) > 3", "len(parts) > 2"]),
        ("len(parts) >= 5", "len(parts) + 1 >= 5", ["len(parts) >= 3", "len(parts) >= 2"]),
    ],
)
def test_a_limit_that_moves_is_tried_further_on(bad: str, good: str, beside: list[str]) -> None:
    assert texts(moved(bad, good)[1]) == beside


@pytest.mark.parametrize(
    ("line", "old", "new", "beside"),
    [
        ("show(parts[:1])", "1", "2", ["3"]),
        ("show(parts[:-2])", "2", "1", ["0"]),
        ("show(parts[2::3])", "2", "3", ["4"]),
        ("show(parts[:1])", "1", "0", []),
        ("show(parts[1])", "1", "2", []),
        ("show(parts[2::3])", "3", "2", []),
    ],
)
def test_the_end_of_a_slice_that_moves_is_tried_further_on(line: str, old: str, new: str, beside: list[str]) -> None:
    text = f"def f(parts):\n    {line}\n"
    at = text.index(old)
    one = Candidate(Edit("m.py", at, at + 1, new, "constant", "why", 1.2, 2), None, 0.8)
    further = limits.others([one], lambda _: Source("m.py", text))
    assert texts(further) == beside
    assert chosen([one], [()], RAN)[0].candidate is one
    assert not further or not chosen([one, *further], [("1", "2", "3")] * 2, RAN)


@pytest.mark.parametrize(
    ("bad", "good"),
    [
        ("len(parts) < 0", "len(parts) <= 0"),
        ("len(parts) >= 1", "len(parts) > 1 - 1"),
        ("len(parts) < 2", "len(parts) > 2"),
        ("len(parts) < 2", "parts < 2"),
        ("len(parts) < MOST", "len(parts) <= MOST"),
        ("len(parts) < 4096", "len(parts) <= 4096"),
    ],
)
def test_what_speaks_for_itself_or_moves_no_limit_is_left_alone(bad: str, good: str) -> None:
    one, beside = moved(bad, good)
    assert one.moved is None
    assert beside == []


def test_nothing_is_chosen_between_limits_that_pass_alike() -> None:
    one, beside = moved("len(parts) < 2", "len(parts) <= 2")
    assert chosen([one], [()], RAN)[0].candidate is one
    assert chosen([one, beside[0]], [(), ()], RAN) == []
    assert chosen([one, beside[0]], [("a", "b", "c"), ("a", "b", "c")], RAN) == []


@pytest.mark.parametrize("said", ["Of four words", "With 4 parts at least"])
def test_a_limit_that_the_code_tells_of_is_chosen(said: str) -> None:
    one, beside = moved("len(parts) < 2", "len(parts) <= 2", said)
    standing = limits.weighed([one, *beside])
    best = chosen(standing, [("a", "b", "c"), ("a", "b", "d"), ("a", "b", "e")], RAN)
    assert best == []  # `< 5` is `<= 4`
    best = chosen(standing[:2], [("a", "b", "c"), ("a", "b", "d")], RAN)
    assert texts([survivor.candidate for survivor in best]) == ["len(parts) < 4"]


LOG = '''def parse(line):
    """Time, driver, verb and place."""
    parts = line.split()
    if len(parts) < 2:
        raise ValueError(line)
    return parts
'''
ASKS = "import pytest\nfrom m import parse\n\ndef test_good():\n    assert len(parse('a b c d')) == 4\n"
SHORT = "\ndef test_short():\n    with pytest.raises(ValueError):\n        parse('{words}')\n"
"""With three words as well, the tests hold the limit from both sides."""


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("good", "words", "wanted"),
    [("a b c", "a b", "-    if len(parts) < 2:\n"), ("a b c d", "a b", "")],
)
def test_a_limit_is_proposed_where_the_tests_hold_it(tmp_path: Path, good: str, words: str, wanted: str) -> None:
    test = ASKS.replace("a b c d", good).replace("4", str(len(good.split()))) + SHORT.replace("{words}", words)
    write(tmp_path, {"m.py": LOG, "test_m.py": test})
    command = (sys.executable, "-m", "pytest", "-q", "test_m.py")
    with workshop(tmp_path, command) as shop:
        found = next(SearchRepairer().propose(Fault(command), shop, shop.base, 150), None)
    assert bool(found) == bool(wanted)
    assert found is None or wanted in found.diff
