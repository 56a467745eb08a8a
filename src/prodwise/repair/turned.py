"""A question that is turned around, where tests that pass ask it as well, are answered alike, and do not notice: they do not tell
how it is meant, and one failing test is no witness of all that now go the other way."""

from __future__ import annotations

import ast

from prodwise.repair.edits import Edit
from prodwise.repair.localise import Spectrum
from prodwise.repair.source import Function, Source

_TURNS = frozenset({("==", "!="), ("!=", "=="), ("in", "not in"), ("not in", "in"), ("is", "is not"), ("is not", "is")})
_LOOPS = ast.For | ast.AsyncFor | ast.While


def unnoticed(edit: Edit, source: Source, statement: ast.stmt, spectrum: Spectrum) -> bool:
    """Of a plain `if`: in a loop, lines do not tell which way it was left last. Elsewhere of one question among several: whether it
    was asked at all, lines do not tell."""
    if not _turns(edit, source):
        return False
    if not isinstance(statement, ast.If):
        ran = any(statement.lineno in test.get(source.path, ()) for test in spectrum.passing)
        return ran and _one_of_several(edit, source, statement)
    if _looped(source, statement):
        return False
    ways = {_way(test.get(source.path, frozenset()), statement) for test in spectrum.failing} - {None}
    return any(_way(test.get(source.path, frozenset()), statement) in ways for test in spectrum.passing)


def _one_of_several(edit: Edit, source: Source, statement: ast.stmt) -> bool:
    spans = [
        source.span(one) for head in source.head(statement) for node in ast.walk(head) if isinstance(node, ast.BoolOp)
        for one in node.values
    ]  # fmt: skip
    return any(start <= edit.start and edit.end <= end for start, end in spans)


def _turns(edit: Edit, source: Source) -> bool:
    old, new = source.text[edit.start : edit.end].strip(), edit.new.strip()
    return edit.kind == "negation" or (old, new) in _TURNS or (edit.kind == "sign" and old.startswith("not "))


def _looped(source: Source, statement: ast.stmt) -> bool:
    for parent in source.up(statement):
        if isinstance(parent, Function):
            return False
        if isinstance(parent, _LOOPS):
            return True
    return False


def _way(lines: frozenset[int], statement: ast.If) -> bool | None:
    """Whether a test that ran these lines went into the body; None when it did not ask."""
    if statement.lineno not in lines:
        return None
    return statement.body[0].lineno in lines
