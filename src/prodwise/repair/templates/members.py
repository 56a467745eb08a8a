"""A collection that is asked whether it holds a text, and lacks the one of the failing call."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from prodwise.repair.edits import Edit
from prodwise.repair.search.site import Site
from prodwise.repair.source import Source, scope
from prodwise.repair.templates.expected import differences
from prodwise.repair.values import Calls, Value

MOST = 6
TEXT_MOST = 24
_METHODS = ("lower", "upper", "strip")


def edits(source: Source, statement: ast.stmt, said: str, calls: Calls) -> Iterator[Edit]:
    function = source.function(statement)
    if function is None:
        return
    site = Site(source, statement, scope(source, statement))
    last = calls.last(source.path, function)
    for node in source.head(statement):
        held = _asked(node)
        if held is None:
            continue
        asked, texts = held
        mine = {one.value for one in texts if isinstance(one, ast.Constant)}
        values = [text for one in last if (text := _of(asked, one.values))]
        pieces = [new for old, new in differences(said) if not old]
        found = {text: 2.3 for text in pieces if len(text) < 4} | dict.fromkeys(values, 1.7)
        passing = {_of(asked, one.values) for one in calls.good(source.path, function)}
        end = source.span(texts[-1])[1]
        for text in [one for one in found if one and one not in mine | passing and len(one) <= TEXT_MOST][:MOST]:
            why = f"`{text}` is left out"
            yield Edit(
                site.source.path,
                end,
                end,
                f", {_like(source.of(texts[0]), text)}",
                "part",
                why,
                found[text],
                node.lineno,
            )


def _asked(node: ast.expr) -> tuple[ast.expr, list[ast.expr]] | None:
    """What is looked for, and the texts in which: two at least, for one says nothing of its like."""
    if not isinstance(node, ast.Compare) or len(node.ops) != 1 or not isinstance(node.ops[0], ast.In | ast.NotIn):
        return None
    where = node.comparators[0]
    if not isinstance(where, ast.Tuple | ast.List | ast.Set) or len(where.elts) < 2:
        return None
    texts = all(isinstance(one, ast.Constant) and isinstance(one.value, str) for one in where.elts)
    return (node.left, where.elts) if texts else None


def _of(node: ast.expr, values: Mapping[str, Value]) -> str:
    """The text that an expression had when the function was called; "" where that is not known."""
    match node:
        case ast.Name(id=name) | ast.Attribute(value=ast.Name(id="self"), attr=name):
            key = name if isinstance(node, ast.Name) else f"self.{name}"
            kind, value = values.get(key, ("", None))
            return str(value) if kind == "str" and len(str(value)) <= TEXT_MOST else ""
        case ast.Subscript(value=inner, slice=ast.Constant(value=0)):
            return _of(inner, values)[:1]
        case ast.Subscript(value=inner, slice=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1))):
            return _of(inner, values)[-1:]
        case ast.Call(func=ast.Attribute(value=inner, attr=method), args=[], keywords=[]) if method in _METHODS:
            return str(getattr(_of(inner, values), method)())
    return ""


def _like(other: str, text: str) -> str:
    """In the quotes that the others have, where that can be."""
    quoted = repr(text)
    if other[:1] == '"' and quoted[:1] == "'" and '"' not in text:
        return f'"{quoted[1:-1]}"'
    return quoted
