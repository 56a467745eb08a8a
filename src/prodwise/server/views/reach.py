"""How far a fault and each step reach: words, a table, and a small map that is as wide as a phone."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from prodwise.loop.reach import told
from prodwise.model.reach import Reach
from prodwise.server.views.facts import Case
from prodwise.server.views.words import mapping, sequence, visible

WIDTH, BOX, GAP, LAYER = 260, 42, 8, 24
"""Units of the map: its width, a box's height, between boxes, between layers."""
SHOWN, CHARACTERS = 4, 8.0  # boxes of a layer; units that a character takes
STEP_WORDS = {
    "restart": "restart",
    "flag_off": "switch a flag off",
    "rollback": "go back",
    "pin": "pin a package",
    "setting": "put a setting back",
    "revert": "revert a commit",
    "patch": "patch",
    "handover": "hand over to a person",
}


@dataclass(frozen=True, slots=True)
class Box:
    """kind: users, caller, about or needs. name is cut to fit, title whole."""

    x: int
    y: int
    width: int
    name: str
    title: str
    words: str
    kind: str


@dataclass(frozen=True, slots=True)
class Map:
    """Layers from users down to what is called; arrows: (y of the beginning, y of the end) in the middle."""

    height: int
    boxes: tuple[Box, ...]
    arrows: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Spread:
    """One reach. about: "the fault", or the step in words; text: all of it in one line."""

    about: str
    text: str
    share: str
    routes: int
    people: str
    data: str
    services: str
    lasting: tuple[str, ...]
    unknown: tuple[str, ...]
    map: Map


@dataclass(frozen=True, slots=True)
class Reaches:
    """steps: smallest first, each as it would reach; chosen: the one of the plan."""

    fault: Spread
    chosen: Spread | None
    steps: tuple[Spread, ...]


def reaches(case: Case) -> Reaches | None:
    """As the decision stored it; None before there is one."""
    stored = mapping(case.decision.get("reach"))
    kind, front = str(mapping(case.plan.get("action")).get("kind", "")), str(stored.get("front", ""))
    with contextlib.suppress(TypeError, ValueError, KeyError):
        fault = Reach.from_json(mapping(stored["fault"]))
        steps = [Reach.from_json(mapping(one)) for one in sequence(stored.get("steps"))[:12]]
        spreads = {one.what: spread(one, front) for one in steps}
        return Reaches(spread(fault, front), spreads.get(kind), tuple(spreads.values()))
    return None


def spread(reach: Reach, front: str) -> Spread:
    about = "the fault" if reach.what == "fault" else STEP_WORDS.get(reach.what, visible(reach.what, 40))
    none = not reach.services
    return Spread(
        about=about,
        text=visible(told.text(reach), 1200),
        share="none" if none else "not known: taken for all" if reach.unknown else told.share(reach),
        routes=len(reach.routes),
        people="none" if none else told.people(reach),
        data=visible(reach.data, 300),
        services=visible(told.named((*reach.services, *reach.callers)) or "none", 200),
        lasting=tuple(visible(one, 300) for one in reach.lasting[:8]),
        unknown=tuple(visible(one, 300) for one in reach.unknown[:8]),
        map=drawn(reach, front),
    )


def drawn(reach: Reach, front: str) -> Map:
    """Users, those that call, what it is about, what that calls; a layer without anything is left out."""
    hit = "is hit" if reach.what == "fault" else STEP_WORDS.get(reach.what, reach.what)
    layers: list[tuple[str, Sequence[str], str]] = [
        ("caller", reach.callers, "calls it"),
        ("about", reach.services, hit),
        ("needs", reach.needs, "is called by it"),
    ]
    if front in (*reach.callers, *reach.services):
        share = "how many is not known" if reach.unknown else f"{told.share(reach)} of requests, {told.people(reach)}"
        layers.insert(0, ("users", ("users",), share))
    boxes: list[Box] = []
    arrows: list[tuple[int, int]] = []
    y = 2
    for kind, names, words in layers:
        if names:
            if boxes:
                arrows.append((y, y + LAYER))
                y += LAYER
            placed = _layer(kind, names, words, y)
            boxes += placed
            y = placed[-1].y + BOX
    return Map(y + 2, tuple(boxes), tuple(arrows))


def _layer(kind: str, names: Sequence[str], words: str, y: int) -> list[Box]:
    """Two beside each other; of more than SHOWN the last box says how many."""
    shown = list(names) if len(names) <= SHOWN else [*names[: SHOWN - 1], f"and {len(names) - SHOWN + 1} more"]
    width = WIDTH - 4 if len(shown) == 1 else (WIDTH - 4 - GAP) // 2
    found = []
    for place, name in enumerate(shown):
        row, column = divmod(place, 2)
        alone = column == 0 and place == len(shown) - 1
        wide = WIDTH - 4 if alone else width
        x, at = 2 + column * (width + GAP), y + row * (BOX + GAP)
        found.append(Box(x, at, wide, _cut(name, wide), visible(name, 200), _cut(words, wide), kind))
    return found


def _cut(text: str, width: int) -> str:
    return visible(text, int((width - 16) // CHARACTERS) + 1)


def spoken(found: Reaches | None) -> Mapping[str, Any] | None:
    """As data: without the geometry of the maps."""
    if found is None:
        return None
    told_: dict[str, Any] = {"fault": _plain(found.fault), "chosen": _plain(found.chosen) if found.chosen else None}
    return {**told_, "steps": [_plain(one) for one in found.steps]}


def _plain(one: Spread) -> dict[str, Any]:
    return {name: value for name, value in asdict(one).items() if name != "map"}
