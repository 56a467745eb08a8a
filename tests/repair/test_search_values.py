"""A value of a module or a class, or a default, is exchanged in the living program, with what the module made of it."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType

import pytest

from prodwise.repair import probe
from prodwise.repair.edits import Edit
from prodwise.repair.localise import Spectrum
from prodwise.repair.pool import Candidate
from prodwise.repair.verdict import witnesses

TEXT = """import re

PART = r'[a-z]+'
WHOLE: object = re.compile(PART + '$')
LIMIT = 3


class C:
    size = 2

    def cut(self, x):
        return x[: self.size]


def join(x, by=' ', *, end='.'):
    return by.join(x) + end


def whole(x):
    return bool(WHOLE.match(x)) and len(x) <= LIMIT


def fits(x, match=WHOLE.match, *, most=LIMIT):
    return bool(match(x)) and len(x) <= most
"""


def loaded(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def program(tmp_path: Path) -> Iterator[ModuleType]:
    path = tmp_path / "living_program.py"
    path.write_text(TEXT)
    yield loaded("living_program", path)
    del sys.modules["living_program"]


@pytest.fixture(scope="module")
def modules() -> Iterator[ModuleType]:
    yield loaded("prodwise_modules", Path(probe.__file__).parent / "inside" / "prodwise_modules.py")
    del sys.modules["prodwise_modules"]


def become(modules: ModuleType, program: ModuleType, bad: str, good: str) -> bool:
    path = str(program.__file__)
    living = [one for one in vars(program).values() if isinstance(one, FunctionType)]
    start = TEXT.index(bad)
    done = modules.become(path, TEXT, TEXT.replace(bad, good), start, start + len(bad), {path: living})
    return bool(done)


@pytest.mark.parametrize(
    ("bad", "good", "asked", "before", "after"),
    [
        ("[a-z]", "[a-z-]", "whole('a-b')", False, True),
        ("LIMIT = 3", "LIMIT = 5", "whole('abcd')", False, True),
        ("[a-z]", "[a-z-]", "fits('a-b')", False, True),
        ("LIMIT = 3", "LIMIT = 5", "fits('abcd')", False, True),
        ("size = 2", "size = 3", "C().cut('abc')", "ab", "abc"),
        ("by=' '", "by=''", "join('ab')", "a b.", "ab."),
        ("end='.'", "end=''", "join('ab')", "a b.", "a b"),
    ],
)
def test_a_value_is_set_anew(
    modules: ModuleType, program: ModuleType, bad: str, good: str, asked: str, before: object, after: object
) -> None:
    assert eval(asked, vars(program)) == before
    assert become(modules, program, bad, good)
    assert eval(asked, vars(program)) == after


def test_what_another_module_took_over_is_exchanged_as_well(
    modules: ModuleType, program: ModuleType, tmp_path: Path
) -> None:
    (tmp_path / "other_program.py").write_text("from living_program import PART\n")
    other = loaded("other_program", tmp_path / "other_program.py")
    try:
        assert become(modules, program, "[a-z]", "[0-9]")
        assert other.PART == "[0-9]+"
    finally:
        del sys.modules["other_program"]


@pytest.mark.parametrize(
    ("bad", "good"),
    [("import re", "import re, os"), ("by=' '", "by=' ', more=1"), ("x[: self.size]", "x[self.size :]")],
)
def test_what_is_no_value_is_left_to_a_fresh_process(
    modules: ModuleType, program: ModuleType, bad: str, good: str
) -> None:
    assert not become(modules, program, bad, good)


def test_a_test_that_runs_a_reader_sees_an_edit_of_the_value() -> None:
    edit = Edit("m.py", 0, 1, "2", "literal", "", 1.0, 1)
    spectrum = Spectrum(({"m.py": frozenset((5,))},), ({"m.py": frozenset((5, 7))}, {"m.py": frozenset((9,))}))
    assert witnesses(Candidate(edit, None, 1.0), spectrum) == 0
    assert witnesses(Candidate(edit, None, 1.0, frozenset((("m.py", 5),))), spectrum) == 2
