"""What is done in two ways is changed in both; what stands out among its like is not believed."""

from __future__ import annotations

import ast
import sys
from itertools import islice
from pathlib import Path

import pytest

from prodwise.model.patch import Fault
from prodwise.repair import rank
from prodwise.repair.branches import both, preferred
from prodwise.repair.edits import Edit
from prodwise.repair.pool import Candidate
from prodwise.repair.search import receivers
from prodwise.repair.search.site import Site
from prodwise.repair.search_repairer import SearchRepairer
from prodwise.repair.source import Source, scope
from prodwise.repair.verdict import MOST
from tests.repair.small_programs import made
from tests.repair.workshops import workshop

WAYS = """def save(item, quick, pool):
    if quick:
        kept = store(item, "notes", 3)
    else:
        kept = pool.run(store, item, "notes", 3)
    return kept
"""


def candidate(text: str, old: str, new: str, at: int = 0) -> Candidate:
    start = text.index(old, at)
    line = text.count("\n", 0, start) + 1
    return Candidate(Edit("m.py", start, start + len(old), new, "call missing", "why", 1.0, line), None, 1.0)


def changed(text: str, one: Candidate) -> list[str]:
    return [two.edit.applied(text) for two in both([one], lambda path: Source(path, text))]


@pytest.mark.parametrize("at", [WAYS.index("store"), WAYS.index("pool.run")])
def test_what_two_branches_do_alike_is_changed_in_both(at: int) -> None:
    one = candidate(WAYS, "item", "clean(item)", at)
    assert changed(WAYS, one) == [
        WAYS.replace("item,", "clean(item),").replace("def save(clean(item)", "def save(item")
    ]


@pytest.mark.parametrize(
    "text",
    [
        WAYS.replace("pool.run(store, item", "pool.run(other, item").replace(
            'item, "notes", 3)\n    r', "item)\n    r"
        ),
        WAYS.replace("else:", "if pool:"),
        WAYS.replace("    else:\n", "    else:\n        pool.run(store, item, 'notes', 3)\n"),
        WAYS.replace("pool.run(store, item", "pool.run(store, pool"),
    ],
)
def test_what_they_do_otherwise_or_again_and_again_is_not(text: str) -> None:
    assert changed(text, candidate(text, "item", "clean(item)", text.index("store"))) == []


def test_a_pair_that_passes_stands_for_the_one_that_it_was_made_of() -> None:
    one, other = candidate(WAYS, "item", "clean(item)", WAYS.index("store")), candidate(WAYS, "kept", "item", 40)
    (pair,) = both([one, other], lambda path: Source(path, WAYS))
    assert preferred([one, other], [pair]) == [other, pair]
    assert preferred([one, other], []) == [one, other]


@pytest.mark.parametrize(
    ("error", "message", "kind", "found"),
    [
        ("IndexError", "string index out of range", "attribute", True),
        ("app.KeyError", "'a'", "variable", True),
        ("TypeError", "'NoneType' object is not iterable", "variable", True),
        ("TypeError", "unhashable type: 'list'", "variable", False),
        ("IndexError", "string index out of range", "index", False),
    ],
)
def test_another_name_ends_an_error_of_an_empty_one_by_accident(
    error: str, message: str, kind: str, found: bool
) -> None:
    edit = Edit("m.py", 0, 1, "b", kind, "why", 1.0, 1)
    assert rank.another_than_empty(edit, error, message) is found


def test_a_name_is_hardly_another_one_at_one_place_of_many() -> None:
    text = "def f(flat, item):\n    return flat.a + flat.b + flat.c + flat.d\n\n\ndef g(x, y, z):\n    return x.a + x.b + y.c\n"
    source = Source("m.py", text)
    many, few = (one for one in source.statements if isinstance(one, ast.Return))
    assert rank.odd_one_out(candidate(text, "flat", "item", text.index("flat.b")).edit, source, many)
    assert not rank.odd_one_out(candidate(text, "y", "x", text.index("y.c")).edit, source, few)
    assert not rank.odd_one_out(candidate(text, "x", "y", text.index("x.b")).edit, source, few)
    assert not rank.odd_one_out(candidate(text, "flat.b", "flat.e").edit, source, many)


