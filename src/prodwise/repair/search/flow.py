"""Where the work goes on: a question asked once that is meant again and again, a loop that ends where it should go on."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from prodwise.repair.edits import Edit
from prodwise.repair.search.site import Site
from prodwise.repair.source import Function

_LOOPS = ast.For | ast.While | ast.AsyncFor


def edits(site: Site) -> Iterator[Edit]:
    statement = site.statement
    if isinstance(statement, ast.If) and not statement.orelse and _changes(statement):
        yield from _word(site, "if", "while", "is to be asked again and again")
    elif isinstance(statement, ast.While) and not statement.orelse and not _leaves(statement):
        yield from _word(site, "while", "if", "is to be asked once")
    if not _looped(site):
        return
    if isinstance(statement, ast.Break):
        yield _other(site, "continue", "the others are to be looked at as well", 1.9)
    elif isinstance(statement, ast.Continue):
        yield _other(site, "break", "nothing after it is to be looked at", 1.9)
    elif isinstance(statement, ast.Return):
        empty = statement.value is None or (isinstance(statement.value, ast.Constant) and not statement.value.value)
        for new in ("continue", "break"):
            yield _other(site, new, "the others are to be looked at as well", 2.3 if empty else 2.7)
    elif isinstance(statement, ast.Pass):
        yield _other(site, "continue", "nothing more is to be done with this one", 2.3)


def _word(site: Site, old: str, new: str, why: str) -> Iterator[Edit]:
    start = site.source.span(site.statement)[0]
    if site.source.text.startswith(f"{old} ", start) and isinstance(site.statement, ast.If | ast.While):
        asked = site.source.of(site.statement.test)[:60]
        yield Edit(
            site.source.path, start, start + len(old), new, "flow", f"`{asked}` {why}", 2.3, site.statement.lineno
        )


def _changes(statement: ast.If) -> bool:
    """Whether the body changes what is asked, so that the loop ends."""
    asked = {ast.unparse(one) for one in ast.walk(statement.test) if isinstance(one, ast.Name | ast.Attribute)}
    stored = {
        ast.unparse(one) for inner in statement.body for one in ast.walk(inner)
        if isinstance(one, ast.Name | ast.Attribute) and isinstance(one.ctx, ast.Store)
    }  # fmt: skip
    called = {
        ast.unparse(one.func.value) for inner in statement.body for one in ast.walk(inner)
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute)
    }  # fmt: skip
    return bool(asked & (stored | called))


def _leaves(statement: ast.While) -> bool:
    return any(isinstance(one, ast.Break | ast.Continue) for inner in statement.body for one in ast.walk(inner))


def _looped(site: Site) -> bool:
    for parent in site.source.up(site.statement):
        if isinstance(parent, Function):
            return False
        if isinstance(parent, _LOOPS):
            return True
    return False


def _other(site: Site, new: str, why: str, cost: float) -> Edit:
    return site.swap(site.statement, new, "flow", why, cost)
