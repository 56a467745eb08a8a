"""Calls that lack an argument which others of the same kind get, or that got one which belongs to the call around them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from prodwise.repair.edits import Edit
from prodwise.repair.search.site import Site
from prodwise.repair.source import Function

MOST = 8


def edits(site: Site, node: ast.expr) -> Iterator[Edit]:
    if isinstance(node, ast.Call) and site.source.of(node).endswith(")"):
        yield from _as_others_do(site, node)
        yield from _handed_on(site, node)
        yield from _switched(site, node)
        yield from _of_the_outer(site, node)


def added(site: Site, node: ast.Call, argument: str, why: str, cost: float) -> Edit:
    """The call with one more argument at its end."""
    text = site.source.of(node)[:-1]
    head = text.rstrip()
    comma = "" if head.endswith("(") else " " if head.endswith(",") else ", "
    return site.swap(node, f"{head}{comma}{argument}{text[len(head) :]})", "argument", why, cost)


def _as_others_do(site: Site, node: ast.Call) -> Iterator[Edit]:
    """A keyword that other calls of the same function in this file give, and this one does not; or all that came."""
    mine, given = name_of(node.func), {one.arg for one in node.keywords}
    if not mine or None in given:
        return
    seen: dict[str, int] = {}
    for other in site.source.calls.get(mine, ()):
        for one in other.keywords:
            if other is not node and one.arg and one.arg not in given and _seen_here(site, one.value):
                text = f"{one.arg}={site.source.of(one.value)}"
                if len(text) < 100 and "\n" not in text:
                    seen[text] = seen.get(text, 0) + 1
            elif (
                other is not node
                and one.arg is None
                and isinstance(one.value, ast.Name)
                and _seen_here(site, one.value)
            ):
                seen[f"**{one.value.id}"] = seen.get(f"**{one.value.id}", 0) + 1
    for text, many in sorted(seen.items(), key=lambda one: -one[1])[:MOST]:
        cost = 1.8 if many > 1 else 2.0
        yield added(site, node, text, f"the call lacks `{text}`, which others of `{mine}` have", cost)


def _handed_on(site: Site, node: ast.Call) -> Iterator[Edit]:
    """A parameter of a function of this file for which a variable of the same name is at hand."""
    target, given = site.source.defined.get(name_of(node.func)), {one.arg for one in node.keywords}
    if target is None or None in given or any(isinstance(one, ast.Starred) for one in node.args):
        return
    bound = isinstance(node.func, ast.Attribute) or target.name == "__init__"
    positional = [one.arg for one in (*target.args.posonlyargs, *target.args.args)]
    positional = positional[1:] if bound and positional[:1] in (["self"], ["cls"]) else positional
    for name in (*positional[len(node.args) :], *(one.arg for one in target.args.kwonlyargs)):
        if name not in given and name in site.scope.locals:
            yield added(site, node, f"{name}={name}", f"`{name}` is not handed on", 1.7)
        elif name not in given and name in site.scope.attributes and "self" in site.scope.locals:
            yield added(site, node, f"{name}=self.{name}", f"`{name}` is not handed on", 1.8)


def _switched(site: Site, node: ast.Call) -> Iterator[Edit]:
    """A switch of a function of this file, the other way than by default."""
    target, given = site.source.defined.get(name_of(node.func)), {one.arg for one in node.keywords}
    if target is None or None in given or any(isinstance(one, ast.Starred) for one in node.args):
        return
    bound = isinstance(node.func, ast.Attribute) or target.name == "__init__"
    places = [*target.args.posonlyargs, *target.args.args]
    later = places[len(node.args) + (1 if bound and places[:1] and places[0].arg in ("self", "cls") else 0) :]
    with_default = zip(reversed(places), reversed(target.args.defaults), strict=False)
    free = [(one, value) for one, value in with_default if one in later]
    free += [(one, value) for one, value in zip(target.args.kwonlyargs, target.args.kw_defaults, strict=True) if value]
    for one, value in free:
        if isinstance(value, ast.Constant) and isinstance(value.value, bool) and one.arg not in given:
            text = f"{one.arg}={not value.value}"
            yield added(site, node, text, f"`{name_of(node.func)}` is meant with `{text}`", 2.0)


def _of_the_outer(site: Site, node: ast.Call) -> Iterator[Edit]:
    """`f(g(a, b))` that should be `f(g(a), b)`."""
    if len(node.args) != 1 or not isinstance(inner := node.args[0], ast.Call):
        return
    all_of: list[ast.expr | ast.keyword] = [*inner.args, *inner.keywords]
    for moved in all_of[1:]:
        if isinstance(moved, ast.Starred) or (isinstance(moved, ast.keyword) and moved.arg is None):
            continue
        rest = [part_of(site, one) for one in all_of if one is not moved]
        given = [f"{site.source.of(inner.func)}({', '.join(rest)})", part_of(site, moved)]
        given += [part_of(site, one) for one in node.keywords]
        new = f"{site.source.of(node.func)}({', '.join(given)})"
        why = f"`{part_of(site, moved)}` is meant for `{name_of(node.func)}`"
        yield site.swap(node, new, "argument", why, 1.9)


def part_of(site: Site, one: ast.expr | ast.keyword) -> str:
    if isinstance(one, ast.keyword):
        return f"{one.arg}={site.source.of(one.value)}" if one.arg else f"**{site.source.of(one.value)}"
    return site.source.of(one)


def name_of(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _seen_here(site: Site, value: ast.expr) -> bool:
    """Whether an expression of another place means something in this one."""
    if isinstance(value, Function | ast.Lambda):
        return False
    names = {one.id for one in ast.walk(value) if isinstance(one, ast.Name)}
    return names <= {*site.scope.locals, *site.scope.functions, *site.source.globals}
