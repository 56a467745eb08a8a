"""A value of a module or a class is as suspect as what reads it."""

from __future__ import annotations

import ast

import pytest

from prodwise.repair.pool import STATEMENTS_MOST, likely
from prodwise.repair.readers import Readers
from prodwise.repair.source import Source

CLASSES = """import re

DASH = "-"
LINE = re.compile(DASH)


class Head:
    RE = re.compile("#")

    def test(self, text):
        return self.RE.match(text)


class Rule:
    RE = re.compile("-")
    size = 3

    def test(self, text):
        return self.RE.match(text) or LINE.match(text)


class Wide(Rule):
    def test(self, text):
        return self.RE.match(text)


def every(text, some):
    return some.size
"""


@pytest.mark.parametrize(
    ("begins", "lines"), [("DASH", {4, 19}), ("LINE", {19}), ('RE = re.compile("#")', {11, 24}), ("size", {28}),
                          ('RE = re.compile("-")', {19, 24})]
)  # fmt: skip
def test_a_class_reads_its_own_value(begins: str, lines: set[int]) -> None:
    """A class that stands on another one in this file may read the value of either: that is left open."""
    source = Source("m.py", CLASSES)
    (value,) = [one for one in source.statements if isinstance(one, ast.Assign) and source.of(one).startswith(begins)]
    assert Readers({"m.py": source}).of(source, value) == {("m.py", line) for line in lines}


def test_a_value_comes_last_only_where_much_else_is_more_suspect() -> None:
    many = "def f(a):\n" + "    a += 1\n" * (STATEMENTS_MOST + 50)
    source = Source("m.py", f"RE = 'a'\nOLD = 'b'\n{many}")
    first, last, *steps = (one for one in source.statements if not isinstance(one, ast.FunctionDef))
    ranked = [(0.5, source, one) for one in steps[:20]] + [(0.3, source, first)]
    ranked += [(0.2, source, one) for one in steps[20:]] + [(0.2, source, last)]
    found = [statement for _, _, statement in likely(ranked)]
    assert found.index(first) == 20
    assert last not in found
