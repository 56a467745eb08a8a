"""All edits of one statement, the likelier kinds first."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from prodwise.repair.edits import Edit
from prodwise.repair.search import (
    arguments,
    copies,
    guards,
    idioms,
    names,
    operators,
    parts,
    receivers,
    shapes,
    statements,
)
from prodwise.repair.search.site import Site
from prodwise.repair.source import Function, Source, scope

MOST_OF_ONE = 900


def of(source: Source, statement: ast.stmt) -> list[Edit]:
    site = Site(source, statement, scope(source, statement))
    seen: dict[tuple[int, int, str], Edit] = {}
    for edit in _all(site):
        key = (edit.start, edit.end, edit.new)
        if source.text[edit.start : edit.end] != edit.new and (key not in seen or seen[key].cost > edit.cost):
            seen[key] = edit
    return sorted(seen.values(), key=lambda one: one.cost)[:MOST_OF_ONE]


def _all(site: Site) -> Iterator[Edit]:
    statement = site.statement
    if isinstance(statement, ast.Import | ast.ImportFrom | ast.Global | ast.Nonlocal | ast.ClassDef):
        return
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return
    for node in site.source.head(statement):
        if isinstance(statement, Function) and not _default(statement, node):
            continue
        yield from operators.edits(site, node)
        yield from names.edits(site, node)
        yield from shapes.edits(site, node)
        yield from shapes.pieces(site, node)
        yield from shapes.lists(site, node)
        yield from parts.edits(site, node)
        yield from arguments.edits(site, node)
        yield from receivers.edits(site, node)
        yield from idioms.parts(site, node)
        if isinstance(node, ast.IfExp):
            yield from operators.condition(site, node.test)
            yield from shapes.terms(site, node.test)
        for test in getattr(node, "ifs", ()) if isinstance(node, ast.ListComp | ast.GeneratorExp | ast.SetComp) else ():
            yield from shapes.terms(site, test)
    yield from operators.augmented(site)
    if isinstance(statement, ast.If | ast.While):
        yield from operators.condition(site, statement.test)
        yield from shapes.terms(site, statement.test)
    if not isinstance(statement, Function):
        yield from idioms.edits(site)
        yield from guards.edits(site)
        yield from statements.edits(site)
        yield from copies.edits(site)


def _default(function: Function, node: ast.expr) -> bool:
    return node in function.args.defaults or node in function.args.kw_defaults
