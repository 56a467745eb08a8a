"""An exception that nobody handles: an `except` that names another one, an answer that what follows gives as well."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from prodwise.repair.edits import Edit
from prodwise.repair.source import Function, Source

_BROAD = frozenset(
    ("Exception", "BaseException", "AssertionError", "KeyboardInterrupt", "SystemExit", "NameError", "Failed")
)
_OF_VALUES = (ValueError, LookupError, ArithmeticError)


def edits(source: Source, statement: ast.stmt, error: str) -> Iterator[Edit]:
    """Never a broad one is handled."""
    name = error.rpartition(".")[2]
    kind = getattr(builtins, name, None)
    if name in _BROAD or not isinstance(kind, type):
        return
    yield from _beside(source, statement, name)
    if issubclass(kind, _OF_VALUES) and isinstance(statement, ast.Return) and _followed(source, statement):
        why = f"where {name} is raised, what follows is the answer"
        yield from around(source, statement, name, "pass", why, 1.9)


def _followed(source: Source, statement: ast.Return) -> bool:
    """Whether it stands in a question alone, and the function hands something back after that."""
    parents = list(source.up(statement))
    depth = next((at for at, one in enumerate(parents) if isinstance(one, Function)), 0)
    function = parents[depth] if depth else None
    if not isinstance(function, Function) or not all(isinstance(one, ast.If) for one in parents[:depth]):
        return False
    return isinstance(function.body[-1], ast.Return) and function.body[-1].value is not None


def around(source: Source, statement: ast.stmt, taken: str, then: str, why: str, cost: float) -> Iterator[Edit]:
    """The statement in a `try` of its own, where it has one line to itself. taken: what `except` names; then: what is done."""
    start, end = source.span(statement)
    margin, text = source.indent(statement), source.text[start:end]
    if "\n" in text or source.lines[statement.lineno - 1][: statement.col_offset].strip():
        return
    new = f"try:\n{margin}    {text}\n{margin}except {taken}:\n{margin}    {then}"
    yield Edit(source.path, start, end, new, "handler", why, cost, statement.lineno)


def _beside(source: Source, statement: ast.stmt, name: str) -> Iterator[Edit]:
    """The raised exception beside those that a surrounding handler already takes."""
    below: ast.AST = statement
    for parent in source.up(statement):
        if isinstance(parent, ast.Try) and below in parent.body:
            for handler in parent.handlers:
                kind = handler.type
                if kind is None or name in ast.unparse(kind):
                    continue
                start, end = source.span(kind)
                old = source.of(kind)
                both = f"{old[:-1].rstrip(', ')}, {name})" if isinstance(kind, ast.Tuple) else f"({old}, {name})"
                why = f"{name} is raised here, and not handled as {old} is"
                yield Edit(source.path, start, end, both, "handler", why, 1.2, handler.lineno)
        below = parent
