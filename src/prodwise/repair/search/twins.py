"""An edit of one expression, made wherever the statement has that expression: what one place lacks, its twin may lack as well."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import replace

from prodwise.repair.edits import Edit
from prodwise.repair.search.site import Site

_KINDS = frozenset({"call missing"})
"""Where a test of one place says little about the other, so that both edits pass and stand against each other."""


def edits(site: Site, found: Iterable[Edit]) -> Iterator[Edit]:
    places = _places(site)
    for edit in found:
        spans = places.get(site.source.text[edit.start : edit.end], []) if edit.kind in _KINDS else []
        if len(spans) > 1 and (edit.start, edit.end) in spans:
            yield _everywhere(site, edit, spans)


def _places(site: Site) -> dict[str, list[tuple[int, int]]]:
    """The spans of each expression that is read, by its text; of names and what is taken from them."""
    found: dict[str, list[tuple[int, int]]] = {}
    for node in site.source.head(site.statement):
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Load):
            found.setdefault(site.source.of(node), []).append(site.source.span(node))
    return found


def _everywhere(site: Site, edit: Edit, spans: list[tuple[int, int]]) -> Edit:
    spans = sorted(set(spans))
    text, new, at = site.source.text, "", spans[0][0]
    for start, end in spans:
        new += text[at:start] + edit.new
        at = end
    return replace(edit, start=spans[0][0], end=at, new=new, why=f"{edit.why}, each time")
