"""An expression that is too short or too long by one part: a slice, a term, a list before it; another place to write to."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from prodwise.repair.edits import Edit
from prodwise.repair.search.site import Site

LOCALS_MOST = 10


def edits(site: Site, node: ast.expr) -> Iterator[Edit]:
    names = [name for name in site.scope.locals if name not in ("self", "cls", "_")][:LOCALS_MOST]
    parent = site.source.parents.get(node)
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names:
        yield from _sliced_or_shifted(site, node, parent, names)
    if isinstance(node, ast.List | ast.ListComp) and isinstance(parent, ast.Return | ast.Assign):
        for name in names:
            yield site.swap(node, f"{name} + {site.source.of(node)}", "part", f"`{name}` is left out", 2.5)
    if (
        isinstance(node, ast.Call)
        and isinstance(parent, ast.expr)
        and not (isinstance(parent, ast.Call) and parent.func is node)
    ):
        for name in names:
            yield site.swap(node, name, "part", f"`{name}` is meant here", 2.4)
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        yield from _limits(site, node)
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
        yield from _elsewhere(site, node)


def _sliced_or_shifted(site: Site, node: ast.Name, parent: ast.AST | None, names: list[str]) -> Iterator[Edit]:
    if isinstance(parent, ast.For | ast.comprehension | ast.Call | ast.Return):
        for other in names:
            if other != node.id:
                for text in (f"{node.id}[{other}:]", f"{node.id}[:{other}]"):
                    yield site.swap(node, text, "part", f"only `{text}` is meant", 2.5)
        for text in (f"{node.id}[1:]", f"{node.id}[:-1]"):
            yield site.swap(node, text, "part", f"only `{text}` is meant", 2.5)
    if isinstance(parent, ast.BinOp | ast.Compare) and not isinstance(getattr(parent, "op", None), ast.Pow | ast.Mod):
        yield site.swap(node, f"{node.id} ** 2", "part", f"the square of `{node.id}` is meant", 2.4)
    if isinstance(parent, ast.Call | ast.Compare | ast.Return | ast.Slice):
        for other in names:
            if other != node.id:
                for sign in ("-", "+"):
                    yield site.swap(node, f"{node.id} {sign} {other}", "part", f"`{other}` is left out", 2.4)


def _limits(site: Site, node: ast.Compare) -> Iterator[Edit]:
    """`n == 0` where all up to one are meant."""
    right, left = node.comparators[0], site.source.of(node.left)
    if isinstance(node.ops[0], ast.Eq) and isinstance(right, ast.Constant) and type(right.value) is int:
        yield site.swap(node, f"{left} <= {right.value + 1}", "limit", f"the limit of `{left}` is too narrow", 2.3)


def _elsewhere(site: Site, node: ast.Subscript) -> Iterator[Edit]:
    function = site.source.function(site.statement)
    mine = ast.unparse(node)
    for other in dict.fromkeys(
        ast.unparse(one) for one in ast.walk(function or site.statement) if isinstance(one, ast.Subscript)
    ):
        if other != mine and len(other) < 60:
            yield site.swap(node, other, "part", f"`{other}` is to be set, not `{mine}`", 2.2)
