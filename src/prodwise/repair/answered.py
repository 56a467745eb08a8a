"""A question that is asked otherwise, where it does as well to answer it once for all: the tests do not tell what is to be asked, and
what they let pass by accident is more often a way around a step than the right question."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from prodwise.repair.edits import Edit
from prodwise.repair.forced import KIND
from prodwise.repair.pool import Candidate
from prodwise.repair.source import Source

QUESTIONS_MOST = 6
LESS = 0.4
"""What such an answer is less likely meant than the question; it is never proposed."""


def rivals(passed: Sequence[Candidate], source_of: Callable[[str], Source | None]) -> list[Candidate]:
    """With `True` and `False` in place of each question of an `if` that one of these changes."""
    found: dict[tuple[str, int, str], Candidate] = {}
    for one in passed:
        source = source_of(one.edit.path)
        for test in _asked(source, one.edit) if source is not None and not one.parts else ():
            if len(found) >= 2 * QUESTIONS_MOST:
                return list(found.values())
            start, end = source.span(test) if source is not None else (0, 0)
            for answer in ("True", "False"):
                edit = Edit(
                    one.edit.path, start, end, answer, KIND, f"it is always {answer}", one.edit.cost, test.lineno
                )
                made = replace(one, edit=edit, score=one.score + LESS, moved=None, whole=None)
                found.setdefault((edit.path, start, answer), made)
    return list(found.values())


def _asked(source: Source, edit: Edit) -> Iterator[ast.expr]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.If | ast.IfExp):
            start, end = source.span(node.test)
            if start <= edit.start and edit.end <= end and edit.start < edit.end:
                yield node.test
