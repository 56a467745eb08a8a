"""Where a question is missing, and which one tells the failing test from those that pass."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from prodwise.model.errors import NothingFits
from prodwise.model.patch import Fault
from prodwise.repair import contrast
from prodwise.repair.forced import Forced, forced
from prodwise.repair.probe import Place, Probe, Visit
from prodwise.repair.search.questions import Question, askable
from prodwise.repair.search.site import Site
from prodwise.repair.search_repairer import SearchRepairer
from prodwise.repair.source import Source, scope
from prodwise.sandbox.workshop import Workshop
from tests.repair.small_programs import made, statement_at
from tests.repair.workshops import workshop

PROGRAM = """class Task:
    def __init__(self, name, hidden=False):
        self.name = name
        self.hidden = hidden


def describe(task, seen):
    if task.name == "":
        return "nameless"
    seen.append(task.name)
    return task.name


def first(tasks):
    for task in tasks:
        seen = []
        return describe(task, seen)
"""
TESTS = """from m import Task, describe


def test_hidden():
    seen = []
    assert describe(Task("a", hidden=True), seen) == "a"
    assert seen == []


def test_seen():
    seen = []
    assert describe(Task("b"), seen) == "b"
    assert seen == ["b"]


def test_nameless():
    assert describe(Task(""), []) == "nameless"
"""
OPPOSITE = """from m import Task, describe


def test_not_seen():
    seen = []
    assert describe(Task("z"), seen) == "z"
    assert seen == []


def test_seen():
    seen = []
    assert describe(Task("z"), seen) == "z"
    assert seen == ["z"]
"""
HIDDEN, SEEN, NAMELESS = (f"test_m.py::test_{name}" for name in ("hidden", "seen", "nameless"))
COMMAND = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_m.py")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    (tmp_path / "m.py").write_text(PROGRAM)
    (tmp_path / "test_m.py").write_text(TESTS)
    (tmp_path / "test_o.py").write_text(OPPOSITE)
    with workshop(tmp_path, COMMAND) as shop:
        yield shop


def site(line: int, text: str = PROGRAM) -> Site:
    source = Source("m.py", text)
    statement = statement_at(source, line)
    return Site(source, statement, scope(source, statement))


def at(line: int, answer: str) -> Forced:
    source = site(line).source
    suspects = [(1.0, source, one) for one in source.statements]
    return next(one for one in forced(suspects) if one.edit.line == line and one.answer == answer)


def asked(one: Forced, *texts: str) -> contrast.Asked:
    questions = [Question(text, 1.8 + 0.01 * at, text) for at, text in enumerate(texts)]
    return contrast.Asked(one, questions, Place("m.py", one.edit.line, one.edit.line, ("True", *texts)))


def test_a_program_is_tried_with_other_answers_without_steps_and_with_early_ends() -> None:
    source = site(8).source
    found = forced([(1.0, source, one) for one in source.statements])
    told = {(one.edit.line, one.answer, one.edit.applied(PROGRAM)) for one in found}
    assert {(line, answer) for line, answer, _ in told} == {
        (3, "skip"), (3, "return"), (4, "skip"), (8, "yes"), (8, "no"), (8, "return 'nameless'"),
        (8, "return None"), (10, "skip"), (15, "return None"), (16, "continue"), (17, "skip"),
    }  # fmt: skip
    for _, _, text in told:
        ast.parse(text)
    assert next(text for line, answer, text in told if (line, answer) == (8, "no")) == PROGRAM.replace(
        'task.name == ""', "False"
    )


def test_leaving_a_block_is_not_made_to_keep_errors_in() -> None:
    """A test's own failure inside the block would not get out: whatever it asks would pass."""
    text = "class Bar:\n    def __exit__(self, *error):\n        self.close()\n        return False\n"
    source = Source("m.py", text)
    assert forced([(1.0, source, one) for one in source.statements]) == []
    for line in (3, 4):
        assert not any("return" in edit.new or line == 4 for edit in made(text, line).values())


def test_what_could_be_asked_speaks_of_what_is_seen_there() -> None:
    asked = askable(site(10), site(10).statement)
    texts = [one.text for one in asked]
    assert {"task.hidden", "task.name is None", "isinstance(seen, list)", "task.name in seen", "'nameless' in task.name",
            "hasattr(task, 'name')", "isinstance(task, Task)", 'task.name == \'\''} <= set(texts)  # fmt: skip
    assert [one.cost for one in asked] == sorted(one.cost for one in asked)
    assert len(texts) == len(set(texts))
    assert not any(one.startswith("tasks") for one in texts)


