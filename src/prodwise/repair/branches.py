"""A change in one branch of a question, where the other branch says the same: tests that went one way alone tell nothing of the
other, and what is done in two ways is to be done alike."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from prodwise.repair.edits import Edit
from prodwise.repair.pool import Candidate
from prodwise.repair.source import Source

ALIKE_LEAST = 2
"""So many other things are said by two calls that do the same in different ways."""


def both(passed: Sequence[Candidate], source_of: Callable[[str], Source | None]) -> list[Candidate]:
    """Those that passed, made in the other branch as well where that has the place."""
    found = []
    for one in passed:
        source = source_of(one.edit.path)
        twin = _twin(source, one.edit) if source is not None and not one.parts else None
        if source is not None and twin is not None:
            found.append(replace(one, edit=_joined(source.text, one.edit, twin), parts=(one.edit, twin)))
    return found


def preferred(known: Sequence[Candidate], twins: Sequence[Candidate]) -> list[Candidate]:
    """twins: of `both`, those that pass; each stands for the one that it was made of."""
    done = {one.parts[0] for one in twins}
    return [*(one for one in known if one.edit not in done), *twins]


def _twin(source: Source, edit: Edit) -> Edit | None:
    span = edit.start, edit.end
    node = next((one for one in ast.walk(source.tree) if isinstance(one, ast.expr) and source.span(one) == span), None)
    if node is None:
        return None
    for branch in _others(source, node):
        inside = (one for statement in branch for one in ast.walk(statement) if isinstance(one, ast.expr))
        same = [one for one in inside if _alike(source, node, one)]
        if len(same) == 1:
            start, end = source.span(same[0])
            return replace(edit, start=start, end=end, line=source.line_of(start))
    return None


def _others(source: Source, node: ast.expr) -> Iterator[list[ast.stmt]]:
    """The other branches of the questions around, the innermost first."""
    below: ast.AST = node
    for parent in source.up(node):
        if isinstance(parent, ast.If) and below in parent.body:
            yield parent.orelse
        elif isinstance(parent, ast.If) and below in parent.orelse:
            yield parent.body
        below = parent


def _alike(source: Source, node: ast.expr, other: ast.expr) -> bool:
    """Whether the same stands there for the same: in calls that say much the same, or in the same expression."""
    if source.of(other) != source.of(node):
        return False
    one, two = source.parents.get(node), source.parents.get(other)
    if isinstance(one, ast.Call) and isinstance(two, ast.Call) and node is not one.func and other is not two.func:
        said, again = _said(one) - {source.of(node)}, _said(two) - {source.of(node)}
        return said == again or len(said & again) >= ALIKE_LEAST
    return isinstance(one, ast.expr) and isinstance(two, ast.expr) and ast.dump(one) == ast.dump(two)


def _said(call: ast.Call) -> set[str]:
    return {ast.unparse(one) for one in (call.func, *call.args, *call.keywords)}


def _joined(text: str, one: Edit, other: Edit) -> Edit:
    first, last = sorted((one, other), key=lambda edit: edit.start)
    new = first.new + text[first.end : last.start] + last.new
    return replace(first, end=last.end, new=new, why=f"{one.why}, in both branches")
