"""Questions one after the other: an `elif` that should be asked in any case, an `if` that should not, a branch that others have."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from textwrap import dedent, indent

from prodwise.repair.edits import Edit
from prodwise.repair.search import nearby
from prodwise.repair.search.site import Site
from prodwise.repair.source import Function, Source

MOST = 8
LINES_MOST = 3
_ENDS = ast.Return | ast.Raise | ast.Continue | ast.Break


@dataclass(frozen=True)
class Branch:
    """One question of a file with what follows from it. beside: the other questions of its chain."""

    test: str
    body: str
    names: frozenset[str]
    function: Function | None
    beside: frozenset[str]


def edits(site: Site) -> Iterator[Edit]:
    statement, source = site.statement, site.source
    if not isinstance(statement, ast.If):
        return
    start, line = source.span(statement)[0], statement.lineno
    test = source.of(statement.test)[:60]
    if source.text.startswith("elif", start):
        why = f"`{test}` is to be asked in any case"
        yield Edit(source.path, start, start + 4, "if", "branch", why, 2.2, line)
    elif (before := _before(site)) is not None and not isinstance(before.body[-1], _ENDS):
        why = f"`{test}` is only to be asked where what is asked before does not hold"
        yield Edit(source.path, start, start + 2, "elif", "branch", why, 2.2, line)
    yield from _missing(site, statement)


def _before(site: Site) -> ast.If | None:
    """The question just before this one, without an `else` of its own."""
    parent = site.source.parents.get(site.statement)
    for name in ("body", "orelse"):
        block = getattr(parent, name, None)
        if isinstance(block, list) and site.statement in block[1:]:
            before = block[block.index(site.statement) - 1]
            last = before
            while isinstance(last, ast.If) and len(last.orelse) == 1 and isinstance(last.orelse[0], ast.If):
                last = last.orelse[0]
            return last if isinstance(before, ast.If) and isinstance(last, ast.If) and not last.orelse else None
    return None


def _missing(site: Site, statement: ast.If) -> Iterator[Edit]:
    """A branch that another chain of the file has beside such questions, after this one."""
    source = site.source
    if source.indent(statement) != source.lines[statement.lineno - 1][: statement.col_offset]:
        return
    asked, function = {_plain(ast.unparse(one)) for one in _chain(source, statement)}, source.function(statement)
    found: dict[str, float] = {}
    for one in branches(source):
        shared = len({_plain(text) for text in one.beside} & asked)
        same = function is not None and one.function is not None and function.name == one.function.name
        if _plain(one.test) in asked or not (shared or same) or not nearby.visible(site, one.names):
            continue
        text = f"elif {one.test}:\n{indent(one.body, '    ')}"
        found[text] = min(found.get(text, 9.0), 2.4 - 0.2 * min(shared, 2) - 0.2 * (function is one.function))
    at = source.line_start((statement.body[-1].end_lineno or 0) + 1)
    for text in sorted(found, key=found.__getitem__)[:MOST]:
        new = indent(text, source.indent(statement)) + "\n"
        lacking = text.partition(chr(10))[0].removeprefix("elif ").rstrip(":")
        why = f"`{lacking}` is asked elsewhere, and not here"
        yield Edit(source.path, at, at, new, "branch", why, found[text], statement.lineno)


def _chain(source: Source, statement: ast.If) -> list[ast.expr]:
    """The questions of the whole chain that holds this one."""
    top = statement
    while isinstance(parent := source.parents.get(top), ast.If) and parent.orelse == [top]:
        top = parent
    found = [top.test]
    while len(top.orelse) == 1 and isinstance(top.orelse[0], ast.If):
        top = top.orelse[0]
        found.append(top.test)
    return found


@lru_cache(maxsize=16)
def branches(source: Source) -> tuple[Branch, ...]:
    """Of chains of two questions and more."""
    found: list[Branch] = []
    for node in source.statements:
        if not isinstance(node, ast.If) or node.body[0].lineno == node.lineno:
            continue
        beside = _chain(source, node)
        lines = (node.body[-1].end_lineno or 0) - node.body[0].lineno + 1
        if len(beside) < 2 or lines > LINES_MOST or len(ast.unparse(node.test)) > nearby.TEXT_MOST:
            continue
        start, end = source.line_start(node.body[0].lineno), source.span(node.body[-1])[1]
        names = nearby.names_in(node.test) | {
            one.id for body in node.body for one in ast.walk(body)
            if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)
        }  # fmt: skip
        others = frozenset(ast.unparse(one) for one in beside if one is not node.test)
        body = dedent(source.text[start:end])
        found.append(Branch(source.of(node.test), body, frozenset(names), source.function(node), others))
    return tuple(found)


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text)
