"""What holds too much: a list, a set or a table with an entry that does not belong there."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from prodwise.repair.edits import Edit
from prodwise.repair.search.site import Site

ENTRIES_MOST = 24


def edits(site: Site, node: ast.expr) -> Iterator[Edit]:
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
