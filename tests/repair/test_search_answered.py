"""A question that is asked otherwise counts little where the tests pass as well with one answer to it once for all."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.repair import write
from prodwise.model.patch import Fault
from prodwise.repair import answered
from prodwise.repair.edits import Edit
from prodwise.repair.forced import KIND
from prodwise.repair.localise import Spectrum
from prodwise.repair.pool import Candidate
from prodwise.repair.search.operators import DROPPED
from prodwise.repair.search_repairer import SearchRepairer
from prodwise.repair.source import Source
from prodwise.repair.verdict import chosen, plain
from tests.repair.workshops import workshop

RAN = Spectrum(tuple({"m.py": frozenset((1, 2, 3))} for _ in range(4)))
TEXT = "def f(a, b):\n    if a and b:\n        return 1\n    return 2 if a else 3\n"


def edited(old: str, new: str, after: int = 0) -> Candidate:
    start = TEXT.index(old, after)
    return Candidate(Edit("m.py", start, start + len(old), new, "variable", "why", 1.0, 2), None, 1.0)


def test_both_answers_are_tried_for_a_question_that_an_edit_changes() -> None:
    source = Source("m.py", TEXT)
    some = answered.rivals(
        [edited("a and b", "b"), edited("a and", "b and"), edited("return 1", "return 4")], lambda _: source
    )
    assert [one.edit.applied(TEXT) for one in some] == [
        TEXT.replace("a and b", "True"),
        TEXT.replace("a and b", "False"),
    ]
    (one, _) = answered.rivals([edited("a", "b", TEXT.index("2 if"))], lambda _: source)
    assert one.edit.applied(TEXT) == TEXT.replace("2 if a", "2 if True")
    assert answered.rivals([edited("1", "4")], lambda _: source) == []


def test_where_one_answer_does_as_well_the_question_is_not_believed_and_neither_is_the_answer() -> None:
    one, source = edited("a and", "b and"), Source("m.py", TEXT)
    _, never = answered.rivals([one], lambda _: source)
    assert never.edit.kind == KIND
    assert chosen([one, never], [("a", "b", "c"), ("a", "b", "d")], RAN) == []
    assert chosen([never], [("a", "b", "c")], RAN) == []
    assert chosen([one, never], [("a", "b", "c")] * 2, RAN) == [], "wherever it was asked, this is the same"
    assert chosen([one], [("a", "b", "c")], RAN)[0].candidate is one


def test_a_step_that_may_as_well_be_left_out_is_not_done_otherwise() -> None:
    text = "def f(a):\n    note = a[:3]\n    return note\n"
    source, start = Source("m.py", text), text.index("3")
    one = Candidate(Edit("m.py", start, start + 1, "0", "constant", "why", 1.0, 2), None, 1.0)
    (less,) = answered.rivals([one], lambda _: source)
    assert less.edit.applied(text) == text.replace("note = a[:3]", "pass")
    assert plain([one, less]) == []
    kept = replace(one, edit=replace(one.edit, start=text.index("return note") + 7, end=len(text) - 1, new="a"))
    assert answered.rivals([kept], lambda _: source) == [], "what is handed back is no step"


def test_of_several_conditions_the_one_that_is_changed_is_left_out_too() -> None:
    source, one = Source("m.py", TEXT), edited("b:", "(b is not None):")
    one = replace(one, edit=replace(one.edit, end=one.edit.end - 1, new="(b is not None)"))
    some = answered.rivals([one], lambda _: source)
    assert [other.edit.applied(TEXT) for other in some if other.edit.kind == DROPPED] == [TEXT.replace("a and b", "a")]
    assert not any(other.edit.kind == DROPPED for other in answered.rivals([one, *some], lambda _: source))


def test_a_condition_that_may_as_well_be_left_out_is_not_asked_otherwise() -> None:
    source, one = Source("m.py", TEXT), edited("b:", "b is not None:")
    one = replace(one, edit=replace(one.edit, end=one.edit.end - 1, new="b is not None"))
    (less,) = (other for other in answered.rivals([one], lambda _: source) if other.edit.kind == DROPPED)
    assert plain([one, less]) == [less]
    other = replace(less, edit=replace(less.edit, new="b"))
    assert plain([less, other]) == [less, other], "neither of the two ways to ask less is idle beside the other"


PROGRAM = """def label(name, short, seen):
    text = name.upper()
    if short and text:
        text = text[:2]
    return text
"""
TESTS = """from m import label


def test_whole():
    assert label('tern', False, True) == 'TERN'


def test_new():
    assert label('tern', True, False) == 'TERN'


def test_seen():
    assert label('tern', True, True) == 'TE'
"""


@pytest.mark.timeout(240)
def test_a_question_is_proposed_where_the_tests_need_both_of_its_answers(tmp_path: Path) -> None:
    write(tmp_path, {"m.py": PROGRAM, "test_m.py": TESTS})
    command = (sys.executable, "-m", "pytest", "-q", "test_m.py")
    with workshop(tmp_path, command) as shop:
        found = next(SearchRepairer().propose(Fault(command), shop, shop.base, 120))
    assert "+    if short and seen" in found.diff
