"""A question that is asked otherwise, where it does as well to answer it once for all, and a step that is done otherwise, where it
does as well to leave it out: the tests do not tell what is meant, and what passes by accident is more often a way around a step."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from prodwise.repair.edits import Edit
from prodwise.repair.forced import KIND
from prodwise.repair.pool import Candidate
from prodwise.repair.search.operators import without
from prodwise.repair.search.site import Site
from prodwise.repair.source import Source, scope

MOST = 12
LESS = 0.4
"""What such an answer is less likely meant than the question; it is never proposed."""


def rivals(passed: Sequence[Candidate], source_of: Callable[[str], Source | None]) -> list[Candidate]:
    """With `True` and `False` in place of each question of an `if` that one of these changes; where it changes one of several
    conditions, without that one; and without the step that it changes."""
    found: dict[Edit, Candidate] = {}
    for one in passed:
        source = source_of(one.edit.path)
        for edit, score in _otherwise(source, one) if source is not None and not one.parts else ():
            if len(found) < MOST:
                found.setdefault(edit, replace(one, edit=edit, score=score, moved=None, whole=None))
    tried = {_text(one.edit) for one in passed}
    return [one for one in found.values() if _text(one.edit) not in tried]


def _text(edit: Edit) -> tuple[str, int, int, str]:
    return edit.path, edit.start, edit.end, edit.new


def _otherwise(source: Source, one: Candidate) -> Iterator[tuple[Edit, float]]:
    path, cost = one.edit.path, one.edit.cost
    for test in _asked(source, one.edit):
        for answer in ("True", "False"):
            edit = Edit(path, *source.span(test), answer, KIND, f"it is always {answer}", cost, test.lineno)
            yield edit, one.score + LESS
    for step in _steps(source, one.edit):
        yield Edit(path, *source.span(step), "pass", KIND, "it is left out", cost, step.lineno), one.score + LESS
    for node, value in _conditions(source, one.edit):
        statement = next(one for one in source.up(node) if isinstance(one, ast.stmt))
        edit = without(Site(source, statement, scope(source, statement)), node, value)
        yield edit, one.score - cost + edit.cost


def _steps(source: Source, edit: Edit) -> Iterator[ast.stmt]:
    """The statement of a function that an edit changes, if it goes on after it."""
    for node in source.statements:
        if isinstance(node, ast.Assign | ast.AugAssign | ast.Expr) and source.function(node) is not None:
            start, end = source.span(node)
            if start <= edit.start and edit.end <= end and edit.start < edit.end:
                yield node


def _conditions(source: Source, edit: Edit) -> Iterator[tuple[ast.BoolOp, ast.expr]]:
    """Conditions that stand together, and the one of them of which an edit changes a part."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.BoolOp):
            for value in node.values:
                start, end = source.span(value)
                if start <= edit.start and edit.end <= end and edit.start < edit.end:
                    yield node, value


def _asked(source: Source, edit: Edit) -> Iterator[ast.expr]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.If | ast.IfExp):
            start, end = source.span(node.test)
            if start <= edit.start and edit.end <= end and edit.start < edit.end:
                yield node.test
