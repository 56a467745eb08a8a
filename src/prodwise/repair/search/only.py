"""A step that is done always, and only where a question holds that the file asks elsewhere; or the other way round."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from prodwise.repair.edits import Edit
from prodwise.repair.search import conditions
from prodwise.repair.search.site import Site

TERMS_MOST = 20
LINES_MOST = 4


def edits(site: Site) -> Iterator[Edit]:
    source, statement = site.source, site.statement
    if isinstance(statement, ast.If) and source.function(statement) is not None and (edit := _always(site, statement)):
        yield edit
    if source.function(statement) is None or not is_step(site) or not alone(site):
        return
    own = {ast.unparse(one) for one in ast.walk(statement) if isinstance(one, ast.expr)}
    for term, cost in list(conditions.terms(site, statement).items())[:TERMS_MOST]:
        edit = where(site, term, cost) if term not in own else None
        if edit is not None:
            yield edit


def where(site: Site, term: str, cost: float) -> Edit | None:
    """None for a step that cannot be moved in by its lines, or that is there for just what it would be left out for."""
    source, statement = site.source, site.statement
    if _meant(site, term):
        return None
    start, end = source.span(statement)
    indent, text = source.indent(statement), source.text[start:end]
    lines = (statement.end_lineno or 0) - statement.lineno
    if lines >= LINES_MOST or '"""' in text or "'''" in text or "\\\n" in text:
        return None
    inner = text.replace("\n", "\n    ")
    why = f"it is done only when `{term}`"
    return Edit(source.path, start, end, f"if {term}:\n{indent}    {inner}", "only if", why, cost, statement.lineno)


def _always(site: Site, statement: ast.If) -> Edit | None:
    """None where nothing comes after what is done then, or where it cannot be moved out by its lines."""
    source, body = site.source, statement.body
    begin, end = source.span(statement)
    start, text = source.span(body[0])[0], source.text
    inner, outer = source.indent(body[0]), source.indent(statement)
    alone = text.startswith("if", begin) and body[0].lineno > source.last_head_line(statement)
    if statement.orelse or not alone or isinstance(body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break):
        return None
    lines, asked = text[start:end].split("\n"), ast.unparse(statement.test)
    if len(lines) > LINES_MOST or not all(one.startswith(inner) for one in lines[1:] if one.strip()):
        return None
    new = "\n".join([lines[0], *(outer + one.removeprefix(inner) for one in lines[1:])])
    why = f"it is done whether or not `{asked}`"
    return Edit(source.path, begin, end, new, "unasked", why, 2.4, statement.lineno)


def _meant(site: Site, term: str) -> bool:
    """Whether the question around asks for the kind that `isinstance(x, str)`, or its opposite, would part from its others."""
    parent, node = site.source.parents.get(site.statement), ast.parse(term, mode="eval").body
    around = conditions.kinds([parent.test], True) if isinstance(parent, ast.If) else set()
    return bool(around & (conditions.kinds([node], True) | conditions.kinds([node], False)))


def is_step(site: Site) -> bool:
    match site.statement:
        case ast.Expr(value=ast.Call() | ast.Await() | ast.Yield() | ast.YieldFrom()) | ast.AugAssign() | ast.Delete():
            return True
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            return True
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(value))
        case ast.Return() | ast.Raise() | ast.Continue() | ast.Break():
            return not isinstance(site.source.parents.get(site.statement), ast.FunctionDef | ast.AsyncFunctionDef)
    return False


def alone(site: Site) -> bool:
    """On its own lines, and not all that an `if` does: a term more of its question says the same."""
    source, statement = site.source, site.statement
    parent = source.parents.get(statement)
    whole = isinstance(parent, ast.If) and not parent.orelse and parent.body == [statement]
    before = source.lines[statement.lineno - 1][: statement.col_offset].strip()
    after = source.lines[(statement.end_lineno or 1) - 1].encode()[statement.end_col_offset or 0 :].strip()
    return not whole and not before and (not after or after.startswith(b"#"))
