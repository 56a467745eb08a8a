"""What is done and should not be: a step too many, an answer too early, a question that need not be asked."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from textwrap import dedent, indent

from prodwise.repair.edits import Edit
from prodwise.repair.search import only
from prodwise.repair.search.site import Site
from prodwise.repair.source import Function

LINES_MOST = 6
_ENDS = ast.Return | ast.Raise | ast.Continue | ast.Break


def edits(site: Site) -> Iterator[Edit]:
    source, statement = site.source, site.statement
    function = source.function(statement)
    if function is None or isinstance(statement, Function | ast.ClassDef) or not only.on_lines(site):
        return
    lines, text = (statement.end_lineno or 0) - statement.lineno + 1, source.of(statement)
    if lines > LINES_MOST or '"""' in text or "'''" in text or "\\\n" in text or text.startswith("elif"):
        return
    if isinstance(statement, ast.If) and not statement.orelse:
        yield from _always(site, statement)
    if _droppable(statement) and _others(site):
        start, end = source.line_start(statement.lineno), source.line_start((statement.end_lineno or 0) + 1)
        why = f"`{text.partition(chr(10))[0][:60]}` is too much here"
        yield Edit(source.path, start, end, "", "statement dropped", why, 2.6, statement.lineno)


def _droppable(statement: ast.stmt) -> bool:
    """A call whose value nobody gets, a value that is kept in a thing, a name that is made of itself; a question with an answer."""
    match statement:
        case ast.Expr(value=ast.Call() | ast.Await()) | ast.Delete():
            return True
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            return True
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(value))
        case ast.If(body=[only_one], orelse=[]):
            return isinstance(only_one, _ENDS) or _droppable(only_one)
    return False


def _others(site: Site) -> bool:
    """Whether its block has more than it and a docstring."""
    parent = site.source.parents.get(site.statement)
    for name in ("body", "orelse", "finalbody"):
        block = getattr(parent, name, None)
        if isinstance(block, list) and site.statement in block:
            return any(one is not site.statement and not _says(one) for one in block)
    return False


def _says(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _always(site: Site, statement: ast.If) -> Iterator[Edit]:
    """What follows, without the question."""
    source, last = site.source, statement.body[-1]
    if statement.body[0].lineno == statement.lineno or (isinstance(last, _ENDS) and _followed(site)):
        return
    first = source.line_start(statement.body[0].lineno)
    start, end = source.line_start(statement.lineno), source.span(last)[1]
    new = indent(dedent(source.text[first:end]), source.indent(statement))
    why = f"`{source.of(statement.test)[:60]}` need not be asked"
    yield Edit(source.path, start, end, new, "condition dropped", why, 2.5, statement.lineno)


def _followed(site: Site) -> bool:
    """Whether something comes after it that would never be reached."""
    parent = site.source.parents.get(site.statement)
    blocks = [getattr(parent, name, None) for name in ("body", "orelse", "finalbody")]
    return any(isinstance(one, list) and site.statement in one[:-1] for one in blocks)
