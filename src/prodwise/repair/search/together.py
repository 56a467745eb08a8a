"""The same edit at two to four places that go together: each time in one function, or in functions that say the same there."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from prodwise.repair.edits import Edit
from prodwise.repair.source import Function, Source

PLACES_MOST = 4
GROUPS_MOST = 600
COST_MOST = 2.6
MORE = 0.35
"""What a second place costs beside the first."""
_LEFT_OUT = frozenset({"constant", "turned", "order"})


@dataclass(frozen=True)
class Placed:
    """An edit where it would be made."""

    edit: Edit
    source: Source
    statement: ast.stmt


@dataclass(frozen=True)
class Joined:
    """One edit that does what its parts do. at: the first of them."""

    edit: Edit
    parts: tuple[Edit, ...]
    at: Placed


def joined(some: Iterable[Placed]) -> list[Joined]:
    """Likeliest first."""
    groups: dict[tuple[str, ...], list[Placed]] = {}
    for one in some:
        if one.edit.cost <= COST_MOST and one.edit.kind not in _LEFT_OUT:
            groups.setdefault(_key(one), []).append(one)
    found: list[Joined] = []
    for group in groups.values():
        if len(group) > 1:
            found.extend(_of(group))
        if len(found) >= GROUPS_MOST:
            break
    return found


def _key(one: Placed) -> tuple[str, ...]:
    """What is put in whose place; of whole lines that are put in anew, before what."""
    edit, source = one.edit, one.source
    old = source.text[edit.start : edit.end]
    beside = source.of(one.statement).partition("\n")[0] if not old.strip() and edit.new.endswith("\n") else ""
    return edit.path, edit.kind, old, edit.new.strip(), beside


def _of(group: Sequence[Placed]) -> Iterator[Joined]:
    """All places of each function; then one or more of several functions whose statements are the same."""
    by_function: dict[Function | None, list[Placed]] = {}
    for one in group:
        by_function.setdefault(one.source.function(one.statement), []).append(one)
    for function, mine in by_function.items():
        if function is not None and 1 < len(mine) <= PLACES_MOST:
            yield from _one(mine)
    said: dict[str, list[Placed]] = {}
    for one in group:
        said.setdefault(_said(one), []).append(one)
    for alike in said.values():
        if 1 < len(alike) <= PLACES_MOST and len({one.source.function(one.statement) for one in alike}) > 1:
            yield from _one(alike)


def _said(one: Placed) -> str:
    """The first line of its statement."""
    return one.source.lines[one.statement.lineno - 1].strip()


def _one(places: Sequence[Placed]) -> Iterator[Joined]:
    ordered = sorted(places, key=lambda one: one.edit.start)
    text, first, last = ordered[0].source.text, ordered[0].edit, ordered[-1].edit
    new, at = "", first.start
    for one in ordered:
        if one.edit.start < at or (one.edit.start == at and new):
            return
        new += text[at : one.edit.start] + one.edit.new
        at = one.edit.end
    edits = tuple(one.edit for one in ordered)
    cost = max(one.cost for one in edits) + MORE
    yield Joined(replace(first, end=last.end, new=new, cost=cost, why=f"{first.why}, each time"), edits, ordered[0])
