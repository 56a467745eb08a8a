"""An answer where there is nothing to work on: whether a collection is empty is asked before its first element is taken; something is
there to unpack where it holds nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from prodwise.repair.edits import Edit
from prodwise.repair.search import early
from prodwise.repair.search.site import Site
from prodwise.repair.source import Function

_UNPACKED = re.compile(r"not enough values to unpack \(expected (\d), got 0\)")
_PARTS = ("[]", "None", '""')


def unpacked(site: Site, message: str) -> Iterator[Edit]:
    found, statement = _UNPACKED.search(message), site.statement
    if (
        found is None
        or not isinstance(statement, ast.Assign)
        or isinstance(statement.value, ast.IfExp | ast.Await | ast.Yield)
    ):
        return
    value = site.source.of(statement.value)
    for at, part in enumerate(_PARTS):
        text = f"{value} or ({', '.join([part] * int(found[1]))})"
        yield site.swap(statement.value, text, "index", f"`{value}` may be empty", 1.9 + 0.1 * at)


def edits(site: Site, message: str) -> Iterator[Edit]:
    function = site.source.function(site.statement)
    if function is None or isinstance(function, ast.Lambda) or ("empty" not in message and "range" not in message):
        return
    for base in dict.fromkeys(site.source.of(one) for node in site.source.head(site.statement) for one in _taken(node)):
        place = _before(site, function, base)
        for at, answer in enumerate(early.answers(function)):
            text = f"if not {base}:\n    return {answer}".rstrip()
            made = place.insert(text, "index", f"`{base}` may be empty", 1.9 + 0.1 * at)
            if made is not None:
                yield made


def _taken(node: ast.AST) -> Iterator[ast.expr]:
    """What an element is taken of, or the greatest or least."""
    match node:
        case ast.Subscript(value=ast.Name() | ast.Attribute() as base, slice=index) if not isinstance(index, ast.Slice):
            yield base
        case ast.Call(func=ast.Name(id="max" | "min"), args=[ast.Name() | ast.Attribute() as base], keywords=[]):
            yield base


def _before(site: Site, function: Function, base: str) -> Site:
    """Before all that is done with a parameter which stays as it came, else right here."""
    name = base.partition(".")[0]
    given = {one.arg for one in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)}
    bound = (one.id for one in ast.walk(function) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store))
    if name not in given or "." in base or name in bound:
        return site
    outer = next(one for one in function.body if one is site.statement or site.statement in ast.walk(one))
    return Site(site.source, outer, site.scope)