@pytest.mark.parametrize(
    ("bad", "old", "new", "out"),
    [
        ("text = join(c.words)", "c", "root", True),
        ("text = join(c.words)", "c.words", "c.lines", False),
        ("text = join(c.words)", "c.words", "known", False),
        ("text = join(root.words)", "root", "self", False),
        ("total += c.price", "c.price", "root.price", True),
        ("show(c.price)", "c.price", "root.price", False),
    ],
)
def test_what_a_loop_works_out_anew_depends_on_its_turn(bad: str, old: str, new: str, out: bool) -> None:
    text = f"def f(self, root, total):\n    for p, c in root:\n        {bad}\n        known = c.known\n"
    source = Source("m.py", text)
    edit = candidate(text, old, new, text.index(bad) + bad.index(old)).edit
    assert rank.out_of_its_loop(edit, source, source.statements[2]) == out


MODULE = """import os


class Files:
{own}    def save(self, folder, disk):
        self.fs.mkdir(folder)


def begin(folder, disk):
    os.mkdir(folder)
    disk.mkdir(folder)
"""
OWN = """    def mkdir(self, folder):
        return os.makedirs(folder)

"""


@pytest.mark.parametrize(("own", "wanted"), [("", {"os", "disk"}), (OWN, {"disk"})])
def test_no_module_is_asked_for_what_the_file_does_itself(own: str, wanted: set[str]) -> None:
    source = Source("m.py", MODULE.format(own=own))
    call = next(one for one in ast.walk(source.tree) if isinstance(one, ast.Attribute) and one.attr == "fs")
    statement = next(one for one in source.up(call) if isinstance(one, ast.stmt))
    found = receivers.edits(Site(source, statement, scope(source, statement)), call)
    assert {one.new for one in found if not one.new.startswith("self.")} == wanted


def test_the_object_itself_is_asked_where_it_has_the_answer() -> None:
    text = (
        "class A:\n    def make(self, d):\n        pass\n\n    def move(self, d):\n        self.fs.make(d)\n\n"
        "    def copy(self, d):\n        self.make(d)\n"
    )
    good = text.replace("self.fs.make", "self.make")
    assert made(text, 6)[good].kind == "receiver"
    assert text.replace("self.fs.make", "self.mode") not in made(text.replace("make(self", "mode(self"), 6)


@pytest.mark.parametrize(("answer", "many"), [("kept", 0), ("len(kept)", 1)])
def test_what_is_gathered_for_the_answer_is_put_nowhere_else(answer: str, many: int) -> None:
    text = f"def f(items, seen):\n    kept = set()\n    seen.add(0)\n    kept.add(items)\n    return {answer}\n"
    source = Source("m.py", text)
    name = next(
        one for one in ast.walk(source.tree) if isinstance(one, ast.Name) and one.id == "kept" and one.lineno == 4
    )
    statement = next(one for one in source.up(name) if isinstance(one, ast.stmt))
    assert len(list(receivers.edits(Site(source, statement, scope(source, statement)), name))) == many


TEST = """from m import save


def test_what_is_kept():
    assert save({"a": None}, True, None) == {"a": ""}
    assert save({"a": "b"}, True, None) == {"a": "b"}


def test_another():
    assert save({"a": "c"}, True, None) == {"a": "c"}
"""
PROGRAM = (
    """def clean(item):
    return {key: value or "" for key, value in item.items()}


def begin(item):
    return clean(item)


def store(item, name, number):
    return item


"""
    + WAYS
)


def test_a_fix_of_which_the_tests_see_one_branch_is_made_in_both(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(PROGRAM)
    (tmp_path / "test_m.py").write_text(TEST)
    command = (sys.executable, "-m", "pytest", "-q", "test_m.py")
    with workshop(tmp_path, command) as shop:
        found = list(islice(SearchRepairer().propose(Fault(command), shop, shop.base, 40.0), MOST))
    assert any("+        kept = pool.run(store, clean(item)" in one.diff and "+        kept = store(clean(item)" in one.diff
               for one in found), [one.diff for one in found]  # fmt: skip
