"""One attribute more or less, one argument less, a keyword by another name: the thing itself where a part of it is meant."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from prodwise.repair.edits import Edit
from prodwise.repair.search.arguments import name_of, part_of
from prodwise.repair.search.site import Site
from prodwise.repair.source import Source

ATTRIBUTES_MOST = 6


def edits(site: Site, node: ast.expr) -> Iterator[Edit]:
    parent = site.source.parents.get(node)
    callee = isinstance(parent, ast.Call) and parent.func is node
    if isinstance(getattr(node, "ctx", ast.Load()), ast.Load) and not callee:
        if isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript):
            yield from _of_it(site, node)
        if isinstance(node, ast.Attribute) and not isinstance(parent, ast.Attribute):
            yield from _itself(site, node)
    if isinstance(node, ast.Call) and site.source.of(node).endswith(")"):
        yield from _fewer(site, node)
        yield from _renamed(site, node)


def _of_it(site: Site, node: ast.expr) -> Iterator[Edit]:
    """What the file reads from the same thing elsewhere."""
    text = site.source.of(node)
    if text in ("self", "cls") or isinstance(
        site.source.parents.get(node), ast.Attribute | ast.keyword | ast.FormattedValue
    ):
        return
    for more in _taken(site.source).get(text, ())[:ATTRIBUTES_MOST]:
        why = f"`{more}` of `{text[:60]}` is meant"
        yield site.swap(node, f"{text}{more}", "attribute", why, 2.3)


@lru_cache(maxsize=16)
def _taken(source: Source) -> dict[str, tuple[str, ...]]:
    """Text → `.name` and `.name()` that follow it, the commonest first."""
    found: dict[str, Counter[str]] = {}
    for node in ast.walk(source.tree):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Load)
            and not isinstance(node.value, ast.Constant)
        ):
            parent = source.parents.get(node)
            called = isinstance(parent, ast.Call) and parent.func is node
            if not called or (isinstance(parent, ast.Call) and not parent.args and not parent.keywords):
                found.setdefault(source.of(node.value), Counter())[f".{node.attr}{'()' if called else ''}"] += 1
    return {text: tuple(one for one, _ in some.most_common(ATTRIBUTES_MOST)) for text, some in found.items()}


def _itself(site: Site, node: ast.Attribute) -> Iterator[Edit]:
    base = ast.unparse(node.value)
    plain = isinstance(node.value, ast.Name | ast.Attribute | ast.Subscript)
    if plain and base.partition(".")[0] not in site.source.globals and base not in ("self", "cls"):
        yield site.swap(node, site.source.of(node.value), "attribute", f"`{base[:60]}` itself is meant", 2.4)


def _fewer(site: Site, node: ast.Call) -> Iterator[Edit]:
    """Without its last argument, or one of its keywords."""
    parts: list[ast.expr | ast.keyword] = [*node.args, *node.keywords]
    if len(parts) < 2 or any(isinstance(one, ast.Starred) for one in node.args):
        return
    droppable: list[ast.expr | ast.keyword] = [*node.args[-1:], *(one for one in node.keywords if one.arg)]
    for dropped in droppable:
        kept = ", ".join(part_of(site, one) for one in parts if one is not dropped)
        why = f"`{part_of(site, dropped)[:60]}` is too much for `{name_of(node.func)}`"
        cost = 2.2 if isinstance(dropped, ast.keyword) else 2.5
        yield site.swap(node, f"{site.source.of(node.func)}({kept})", "argument dropped", why, cost)


def _renamed(site: Site, node: ast.Call) -> Iterator[Edit]:
    """By a name that the function of this file has, or that other calls of it give."""
    given = {one.arg for one in node.keywords}
    target, known = site.source.defined.get(name_of(node.func)), dict[str, None]()
    if target is not None:
        known.update((one.arg, None) for one in (*target.args.args, *target.args.kwonlyargs))
    for other in site.source.calls.get(name_of(node.func), ())[:40]:
        known.update((one.arg, None) for one in other.keywords if one.arg)
    for one in node.keywords:
        for name in [name for name in known if name not in given and name not in ("self", "cls")][:6]:
            if one.arg is None:
                continue
            start = site.source.at(one.lineno, one.col_offset)
            if site.source.text.startswith(one.arg, start):
                why = f"`{one.arg}` is meant as `{name}`"
                yield Edit(site.source.path, start, start + len(one.arg), name, "argument", why, 2.3, node.lineno)
