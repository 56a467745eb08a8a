"""Statements that are missing or lead the wrong way: the right edit is among those that are tried."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from prodwise.repair.inside import prodwise_modules
from prodwise.repair.search import candidates, together
from prodwise.repair.source import Source
from tests.repair.small_programs import made

CHAIN = """
def f(key, value):
    if key.isdigit():
        return 1
    elif key.startswith("*"):
        return value
    return key


def g(key, value):
    if key.isdigit():
        value += 1
    if value > 2:
        value = 2
    elif value < 0:
        value = 0
    return value
"""


@pytest.mark.parametrize(
    ("line", "bad", "good"),
    [
        (13, "    if value > 2:", "    elif value > 2:"),
        (15, "    elif value < 0:", "    if value < 0:"),
        (11, "        value += 1\n", '        value += 1\n    elif key.startswith("*"):\n        return value\n'),
    ],
)
def test_questions_are_asked_apart_or_one_after_the_other(line: int, bad: str, good: str) -> None:
    assert CHAIN.count(bad) == 1
    assert CHAIN.replace(bad, good) in made(CHAIN, line)


def test_nothing_follows_on_a_question_that_ends_the_function() -> None:
    text = "def f(a, b):\n    if a:\n        return 1\n    if b:\n        return 2\n    return 3\n"
    assert text.replace("    if b:", "    elif b:") not in made(text, 4)


@pytest.mark.parametrize(
    ("bad", "good", "line"),
    [
        ("    if a.more():\n        a.next()\n    return a", "    while a.more():\n        a.next()\n    return a", 2),
        ("    while a.more():\n        a.next()\n    return a", "    if a.more():\n        a.next()\n    return a", 2),
        ("    for b in a:\n        if b:\n            break", "    for b in a:\n        if b:\n            continue", 4),
        ("    for b in a:\n        if b:\n            continue\n        a.add(b)",
         "    for b in a:\n        if b:\n            break\n        a.add(b)", 4),
        ("    for b in a:\n        if b:\n            return\n        a.add(b)",
         "    for b in a:\n        if b:\n            continue\n        a.add(b)", 4),
    ],
)  # fmt: skip
def test_work_goes_on_where_it_should(bad: str, good: str, line: int) -> None:
    head = "def f(a):\n"
    assert head + good + "\n" in made(f"{head}{bad}\n", line)


EARLY = '''
def clean(name):
    name = name.lower()
    if name.hidden:
        return None
    return name


def shown(name, size):
    """Says."""
    text = name.text + str(size)
    return "".join(text)
'''


@pytest.mark.parametrize(
    "more", ["    name = name.lower()\n", "    name = name.strip()\n", '    if name.hidden:\n        return ""\n']
)
def test_what_others_do_before_their_work_is_done_here(more: str) -> None:
    work = "    text = name.text"
    assert EARLY.replace(work, more + work) in made(EARLY, 11)


FIELDS = """
def parts(fields):
    for field in fields:
        if isinstance(field, Node):
            yield field
        elif isinstance(field, list):
            for item in field:
                yield item


def all_of(node, found):
    more = []
    for one in node:
        more.extend(one)
    return more
"""


def test_a_step_is_taken_only_where_a_question_holds_that_others_ask() -> None:
    bad = "                yield item\n"
    good = "                if isinstance(item, Node):\n                    yield item\n"
    assert FIELDS.replace(bad, good) in made(FIELDS, 8)
    many = "".join(f"def g{at}(a):\n    if a.kind == {at} or a.size == {at}:\n        return a\n" for at in range(20))
    assert (many + FIELDS).replace(bad, good) in made(many + FIELDS, 8 + many.count("\n"))
    alone = "def f(a):\n    if a:\n        a.next()\n"
    assert not [edit for edit in made(alone, 3).values() if edit.kind == "only if"]  # a term more of its question


def test_what_is_gathered_begins_with_what_it_is_gathered_from() -> None:
    last = "        more.extend(one)\n"
    assert FIELDS.replace(last, last + "    more.insert(0, node)\n") in made(FIELDS, 15)


PAIRS = """
class A:
    def one(self, low, high):
        if low < high:
            return low.size
        return high

    def two(self, low, high):
        if low < high:
            return high
        return low.size + high.size
"""


def joined(text: str) -> dict[str, together.Joined]:
    source = Source("m.py", text)
    placed = [
        together.Placed(edit, source, statement)
        for statement in source.statements
        for edit in sorted(candidates.of(source, statement), key=lambda one: one.cost)
    ]
    return {one.edit.applied(text): one for one in together.joined(placed)}


def test_the_same_edit_is_made_at_all_places_that_go_together() -> None:
    found = joined(PAIRS)
    both = found[PAIRS.replace("if low < high", "if low <= high")]
    assert [one.line for one in both.parts] == [4, 9]
    text = "def f(a, b):\n    c = a.x\n    d = a.y\n    return c + d + b\n"
    twice = joined(text)[text.replace("a.x", "b.x").replace("a.y", "b.y")]
    assert twice.edit.cost > max(one.cost for one in twice.parts)


def test_several_functions_take_one_edit_in_the_living_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "living_pairs.py"
    path.write_text(PAIRS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(Path(prodwise_modules.__file__).parent))
    monkeypatch.setenv("PRODWISE_WATCH", "")  # which the modules beside it set
    module = __import__("living_pairs")
    assert isinstance(module, ModuleType)
    new = PAIRS.replace("if low < high", "if low >= high")
    functions = {str(path): [module.A.one, module.A.two]}
    start, end = PAIRS.index("if low"), PAIRS.rindex("if low") + 10
    assert prodwise_modules.become(str(path), PAIRS, new, start, end, functions)  # type: ignore[no-untyped-call]
    assert module.A().one(1, 2) == 2
    assert module.A().two(2, 1) == 1
    other = new.replace("class A:", "class A:\n    size = 1")
    assert not prodwise_modules.become(str(path), PAIRS, other, start, end, functions)  # type: ignore[no-untyped-call]


def test_instead_of_an_error_stands_what_is_answered_elsewhere_where_errors_are_not_asked_for() -> None:
    text = """class Key:
    def read(self, head):
        if not head:
            if self.strict:
                raise Refused("none")
            else:
                return None
        if head.kind != "key":
            raise Refused("other")
        return head
"""
    wanted = text.replace(
        '            raise Refused("other")',
        '            if not self.strict:\n                return None\n            raise Refused("other")',
    )
    assert wanted in made(text, 9)
    assert wanted not in made(text.replace('raise Refused("none")', "head = None"), 9)
