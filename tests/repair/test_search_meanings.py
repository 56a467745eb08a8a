"""Edits that pass the same tests: which are one meaning, and when none is believed."""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from bench.repair import write
from prodwise.model.patch import Fault
from prodwise.repair.edits import Edit
from prodwise.repair.inside import prodwise_questions
from prodwise.repair.localise import Spectrum
from prodwise.repair.pool import Candidate
from prodwise.repair.probe import Probe, Try
from prodwise.repair.search_repairer import SearchRepairer
from prodwise.repair.source import Source
from prodwise.repair.verdict import Known, chosen
from prodwise.repair.whole import Whole
from tests.repair.workshops import workshop

RAN = Spectrum(tuple({"m.py": frozenset((1,))} for _ in range(4)))


def candidate(new: str, score: float) -> Candidate:
    return Candidate(Edit("m.py", 0, 1, new, "comparison", "why", score, 1), None, score)


def test_edits_that_answer_alike_are_no_rivals() -> None:
    one, two = candidate("<", 1.0), candidate("!=", 1.1)
    assert chosen([one, two], [("a", "b", "c"), ("a", "b", "c")], RAN)[0].candidate is one
    assert chosen([one, two], [("a", "b", "c"), ("a", "b", "d")], RAN) == []


def test_what_is_only_asked_what_the_tests_ask_is_no_meaning() -> None:
    """They answer alike there, or would not pass."""
    one, two = candidate("<", 1.0), candidate("!=", 1.1)
    alike = ("a", "b", "c", "d", "e", "f")
    assert chosen([one, two], [alike, alike], RAN, Known(own=5))[0].candidate is one
    assert chosen([one, two], [alike, alike], RAN, Known(own=6)) == []
    assert chosen([one, two], [(*alike[:3], "?", "?", "?")] * 2, RAN, Known(own=3)) == []


def test_a_question_that_is_always_answered_with_yes_is_none() -> None:
    asked = Candidate(Edit("m.py", 10, 14, "parts", "variable", "why", 1.0, 1), None, 1.0)
    unasked = Candidate(Edit("m.py", 7, 40, "go(part)", "unasked", "why", 2.4, 1), None, 2.4)
    elsewhere = Candidate(Edit("m.py", 50, 60, "x", "variable", "why", 1.5, 1), None, 1.5)
    alike = [("a", "b", "c")] * 3
    assert [one.candidate for one in chosen([asked, unasked, elsewhere], alike, RAN)] == [elsewhere, unasked]


def test_where_no_question_comes_to_two_edits_they_are_rivals_unless_they_stand_in_one_line() -> None:
    base = ("f", "b", "c", "d", "e", "f")

    def at(line: int, new: str, many: int = 1) -> Candidate:
        return Candidate(Edit("m.py", line, line + many, new, "comparison", "why", 1.0, line), None, 1.0)

    told, known = ("a", *base[1:]), Known(own=1, base=base)
    one = at(1, "<")
    assert chosen([one, at(2, ">")], [told, told], RAN, known) == []
    assert len(chosen([one, at(1, ">")], [told, told], RAN, known)) == 2
    added = [at(1, "if not a:\n    return 0\n", 0), at(1, "if not a:\n    return 0.0\n", 0)]
    assert len(chosen([one, *added], [told] * 3, RAN, known)) == 2
    step = [at(1, "if a:\n    go()\n", 0), at(3, "    if a:\n    go()\n", 0)]
    assert len(chosen(step, [told, told], RAN, known)) == 2
    whole = Whole(1, 3, 0, 40, "truth")
    inner = [replace(at(line, f"< {line}"), whole=whole) for line in (2, 3)]
    assert len(chosen(inner, [told, told], RAN, known)) == 2, "of one question over several lines"
    asked = (*told[:5], "g")
    assert len(chosen([one, at(2, ">")], [asked, asked], RAN, known)) == 2
    assert len(chosen([one, at(2, ">")], [told[:4]] * 2, RAN, Known(own=1, base=base[:4]))) == 2, "asked too little"
    assert len(chosen([one, at(2, ">")], [told, told], RAN, Known(own=1))) == 2, "without a base nothing is known of it"


def test_a_check_that_many_edits_pass_is_less_of_a_proof() -> None:
    some = [candidate(f"<{at}", 2.5) for at in range(60)]
    alike = ("a", "b", "c")
    few, many = (chosen(some[:most], [alike] * most, RAN)[0].confidence for most in (5, 60))
    assert many < few - 0.05


def test_a_number_is_not_believed_where_any_other_does_as_well() -> None:
    some = [Candidate(Edit("m.py", 4, 5, new, "constant", "why", 1.0, 1), None, 1.0) for new in ("1", "-2", "0")]
    assert chosen(some[:2], [("a", "b", "c")] * 2, RAN)[0].candidate is some[0], (
        "of three, the second one is -2 as well"
    )
    assert chosen(some, [("a", "b", "c")] * 3, RAN) == []
    assert chosen(some[1:], [("a", "b", "c")] * 2, RAN) == [], "0 is no place that -2 is as well"


def test_what_contradicts_a_program_that_only_broke_is_not_believed() -> None:
    one, two = candidate("<", 1.0), candidate("!=", 1.0)
    answers = [("x", "b", "c"), ("a", "b", "c")]
    assert chosen([one, two], answers, RAN) == []
    assert chosen([one, two], answers, RAN, Known(base=("a", "!IndexError", "~"), holds=True))[0].candidate is two


