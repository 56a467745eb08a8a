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
    """Of a plain `if`: in a loop, lines do not tell which way it was left last."""
    if not isinstance(statement, ast.If) or not _turns(edit, source) or _looped(source, statement):
        return False
    ways = {_way(test.get(source.path, frozenset()), statement) for test in spectrum.failing} - {None}
    return any(_way(test.get(source.path, frozenset()), statement) in ways for test in spectrum.passing)


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
