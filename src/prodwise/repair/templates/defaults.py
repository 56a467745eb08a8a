"""A default value that all calls share."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from prodwise.repair.edits import Edit
from prodwise.repair.source import Function, Source


def edits(source: Source, function: Function) -> Iterator[Edit]:
    """`def f(x=[])`: None instead, and the fresh value as the body's first statement."""
    arguments = [*function.args.posonlyargs, *function.args.args]
    pairs = list(zip(reversed(arguments), reversed(function.args.defaults), strict=False))
    pairs += [
        (one, value) for one, value in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True) if value
    ]
    for argument, value in pairs:
        if not isinstance(value, ast.List | ast.Dict | ast.Set) and not _fresh(value):
            continue
        first = next((one for one in function.body if not _docstring(one)), None)
        if first is None or first.lineno == function.lineno:
            continue
        indent, name = source.indent(first), argument.arg
        start, end = source.span(value)
        at = source.line_start(first.lineno)
        guard = f"{indent}if {name} is None:\n{indent}    {name} = {source.of(value)}\n"
        new = "None" + source.text[end:at] + guard
        yield Edit(source.path, start, at, new, "default", f"all calls share one `{name}`", 0.8, function.lineno)


def _fresh(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in ("list", "dict", "set")


def _docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