def test_of_two_meanings_the_one_that_changes_little_else_is_believed() -> None:
    one, two = candidate("<", 1.0), candidate("!=", 1.0)
    base = ("a", "b", "c", "d", "e")
    answers = [("x", "b", "y", "y", "y"), ("x", "b", "c", "d", "y")]
    assert chosen([one, two], answers, RAN, Known(own=2)) == []
    assert chosen([one, two], answers, RAN, Known(own=2, base=base))[0].candidate is two
    everywhere = [answers[0], ("x", "b", "z", "z", "z")]
    assert chosen([one, two], everywhere, RAN, Known(own=2, base=base)) == []


def test_a_check_that_many_edits_satisfy_is_no_proof() -> None:
    one = candidate("<", 2.5)
    assert chosen([one], [()], RAN, Known(mended=3))[0].candidate is one
    assert chosen([one], [()], RAN, Known(mended=400)) == []


def test_what_is_asked_of_a_mapping_is_also_whether_an_entry_may_be_nothing() -> None:
    asked = list(prodwise_questions.like({"lead": "5"}, [{"lead": "5"}], random.Random(1)))  # type: ignore[no-untyped-call]
    assert {} in asked
    assert {"lead": None} in asked


class Asked(NamedTuple):
    script: str
    output: str


class Thing:
    def __init__(self, script: str, output: str) -> None:
        self.script, self.output = script, output


@pytest.mark.parametrize("kind", [Asked, Thing])
def test_of_a_thing_one_field_is_varied_or_as_others_have_it(kind: type) -> None:
    seen = [kind("push", "no such branch"), kind("pull", "")]
    made = list(prodwise_questions.like(seen[0], seen, random.Random(1)))  # type: ignore[no-untyped-call]
    told = {(one.script, one.output) for one in made}
    assert {("pull", "no such branch"), ("push", "")} <= told
    assert ("ush", "no such branch") in told
    assert {type(one) for one in made} == {kind}
    assert (seen[0].script, seen[0].output) == ("push", "no such branch")


def test_no_more_is_asked_than_there_is_time_for_though_always_a_few() -> None:
    told = [("a", 0.01)] * 40 + [("~", 0.1)] + [("a", 0.05)] + [("a", 0.01)] * 58
    fit = prodwise_questions.fitting
    assert fit(told, 40, 9.0) == ([*range(40)], [40, *range(42, 100)])  # type: ignore[no-untyped-call]
    mine, others = fit(told, 40, 0.6)  # type: ignore[no-untyped-call]
    assert mine == [*range(20)]
    assert others[:2] == [40, 42]
    assert len(others) < 35
    assert [len(some) for some in fit(told, 40, 0.001)] == [10, 10]  # type: ignore[no-untyped-call]


SLOW = """import time


def count(cups):
    if cups > 4:
        end = time.process_time() + 0.06
        while time.process_time() < end:
            pass
    return cups + 1
"""
CALLS = "import m\n\ndef test_count():\n    assert [m.count(cups) for cups in (1, 2, 3, 5, 6)] == [2, 3, 4, 6, 8]\n"


@pytest.mark.timeout(120)
def test_what_takes_the_program_long_is_not_asked(tmp_path: Path) -> None:
    write(tmp_path, {"m.py": SLOW, "test_m.py": CALLS})
    command = (sys.executable, "-m", "pytest", "-q", "test_m.py")
    start = SLOW.index("cups + 1")
    source = Source("m.py", SLOW)
    unit = source.unit(source.statements[-1])
    made = {
        at: Edit("m.py", start, start + 8, new, "kind", "why", 1.0, 9) for at, new in enumerate(("cups + 2", "cups"))
    }
    tries = {at: Try(one, unit, 1.0) for at, one in made.items()}
    with workshop(tmp_path, command) as shop, shop.fresh(shop.base) as tree:
        told = Probe(tree).compare(command, tries, 20.0)
    assert told.own == 3
    assert set(told.answers) == {-1, 0, 1}
    assert len({answers[0] for answers in told.answers.values()}) == 3
    assert {len(answers) for answers in told.answers.values()} == {len(told.answers[-1])}
    assert "~" not in told.answers[-1]


WHOLE = """
import pytest
from m import search

@pytest.mark.parametrize(("values", "wanted", "at"), [([1, 3, 5], 3, 1), ([1, 3, 5], 1, 0), ([1, 3, 5], 9, -1), ([], 2, -1),
                                                      ([2, 4, 6, 8], 7, -1), ([2, 4, 6, 8], 8, 3)])
def test_search(values, wanted, at):
    assert search(values, wanted) == at
"""
ENDLESS = """def search(values, wanted):
    low, high = 0, len(values)
    while low < high:
        middle = (low + high) // 2
        if values[middle] == wanted:
            return middle
        if values[middle] < wanted:
            low = middle
        else:
            high = middle
    return -1
"""


@pytest.mark.timeout(240)
@pytest.mark.full
def test_a_whole_file_of_cases_of_which_some_never_end(tmp_path: Path) -> None:
    write(tmp_path, {"m.py": ENDLESS, "test_m.py": WHOLE})
    command = (sys.executable, "-m", "pytest", "-q", "test_m.py")
    with workshop(tmp_path, command) as shop:
        found = next(SearchRepairer().propose(Fault(command), shop, shop.base, 150))
    assert "+            low = middle + 1" in found.diff


@pytest.mark.timeout(240)
def test_where_tests_leave_open_what_is_meant_nothing_is_said(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "m.py": "def rank(a, b):\n    return a\n",
            "test_m.py": "from m import rank\n\ndef test_rank():\n    assert rank(2, 3) == 3\n",
        },
    )
    command = (sys.executable, "-m", "pytest", "-q", "test_m.py")
    with workshop(tmp_path, command) as shop:
        assert list(SearchRepairer().propose(Fault(command), shop, shop.base, 150)) == []
