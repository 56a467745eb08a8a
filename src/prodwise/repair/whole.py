"""The expression of a statement that an edit changes a part of, as a run can ask for its value."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from prodwise.repair.edits import Edit
from prodwise.repair.source import Source


@dataclass(frozen=True, slots=True)
class Whole:
    """first, last: lines of the statement's head; start, end: the expression in the text; kind: "value", "truth" where only that
    counts, "effect" where nothing is made of it."""

    first: int
    last: int
    start: int
    end: int
    kind: str


def around(source: Source, statement: ast.stmt, edit: Edit) -> Whole | None:
    """None where the edit reaches beyond."""
    found = _asked(statement)
    if found is None:
        return None
    node, kind = found
    start, end = source.span(node)
    if not (start <= edit.start and edit.end <= end):
        return None
    return Whole(statement.lineno, source.last_head_line(statement), start, end, kind)


def _asked(statement: ast.stmt) -> tuple[ast.expr, str] | None:
    match statement:
        case ast.If(test=node) | ast.While(test=node) | ast.Assert(test=node):
            return node, "truth"
        case ast.For(iter=node):
            return node, "value"
        case ast.Expr(value=node):
            return node, "effect"
        case ast.Return(value=ast.expr() as node) | ast.AnnAssign(value=ast.expr() as node):
            return node, "value"
        case ast.Assign(value=node) | ast.AugAssign(value=node):
            return node, "value"
    return None
