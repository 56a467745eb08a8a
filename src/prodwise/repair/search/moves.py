"""Statements at another place: before or after the block beside them, as the last ones of the block before them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from textwrap import dedent, indent

from prodwise.repair.edits import Edit
from prodwise.repair.search.site import Site
from prodwise.repair.source import Function

LINES_MOST = 20
_STEP = ast.Assign | ast.AugAssign | ast.Expr | ast.AnnAssign | ast.Delete
_BLOCK = ast.If | ast.For | ast.While | ast.With | ast.Try


def edits(site: Site) -> Iterator[Edit]:
    source, statement = site.source, site.statement
    if source.function(statement) is None or isinstance(statement, Function | ast.ClassDef):
        return
    for one, two in _neighbours(site):
        if (
            isinstance(one, _STEP) != isinstance(two, _STEP)
            and isinstance(one, _STEP | _BLOCK)
            and isinstance(two, _STEP | _BLOCK)
        ):
            yield from _exchanged(site, one, two)
        if isinstance(one, _BLOCK) and isinstance(two, _STEP | ast.Return):
            yield from _taken_in(site, one, two)


def _neighbours(site: Site) -> Iterator[tuple[ast.stmt, ast.stmt]]:
    """The statement and the one after it."""
    parent = site.source.parents.get(site.statement)
    for name in ("body", "orelse", "finalbody"):
        block = getattr(parent, name, None)
        if isinstance(block, list) and site.statement in block[:-1]:
            yield site.statement, block[block.index(site.statement) + 1]


def _whole(site: Site, node: ast.stmt) -> bool:
    """On lines of its own, and not too many."""
    source = site.source
    after = source.lines[(node.end_lineno or 1) - 1].encode()[node.end_col_offset or 0 :].strip()
    short = (node.end_lineno or 0) - node.lineno < LINES_MOST
    return short and not source.lines[node.lineno - 1][: node.col_offset].strip() and not after.startswith(b";")


def _exchanged(site: Site, one: ast.stmt, two: ast.stmt) -> Iterator[Edit]:
    source = site.source
    if not (_whole(site, one) and _whole(site, two)) or (
        isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)
    ):
        return
    start, end = source.span(one)[0], source.span(two)[1]
    gap = source.text[source.span(one)[1] : source.span(two)[0]]
    if "\n" in gap.strip(" ") and "#" not in gap:
        why = "two steps are in the wrong order"
        yield Edit(source.path, start, end, source.of(two) + gap + source.of(one), "order", why, 2.3, one.lineno)


def _taken_in(site: Site, one: ast.stmt, two: ast.stmt) -> Iterator[Edit]:
    """As the last step of the block before it; of an `if` with an answer for all other cases not."""
    source = site.source
    inner = getattr(one, "body", None)
    if (
        not inner
        or getattr(one, "orelse", None)
        or getattr(one, "handlers", None)
        or not (_whole(site, one) and _whole(site, two))
    ):
        return
    last = inner[-1]
    if isinstance(last, ast.Return | ast.Raise | ast.Continue | ast.Break) or not _whole(site, last):
        return
    text = source.of(two)
    if '"""' in text or "'''" in text:
        return
    moved = indent(dedent(source.indent(two) + text), source.indent(last))
    begin, end = source.line_start(two.lineno), source.span(two)[1]
    why = "the step belongs into the block before it"
    yield Edit(source.path, begin, end, moved, "order", why, 2.4, two.lineno)
