"""An `except` that names another exception than the one that comes."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from prodwise.repair.edits import Edit
from prodwise.repair.source import Source

_BROAD = frozenset(
    ("Exception", "BaseException", "AssertionError", "KeyboardInterrupt", "SystemExit", "NameError", "Failed")
)


def edits(source: Source, statement: ast.stmt, error: str) -> Iterator[Edit]:
    """The raised exception beside those that a surrounding handler already takes; never a broad one."""
    name = error.rpartition(".")[2]
    if name in _BROAD or not isinstance(getattr(builtins, name, None), type):
        return
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
