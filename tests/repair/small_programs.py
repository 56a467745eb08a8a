"""One statement of a small program, and the programs that the search's edits of it make."""

from __future__ import annotations

import ast

from prodwise.repair.edits import Edit
from prodwise.repair.search import candidates
from prodwise.repair.source import Function, Source


def statement_at(source: Source, line: int) -> ast.stmt:
    return next(one for one in source.statements if one.lineno == line and not isinstance(one, Function))


def made(text: str, line: int) -> dict[str, Edit]:
    source = Source("m.py", text)
    return {edit.applied(text): edit for edit in reversed(candidates.of(source, statement_at(source, line)))}
