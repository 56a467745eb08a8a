"""What the code around does, and this statement does not: the same exception for None, the wider type, a value handed back."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from prodwise.repair.edits import Edit
from prodwise.repair.search.site import Site
from prodwise.repair.source import Source

MOST = 10
_IN_PLACE = frozenset(("append", "appendleft", "clear", "discard", "extend", "insert", "reverse", "sort"))
# Types that are asked for together.
_TOGETHER = (("list", "tuple"), ("str", "bytes"), ("int", "float"), ("set", "frozenset"), ("dict", "OrderedDict"),
             ("int", "slice"))  # fmt: skip


def edits(site: Site) -> Iterator[Edit]:
    statement = site.statement
    if isinstance(statement, ast.Assign | ast.Return | ast.AugAssign) and statement.value is not None:
        yield from _excepted(site, statement.value)
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call | ast.BinOp | ast.Await):
        yield from _handed_back(site, statement)


def parts(site: Site, node: ast.expr) -> Iterator[Edit]:
    if (
        isinstance(node, ast.Call)
        and getattr(node.func, "id", "") in ("isinstance", "issubclass")
        and len(node.args) == 2
    ):
        yield from _wider(site, node.args[1])
    if isinstance(node, ast.Tuple | ast.List | ast.Set) and isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        yield from _longer(site, node)


def _excepted(site: Site, value: ast.expr) -> Iterator[Edit]:
    """`a if n is not None else b` stands elsewhere in the function; here the value uses `n` and does not ask."""
    function = site.source.function(site.statement)
    if function is None or isinstance(value, ast.IfExp | ast.Constant):
        return
    used = {ast.unparse(one) for one in ast.walk(value) if isinstance(one, ast.Name | ast.Attribute)}
    made: dict[str, float] = {}
    text = site.source.of(value)
    for other in ast.walk(function):
        if not isinstance(other, ast.IfExp) or site.statement in site.source.up(other):
            continue
        asked = {ast.unparse(one) for one in ast.walk(other.test) if isinstance(one, ast.Name | ast.Attribute)}
        if asked and asked <= used:
            test = ast.unparse(other.test)
            made.setdefault(f"{text} if {test} else {ast.unparse(other.orelse)}", 1.5)
            made.setdefault(f"{ast.unparse(other.body)} if {test} else {text}", 2.3)
    for new in list(made)[:MOST]:
        yield site.swap(value, new, "none", "the function asks this elsewhere, and not here", made[new])


def _handed_back(site: Site, statement: ast.Expr) -> Iterator[Edit]:
    """The last statement of a branch makes a value, and nobody gets it. What changes a list makes none."""
    parent, call = site.source.parents.get(statement), statement.value
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in _IN_PLACE:
        return
    last = any(isinstance(block := getattr(parent, name, None), list) and block and block[-1] is statement
               for name in ("body", "orelse"))  # fmt: skip
    if last and not isinstance(parent, ast.Module | ast.ClassDef | ast.For | ast.While):
        start = site.source.span(statement)[0]
        why = f"the value of `{site.source.of(statement)[:60]}` is not handed back"
        yield Edit(site.source.path, start, start, "return ", "return", why, 1.6, statement.lineno)


def _wider(site: Site, types: ast.expr) -> Iterator[Edit]:
    """`isinstance(x, list)` that is meant for tuples as well; or for what the file asks of other things."""
    mine = [ast.unparse(one) for one in (types.elts if isinstance(types, ast.Tuple) else [types])]
    more: dict[str, float] = {}
    for family in _TOGETHER:
        if set(family) & set(mine):
            more.update(dict.fromkeys(family, 1.8))
    for other in site.source.asked_types:
        more.setdefault(other, 2.1)
    more.setdefault("type(None)", 2.5)
    for other in list(more)[: MOST + 2]:
        if other not in mine:
            new = f"({', '.join((*mine, other))})"
            yield site.swap(types, new, "type", f"`{other}` is meant as well", more[other])


def _longer(site: Site, node: ast.Tuple | ast.List | ast.Set) -> Iterator[Edit]:
    """An element that like lists of the same function hold, and this one lacks; of names of constants one that comes with them."""
    function = site.source.function(site.statement)
    if function is None or not node.elts or isinstance(node.elts[-1], ast.Starred):
        return
    mine = {ast.unparse(one) for one in node.elts}
    more = dict.fromkeys(
        ast.unparse(one)
        for other in ast.walk(function)
        if isinstance(other, ast.Tuple | ast.List | ast.Set) and other is not node
        and mine & {ast.unparse(one) for one in other.elts}
        for one in other.elts
        if not isinstance(one, ast.Starred)
    )  # fmt: skip
    more.update(dict.fromkeys(_company(site.source, mine)))
    end = site.source.span(node.elts[-1])[1]
    for text in [one for one in more if one not in mine and len(one) < 40][:MOST]:
        yield Edit(site.source.path, end, end, f", {text}", "part", f"`{text}` is left out", 2.1, node.lineno)


def _company(source: Source, names: set[str]) -> list[str]:
    """Constants that are imported in one breath with all of these."""
    for node in source.tree.body if all(one.isupper() for one in names) else ():
        imported = [one.asname or one.name for one in node.names] if isinstance(node, ast.ImportFrom) else []
        if names.issubset(imported):
            return [one for one in imported if one.isupper() and one not in names][:MOST]
    return []
