"""Other ways to ask: a part, a beginning or the whole; a kind instead of one exact type; the other end as well."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from prodwise.repair.edits import Edit
from prodwise.repair.search import conditions
from prodwise.repair.search.site import Site

KINDS_MOST = 3
_OTHER_END = {"startswith": "endswith", "endswith": "startswith"}


def edits(site: Site, node: ast.expr) -> Iterator[Edit]:
    match node:
        case ast.Call(
            func=ast.Attribute(value=whole, attr="startswith" | "endswith" as how), args=[part], keywords=[]
        ) if not isinstance(part, ast.Tuple):
            yield from _anywhere(site, node, whole, part, how)
        case ast.Compare(left=ast.Call(func=ast.Name(id="type"), args=[one]), ops=[how_typed], comparators=[kind]):
            yield from _kind(site, node, one, kind, how_typed)
        case ast.Compare(
            left=ast.Name() | ast.Attribute() as one, ops=[ast.IsNot()], comparators=[ast.Constant(value=None)]
        ):
            yield from _of_a_kind(site, node, one)
        case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]) if _text(right):
            yield from _not_whole(site, node, left, right)
            yield from _other_end(site, node, left, right)
        case ast.Compare(
            left=ast.Name() | ast.Attribute() as one, ops=[ast.NotEq()], comparators=[ast.Name() as other]
        ):
            new = (
                f"not ({site.source.of(one)} == {site.source.of(other)})"  # a class may know the one and not the other
            )
            yield site.swap(node, new, "question", f"`{site.source.of(node)[:60]}` is meant as `{new[:60]}`", 2.5)
        case ast.Compare(left=part, ops=[ast.In()], comparators=[ast.Name() | ast.Attribute() as whole]) if _text(part):
            yield from _not_whole(site, node, whole, part)


def _text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(node.value)


def _anywhere(site: Site, node: ast.expr, whole: ast.expr, part: ast.expr, how: str) -> Iterator[Edit]:
    one, two = site.source.of(whole), site.source.of(part)
    yield site.swap(node, f"{two} in {one}", "question", f"`{two[:40]}` may stand anywhere in `{one[:40]}`", 2.0)
    yield site.swap(node, f"{one} == {two}", "question", f"`{one[:40]}` is to be `{two[:40]}` and no more", 2.2)
    if conditions.is_condition(site, node):
        for word, cost in (("and", 2.1), ("or", 2.3)):
            term = f"{one}.{_OTHER_END[how]}({two})"
            yield conditions.joined(site, node, term, word, f"the condition lacks `{term[:60]}`", cost)


def _kind(site: Site, node: ast.expr, one: ast.expr, kind: ast.expr, how: ast.cmpop) -> Iterator[Edit]:
    asked = f"isinstance({site.source.of(one)}, {site.source.of(kind)})"
    if isinstance(how, ast.Is | ast.Eq):
        yield site.swap(node, asked, "question", "what derives from the type is meant as well", 1.6)
    elif isinstance(how, ast.IsNot | ast.NotEq):
        yield site.swap(node, f"not {asked}", "question", "what derives from the type is meant as well", 1.6)


def _of_a_kind(site: Site, node: ast.expr, one: ast.expr) -> Iterator[Edit]:
    """`isinstance(other, Money)` where something else may come than it or None: of the class itself, or of what the file asks for."""
    klass = site.source.klass(site.statement)
    for kind in dict.fromkeys((*([klass.name] if klass is not None else []), *site.source.asked_types[:KINDS_MOST])):
        new = f"isinstance({site.source.of(one)}, {kind})"
        yield site.swap(node, new, "question", f"`{site.source.of(one)[:40]}` is to be a `{kind[:40]}`", 2.4)


def _not_whole(site: Site, node: ast.expr, whole: ast.expr, part: ast.expr) -> Iterator[Edit]:
    if isinstance(whole, ast.Constant | ast.Subscript):
        return
    one, two = site.source.of(whole), site.source.of(part)
    for how, word in (("startswith", "begin"), ("endswith", "end")):
        yield site.swap(
            node, f"{one}.{how}({two})", "question", f"`{one[:40]}` is only to {word} with `{two[:40]}`", 2.2
        )


def _other_end(site: Site, node: ast.expr, left: ast.expr, right: ast.expr) -> Iterator[Edit]:
    """`name[:2] == "__"` asks nothing of the end, nor `name[0] == "("`."""
    match left:
        case ast.Subscript(value=value, slice=ast.Slice(lower=None, upper=ast.Constant(value=int(many)), step=None)):
            end = f"[-{many}:]"
        case ast.Subscript(
            value=value,
            slice=ast.Slice(lower=ast.UnaryOp(operand=ast.Constant(value=int(many))), upper=None, step=None),
        ):
            end = f"[:{many}]"
        case ast.Subscript(value=value, slice=ast.Constant(value=0)):
            end = "[-1]"
        case _:
            return
    term = f"{site.source.of(value)}{end} == {site.source.of(right)}"
    for word, cost in (("and", 2.0), ("or", 2.2)):
        yield conditions.joined(site, node, term, word, f"the condition lacks `{term[:60]}`", cost)
