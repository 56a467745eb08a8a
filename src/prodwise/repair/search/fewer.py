"""What holds too much: a list, a set or a table with an entry that does not belong there, a loop within a loop."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from prodwise.repair.edits import Edit
from prodwise.repair.search.site import Site

ENTRIES_MOST = 24


def edits(site: Site, node: ast.expr) -> Iterator[Edit]:
    if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp):
        yield from _inner(site, node)
        return
    match node:
        case ast.Set(elts=entries) | ast.List(elts=entries, ctx=ast.Load()) | ast.Tuple(elts=entries, ctx=ast.Load()):
            spans = [site.source.span(one) for one in entries]
        case ast.Dict(keys=keys, values=entries) if all(one is not None for one in keys):
            spans = [
                (site.source.span(key)[0], site.source.span(value)[1])
                for key, value in zip(keys, entries, strict=True)
                if key is not None
            ]
        case _:
            return
    least = 3 if isinstance(node, ast.Tuple) else 2
    if len(spans) < least or len(spans) > ENTRIES_MOST or any(isinstance(one, ast.Starred) for one in entries):
        return
    for at, (start, end) in enumerate(spans):
        first, last = (start, spans[at + 1][0]) if at + 1 < len(spans) else (spans[at - 1][1], end)
        text = site.source.text[first:last]
        if "#" not in text and "(" not in site.source.text[first:start] + site.source.text[end:last]:
            why = f"`{' '.join(site.source.text[start:end].split())[:60]}` does not belong there"
            yield Edit(site.source.path, first, last, "", "entry dropped", why, 2.5, entries[at].lineno)


def _inner(site: Site, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> Iterator[Edit]:
    """`[b for a in all for b in a.split()]` goes through what it is to take whole."""
    *outer, last = node.generators
    if not outer or last.ifs or last.is_async or not isinstance(node.elt, ast.Name):
        return
    within = outer[-1]
    names = {one.id for one in ast.walk(last.iter) if isinstance(one, ast.Name)}
    if (
        not isinstance(within.target, ast.Name)
        or within.target.id not in names
        or ast.unparse(last.target) != node.elt.id
    ):
        return
    kept = site.source.text[site.source.span(node.elt)[1] : site.source.span((within.ifs or [within.iter])[-1])[1]]
    text = site.source.of(node)
    why = f"`{within.target.id}` itself is meant"
    yield site.swap(node, f"{text[0]}{within.target.id}{kept}{text[-1]}", "entry dropped", why, 2.0)
