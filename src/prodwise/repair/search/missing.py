"""Values that may be missing: a key that is there or not, nothing where something empty is meant, a thing before it is asked."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from textwrap import indent

from prodwise.repair.edits import Edit
from prodwise.repair.search import conditions, only
from prodwise.repair.search.site import Site
from prodwise.repair.source import Function

BASES_MOST = 4
LINES_MOST = 4
_THING = ast.Name | ast.Attribute | ast.Subscript
_PLAIN = ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.Compare
_LOOPS = ast.For | ast.While | ast.AsyncFor


def edits(site: Site, node: ast.expr) -> Iterator[Edit]:
    yield from _looked_up(site, node)
    yield from _fallen_back(site, node)
    yield from _begun(site, node)
    if conditions.is_condition(site, node) and isinstance(node, ast.Call | ast.Attribute | ast.Compare):
        yield from _there_first(site, node)


def steps(site: Site) -> Iterator[Edit]:
    """The statement only where what it speaks of is there; before it, an answer where what was just made is not."""
    if site.source.function(site.statement) is None or isinstance(site.statement, Function | ast.ClassDef):
        return
    yield from _only_there(site)
    yield from _just_made(site)


def _looked_up(site: Site, node: ast.expr) -> Iterator[Edit]:
    """`d[k]` and `d.get(k)`, each as the other."""
    match node:
        case ast.Call(func=ast.Attribute(value=base, attr="get"), args=[key], keywords=[]):
            text = f"{site.source.of(base)}[{site.source.of(key)}]"
            yield site.swap(node, text, "missing key", f"`{_short(site, key)}` is always there", 2.1)
        case ast.Subscript(value=base, slice=ast.Name() | ast.Attribute() as key, ctx=ast.Load()):
            text = f"{site.source.of(base)}.get({site.source.of(key)})"
            yield site.swap(node, text, "missing key", f"`{_short(site, key)}` may be missing", 2.3)


def _begun(site: Site, node: ast.expr) -> Iterator[Edit]:
    """`d.setdefault(k, []).append(x)`: what is added to need not be there yet."""
    parent = site.source.parents.get(node)
    if not isinstance(node, ast.Subscript) or not isinstance(node.ctx, ast.Load) or isinstance(node.slice, ast.Slice):
        return
    match parent:
        case ast.Attribute(attr="append" | "extend" | "insert"):
            empty = "[]"
        case ast.Attribute(attr="add"):
            empty = "set()"
        case ast.Attribute(attr="update" | "setdefault") | ast.Subscript(ctx=ast.Store()):
            empty = "{}"
        case _:
            return
    if isinstance(parent, ast.Attribute | ast.Subscript) and parent.value is node:
        base, key = site.source.of(node.value), site.source.of(node.slice)
        new = f"{base}.setdefault({key}, {empty})"
        yield site.swap(node, new, "missing key", f"`{_short(site, node.slice)}` need not be there yet", 2.1)


def _fallen_back(site: Site, node: ast.expr) -> Iterator[Edit]:
    """`a or b` where only None is to fall back on `b`: zero and what is empty are meant as they are. What is fallen back on first."""
    match node:
        case ast.Call(func=ast.Attribute(value=base, attr="get"),
                      args=[one, ast.Call(func=ast.Attribute(value=other, attr="get"), args=[two])]):  # fmt: skip
            if ast.unparse(base) == ast.unparse(other):
                head, first, last = (site.source.of(each) for each in (node.func, two, one))
                why = f"`{_short(site, two)}` is meant before `{_short(site, one)}`"
                yield site.swap(node, f"{head}({first}, {head}({last}))", "order", why, 2.0)
        case ast.BoolOp(op=ast.Or(), values=[ast.Name() | ast.Attribute() | ast.Subscript() as one, other]):
            if not isinstance(other, ast.Compare | ast.BoolOp) and not conditions.is_condition(site, node):
                text = site.source.of(one)
                new = f"{text} if {text} is not None else {site.source.of(other)}"
                yield site.swap(node, new, "none", f"only None is meant by `{_short(site, one)}`", 1.9)


def _there_first(site: Site, node: ast.expr) -> Iterator[Edit]:
    """`x.y and x.y.match(z)`: what is asked, or called, may be nothing, or of another kind."""
    text, around = site.source.of(node), site.source.parents.get(node)
    asked = [one for one in _bases(site, node) if one != ast.unparse(node)][:BASES_MOST]
    for base in (*asked, *_answers_to(site, node)):
        if isinstance(around, ast.BoolOp) and base in map(ast.unparse, around.values):
            continue
        safe = text if isinstance(node, _PLAIN) else f"({text})"
        why = f"`{base[:60]}` may be nothing"
        if isinstance(around, ast.BoolOp) and isinstance(around.op, ast.And):
            start, end = site.source.span(node)
            yield Edit(site.source.path, start, end, f"{base} and {safe}", "condition", why, 2.1, node.lineno)
        else:
            yield site.swap(node, f"{base} and {safe}", "condition", why, 2.1)


def _answers_to(site: Site, node: ast.expr) -> Iterator[str]:
    """`hasattr(x, "isatty")` of what is called without arguments."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name() | ast.Attribute() as thing, attr=name), args=[]):
            if site.source.of(thing) not in ("self", "cls"):
                yield f'hasattr({site.source.of(thing)}, "{name}")'