def test_questions_are_answered_where_tests_come_past(shop: Workshop) -> None:
    questions = ("task.hidden", "task.name == 'b'", "task.none", "seen.append(1) or seen", "not a question")
    places = [Place("m.py", 10, 10, questions), Place("m.py", 8, 8, ("task.name",)), Place("m.py", 17, 17, ("1",))]
    with shop.fresh(shop.base) as tree:
        visits = Probe(tree).ask(COMMAND, places, [HIDDEN], 60.0)
    assert visits[0] == [Visit(HIDDEN, "10?1?"), Visit(SEEN, "01?1?")]
    assert visits[1] == [Visit(HIDDEN, "1"), Visit(SEEN, "1"), Visit(NAMELESS, "0")]
    assert visits[2] == []


def test_the_tests_that_fail_are_asked_first(shop: Workshop) -> None:
    """There may be no time left for the last ones of a long file."""
    with shop.fresh(shop.base) as tree:
        (visits,) = Probe(tree).ask(COMMAND, [Place("m.py", 8, 8, ("task.name",))], [NAMELESS], 60.0)
    assert [one.test for one in visits] == [NAMELESS, HIDDEN, SEEN]


def test_a_question_is_chosen_that_only_the_failing_test_answers_with_yes() -> None:
    one = at(10, "skip")
    place = asked(one, "task.hidden", "task.name", "seen", "task.done")
    visits = [Visit(HIDDEN, "1110?"), Visit(SEEN, "10111"), Visit(NAMELESS, "10111")]
    made = [each.new for each in contrast.edits(place, visits, [HIDDEN], [SEEN, NAMELESS])]
    assert made == ["if not task.hidden:\n        seen.append(task.name)", "if seen:\n        seen.append(task.name)"]
    assert contrast.edits(place, visits[:1], [HIDDEN], [SEEN, NAMELESS]) == []
    assert contrast.edits(place, visits, [HIDDEN], []) == []


@pytest.mark.parametrize(
    ("answer", "bad", "good", "new"),
    [
        ("yes", "01", "00", 'task.name == "" or task.hidden'),
        ("yes", "?1", "00", 'task.hidden or task.name == ""'),
        ("no", "11", "10", 'task.name == "" and not task.hidden'),
        ("yes", "01", "10", None),
        ("yes", "11", "00", None),
    ],
)
def test_a_condition_gets_the_question_that_it_lacks(answer: str, bad: str, good: str, new: str | None) -> None:
    """Only visits count in which the condition is answered as it must not be, or must stay."""
    place = asked(at(8, answer), "task.hidden")
    made = contrast.edits(place, [Visit(HIDDEN, bad), Visit(SEEN, good)], [HIDDEN], [SEEN])
    assert [one.new for one in made] == ([] if new is None else [new])


@pytest.mark.timeout(120)
def test_a_question_that_nobody_asks_elsewhere_is_found(shop: Workshop) -> None:
    """What nothing in the file speaks of where the step is done: no other kind of edit makes it."""
    command = (*COMMAND[:-1], HIDDEN)
    found = next(SearchRepairer().propose(Fault(command), shop, shop.base, 60))
    assert "+    if not task.hidden:\n+        seen.append(task.name)\n" in found.diff


@pytest.mark.timeout(120)
def test_where_no_question_tells_them_apart_the_place_is_told(shop: Workshop) -> None:
    """Two tests that ask the opposite of the same call."""
    command = (*COMMAND[:-1], "test_o.py::test_not_seen")
    with pytest.raises(NothingFits) as told:
        list(SearchRepairer().propose(Fault(command), shop, shop.base, 60))
    assert "`seen.append(task.name)` (m.py, line 10) is left out" in told.value.hint


def test_what_the_module_gathers_is_asked_for_what_is_in_it() -> None:
    text = "KINDS = (list, set)\nLIMIT = 3\nOTHER = frozenset(KINDS)\ndef f(a):\n    if a.kind:\n        return 1\n"
    asked = {one.text for one in askable(site(5, text), site(5, text).statement)}
    assert {"a.kind in KINDS", "a.kind in OTHER"} <= asked
    assert "a.kind in LIMIT" not in asked


def test_constants_of_the_file_are_asked_by_their_names() -> None:
    text = "from s import DONE, kinds\nOPEN = 1\ndef f(new, task):\n    if task.state == DONE or new != kinds.LATE:\n        g()\n"
    asked = {one.text for one in askable(site(5, text), site(5, text).statement)}
    assert {"new == DONE", "new == kinds.LATE", "task.state == DONE", "task.state == kinds.LATE"} <= asked
    assert "new == OPEN" not in asked


def test_numbers_are_asked_of_numbers_alone() -> None:
    """Of what is only true or false, `> 0` would say the same in other words, and count as a rival."""
    text = "def late(days, over):\n    if over:\n        days += 7\n    return days\n"
    asked = {one.text: one.asked for one in askable(site(3, text), site(3, text).statement)}
    for question, given, answer in (("days > 7", {"days": 8}, True), ("days > 0", {"days": -1}, False)):
        assert eval(asked[question], given) is answer
    for value in (True, None, "8"):
        with pytest.raises(ValueError, match="none"):
            eval(asked["days > 0"], {"days": value})
