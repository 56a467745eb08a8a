"""Slips that are usual in Python itself, whatever a program is about: how texts are made, cut and shown, the first piece for the
last, the seconds of a part for all of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from prodwise.repair.edits import Edit
from prodwise.repair.search.arguments import name_of
from prodwise.repair.search.site import Site

KIND = "slip"
_CUT = frozenset(("split", "rsplit", "strip", "lstrip", "rstrip"))
_SHOWN = (("%s", "%r", 2.0), ("%r", "%s", 2.2), ("{}", "{!r}", 2.0), ("{!r}", "{}", 2.2))
_SYSTEM = {":": "os.pathsep", ";": "os.pathsep", "/": "os.sep", "\\": "os.sep"}
_ONE = {"set": "{{{}}}", "list": "[{}]", "tuple": "({},)"}
"""What holds one thing, in place of all that is in it."""
FIELDS_MOST = 4


def edits(site: Site, node: ast.expr) -> Iterator[Edit]:
    """All of one expression."""
    for new, cost in (
        *_of_texts(site, node),
        *_of_pieces(site, node),
        *_from_the_end(site, node),
        *_of_things(site, node),
    ):
        old = site.source.of(node)
        yield site.swap(node, new, KIND, f"`{old[:60]}` is meant as `{new[:60]}`", cost)
    if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
        yield from _shown(site, node)
        yield from _of_the_machine(site, node)


def _of_texts(site: Site, node: ast.expr) -> Iterator[tuple[str, float]]:
    of = site.source.of
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Constant(value=str(between)), attr="join"), args=[some], keywords=[]
        ):
            if not isinstance(some, ast.GeneratorExp | ast.ListComp):
                yield f"{of(node.func)}(map(str, {of(some)}))", 2.1
            for other in {"": (" ",), " ": ("", ", ")}.get(between, ()):
                yield f"{other!r}.join({of(some)})", 2.2
        case ast.Call(func=ast.Attribute(attr=cut) as how, args=[ast.Constant(value=str())], keywords=[]) if (
            cut in _CUT
        ):
            yield f"{of(how)}()", 2.1
            if cut == "split" and _kept(site, node):
                yield f"[one.strip() for one in {of(node)}]", 2.5
        case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Mod(), right=ast.Name() | ast.Attribute() as right):
            if len(re.findall(r"%[^%(]", text)) == 1:
                yield f"{of(node.left)} % ({of(right)},)", 2.0
        case ast.Compare(left=left, ops=[ast.Eq()], comparators=[ast.Constant(value="")]):
            yield f"not {of(left)}", 2.0


def _of_pieces(site: Site, node: ast.expr) -> Iterator[tuple[str, float]]:
    of = site.source.of
    match node:
        case ast.Call(func=ast.Attribute(attr="pop") as how, args=[], keywords=[]):
            yield f"{of(how)}(0)", 2.1
        case ast.Call(func=ast.Attribute(attr="pop") as how, args=[ast.Constant(value=0)], keywords=[]):
            yield f"{of(how)}()", 2.1
        case ast.Subscript(value=value, slice=ast.Constant(value=0), ctx=ast.Load()):
            yield f"{of(value)}[-1]", 1.9
        case ast.Subscript(
            value=value, slice=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1)), ctx=ast.Load()
        ):
            yield f"{of(value)}[0]", 1.9
        case ast.Subscript(
            value=value, slice=ast.Slice(lower=None, upper=ast.expr() as end, step=None), ctx=ast.Load()
        ):
            yield f"{of(value)}[{of(end)}:]", 2.1
        case ast.Subscript(
            value=value, slice=ast.Slice(lower=ast.expr() as first, upper=None, step=None), ctx=ast.Load()
        ):
            yield f"{of(value)}[:{of(first)}]", 2.1
        case ast.Call(func=ast.Name(id="range"), args=[end], keywords=[]):
            yield f"range(1, {of(end)})", 2.1
        case ast.Starred(value=some, ctx=ast.Load()) if isinstance(site.source.parents.get(node), ast.Call):
            yield of(some), 2.1
        case ast.Yield(value=ast.Name() | ast.Attribute() | ast.Call() as value):
            yield f"yield from {of(value)}", 2.2


def _from_the_end(site: Site, node: ast.expr) -> Iterator[tuple[str, float]]:
    """A place that is counted from the other end: `-n` for `n`, and the other way round."""
    if not isinstance(node, ast.Subscript):
        return
    where = node.slice
    bounds = [where.lower, where.upper] if isinstance(where, ast.Slice) and where.step is None else [where]
    start, text = site.source.span(node)[0], site.source.of(node)
    for bound in bounds:
        match bound:
            case ast.UnaryOp(op=ast.USub(), operand=ast.Name() | ast.Attribute() as counted):
                new = site.source.of(counted)
            case ast.Name() | ast.Attribute() | ast.Call(func=ast.Name(id="len")):
                new = f"-{site.source.of(bound)}"
            case _:
                continue
        first, last = site.source.span(bound)
        yield text[: first - start] + new + text[last - start :], 2.1


def _of_things(site: Site, node: ast.expr) -> Iterator[tuple[str, float]]:
    of = site.source.of
    match node:
        case ast.Call(func=ast.Name(id="hasattr"), args=[thing, name], keywords=[]):
            yield f"getattr({of(thing)}, {of(name)}, None)", 2.0
        case ast.Attribute(attr="seconds", ctx=ast.Load()):
            yield f"{of(node.value)}.total_seconds()", 1.9
        case ast.Call(func=ast.Name(id="dict"), args=[one], keywords=[ast.keyword(arg=None, value=other)]):
            yield f"dict({of(other)}, **{of(one)})", 1.9
        case ast.Dict(keys=[None, None], values=[one, other]):
            yield f"{{**{of(other)}, **{of(one)}}}", 1.9
        case ast.Call(func=ast.Name(id=kind), args=[ast.Name() | ast.Attribute() as one], keywords=[]) if kind in _ONE:
            yield _ONE[kind].format(of(one)), 1.6 if _is_text(site, of(one)) else 2.1
        case ast.Set(elts=[one]) | ast.List(elts=[one], ctx=ast.Load()) if isinstance(one, ast.Name | ast.Attribute):
            yield f"{'set' if isinstance(node, ast.Set) else 'list'}({of(one)})", 2.2
        case ast.DictComp(value=value, generators=[ast.comprehension(ifs=[])]) if of(node).endswith("}"):
            for test, cost in ((f"{of(value)} is not None", 2.3), (of(value), 2.4)):
                yield f"{of(node)[:-1]} if {test}}}", cost
        case ast.BoolOp() if isinstance(site.source.parents.get(node), ast.Return):
            yield f"bool({of(node)})", 2.2


def _is_text(site: Site, name: str) -> bool:
    """Whether a question around asks that: hardly anybody wants its characters one by one."""
    tests = (site.source.of(one.test) for one in site.source.up(site.statement) if isinstance(one, ast.If))
    return any(f"isinstance({name}, str)" in test for test in tests)


def _kept(site: Site, node: ast.expr) -> bool:
    """Whether all pieces go on together: under one name, or handed back."""
    statement = site.statement
    if isinstance(statement, ast.Assign):
        named = all(isinstance(one, ast.Name | ast.Attribute) for one in statement.targets)
        return statement.value is node and named
    return isinstance(statement, ast.Return) and statement.value is node


def _of_the_machine(site: Site, node: ast.Constant) -> Iterator[Edit]:
    """What stands between paths differs between machines, and a text is no bytes."""
    text, named = site.source.of(node), _SYSTEM.get(node.value) if isinstance(node.value, str) else None
    if (
        named is not None
        and "os" in site.source.globals
        and not isinstance(site.source.parents.get(node), ast.JoinedStr)
    ):
        yield site.swap(node, named, KIND, f"`{text}` is meant as `{named}`", 2.2)
    plain = re.match(r"[rR]?[bB][rR]?(?=['\"])", text)
    if isinstance(node.value, bytes) and plain is not None and node.value.isascii():
        new = re.sub("[bB]", "", plain[0]) + text[plain.end() :]
        yield site.swap(node, new, KIND, f"`{text[:60]}` is meant as `{new[:60]}`", 2.0)


def _shown(site: Site, node: ast.Constant) -> Iterator[Edit]:
    """A value that is shown as it is written in Python, or no longer so."""
    parent = site.source.parents.get(node)
    formatted = isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Mod) and parent.left is node
    around = site.source.parents.get(parent) if isinstance(parent, ast.Attribute) else None
    called = isinstance(around, ast.Call) and name_of(around.func) == "format"
    start, text = site.source.span(node)[0], site.source.of(node)
    for old, new, cost in _SHOWN:
        if not (formatted if old[0] == "%" else called):
            continue
        for place in list(re.finditer(re.escape(old), text))[:FIELDS_MOST]:
            at = start + place.start()
            yield Edit(
                site.source.path, at, at + len(old), new, KIND, f"`{old}` is meant as `{new}`", cost, node.lineno
            )