def _bases(site: Site, place: ast.AST) -> list[str]:
    """What something is read from or called on there, the innermost last; not modules, classes and methods."""
    found: dict[str, None] = {}
    for node in ast.walk(place):
        base = node.value if isinstance(node, ast.Attribute | ast.Subscript) else None
        if isinstance(node, ast.Call) and _held(site, node.func):
            base = node.func
        if isinstance(base, _THING) and isinstance(base.ctx, ast.Load) and _own(site, base):
            found[ast.unparse(base)] = None
    return list(found)


def _held(site: Site, called: ast.expr) -> bool:
    """Whether what is called is kept in an attribute: no function of the file has its name."""
    kept = isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id == "self"
    return kept and isinstance(called, ast.Attribute) and called.attr not in site.source.methods


def _own(site: Site, base: ast.expr) -> bool:
    name = ast.unparse(base)
    return name not in ("self", "cls") and name.partition(".")[0].partition("[")[0] in site.scope.locals


def _only_there(site: Site) -> Iterator[Edit]:
    """`if out is not None: out.close()`, `if found: return found`."""
    source, statement = site.source, site.statement
    value = getattr(statement, "value", None)
    returned = isinstance(statement, ast.Return) and value is not None and not _last(site)
    step = isinstance(statement, ast.AugAssign) or (
        isinstance(statement, ast.Expr) and isinstance(value, ast.Call | ast.Await)
    )
    if not (step or returned) or not only.alone(site) or (statement.end_lineno or 0) - statement.lineno >= LINES_MOST:
        return
    start, end = source.span(statement)
    text, margin = source.text[start:end], source.indent(statement)
    if '"""' in text or "'''" in text or "\\\n" in text:
        return
    asked: dict[str, float] = {}
    if returned and isinstance(value, _THING):
        asked.update({ast.unparse(value): 2.1, f"{ast.unparse(value)} is not None": 2.1})
    for base in _bases(site, statement)[:BASES_MOST] if step else ():
        asked.update({base: 2.3, f"{base} is not None": 2.3})
    match value:
        case ast.Call(func=ast.Attribute(value=ast.Name() | ast.Attribute() as thing, attr=name)) if step and source.of(
            thing
        ) not in ("self", "cls"):
            asked.setdefault(f"hasattr({source.of(thing)}, {name!r})".replace("'", '"'), 2.5)
    inner = text.replace("\n", "\n    ")
    for test, cost in asked.items():
        new = f"if {test}:\n{margin}    {inner}"
        yield Edit(
            source.path, start, end, new, "only if", f"it is done only when `{test[:60]}`", cost, statement.lineno
        )


def _last(site: Site) -> bool:
    """Whether nothing of the function comes after the statement when it is left out."""
    parent = site.source.parents.get(site.statement)
    return isinstance(parent, Function) and parent.body[-1] is site.statement and len(parent.body) == 1


def _just_made(site: Site) -> Iterator[Edit]:
    """`if found is None: return` after `found = …`, with an answer that the function gives elsewhere; in a loop, the next one."""
    before = _before(site)
    if isinstance(before, ast.If) and not before.orelse:
        before = before.body[-1]
    if not isinstance(before, ast.Assign) or len(before.targets) != 1 or not isinstance(before.targets[0], ast.Name):
        return
    name, constant = before.targets[0].id, isinstance(before.value, ast.Constant | ast.Dict | ast.List | ast.JoinedStr)
    parent = site.source.parents.get(before)
    later = isinstance(parent, ast.If) or any(
        isinstance(one, ast.Name) and one.id == name for one in ast.walk(site.statement)
    )
    if constant or not later or (isinstance(site.statement, ast.If) and name in ast.unparse(site.statement.test)):
        return
    for test, more in ((f"{name} is None", 0.0), (f"not {name}", 0.1)):
        for at, answer in enumerate(_answers(site)):
            text = f"if {test}:\n" + indent(answer, "    ")
            made = site.insert(text, "guard", f"`{name}` may be nothing", 2.3 + more + 0.1 * at)
            if made is not None:
                yield made


def _answers(site: Site) -> list[str]:
    function = site.source.function(site.statement)
    looped = any(isinstance(one, _LOOPS) for one in _inside(site))
    returns = [one.value for one in ast.walk(function or site.statement) if isinstance(one, ast.Return)]
    plain = [f"return {ast.unparse(one)}" for one in returns if isinstance(one, ast.Constant)]
    nothing = ["return None"] if any(one is not None for one in returns) else ["return"]
    return list(dict.fromkeys((*(["continue"] if looped else []), *plain[:1], *nothing)))


def _inside(site: Site) -> Iterator[ast.AST]:
    for one in site.source.up(site.statement):
        if isinstance(one, Function):
            return
        yield one


def _before(site: Site) -> ast.stmt | None:
    parent = site.source.parents.get(site.statement)
    for name in ("body", "orelse", "finalbody"):
        block = getattr(parent, name, None)
        if isinstance(block, list) and site.statement in block[1:]:
            found: ast.stmt = block[block.index(site.statement) - 1]
            return found
    return None


def _short(site: Site, node: ast.expr) -> str:
    return " ".join(site.source.of(node).split())[:60]
