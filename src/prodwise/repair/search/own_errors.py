"""An error that a `try` raises itself, and that its own broad handler keeps in."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from prodwise.repair.edits import Edit
from prodwise.repair.search.site import Site

_BROAD = frozenset(("Exception", "BaseException"))


def edits(site: Site) -> Iterator[Edit]:
    """`except Refused: raise` before `except Exception:`, where the body of the `try` raises `Refused`."""
    source, statement = site.source, site.statement
    if not isinstance(statement, ast.Try):
        return
    handled = {ast.unparse(one) for each in statement.handlers if each.type is not None for one in ast.walk(each.type)
               if isinstance(one, ast.Name | ast.Attribute)}  # fmt: skip
    broad = next((one for one in statement.handlers if one.type is None or ast.unparse(one.type) in _BROAD), None)
    names = dict.fromkeys(name for one in statement.body for name in _raised(one) if name not in handled | _BROAD)
    if broad is None:
        return
    at, indent = source.line_start(broad.lineno), " " * broad.col_offset
    for name in names:
        text = f"{indent}except {name}:\n{indent}    raise\n"
        why = f"`{name}` is raised here, and kept in by a handler of its own `try`"
        yield Edit(source.path, at, at, text, "handler", why, 1.7, statement.lineno)


def _raised(statement: ast.stmt) -> Iterator[str]:
    for node in ast.walk(statement):
        if isinstance(node, ast.Raise) and node.exc is not None:
            kind = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            name = ast.unparse(kind)
            if isinstance(kind, ast.Name | ast.Attribute) and name.rpartition(".")[2].lstrip("_")[:1].isupper():
                yield name
