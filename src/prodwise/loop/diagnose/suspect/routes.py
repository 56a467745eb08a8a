"""Faults without frames: only routes are known to fail, so what answers them is looked for in the code."""

from __future__ import annotations

from collections.abc import Iterator

from prodwise.loop.diagnose.suspect import code
from prodwise.loop.diagnose.suspect.case import Finding
from prodwise.loop.diagnose.suspect.findings import packages, raised, reached, reads, strongest
from prodwise.loop.diagnose.suspect.kinds import Kind, kind_of
from prodwise.loop.diagnose.suspect.places import Place
from prodwise.loop.diagnose.suspect.scene import Scene, plain_route, varies
from prodwise.model.commit import Commit

FROM_PLACES = (raised, reached, reads, packages)


def answering(scene: Scene, commit: Commit) -> Iterator[Finding]:
    """It changed what answers the failing routes: averaged over them, as what they share explains them all."""
    if scene.places or not scene.routes:
        return
    told = [_of_route(scene, commit, route) for route in scene.routes]
    best = [one for findings in told for one in findings]
    top = strongest(best)
    if top is not None:
        weight = sum(sorted(one.weight for one in best)) / len(told)
        yield Finding(weight, f"{top.text}; seen from what answers {', '.join(scene.routes[:3])}", top.path, top.line)


def _of_route(scene: Scene, commit: Commit, route: str) -> list[Finding]:
    """The strongest of each kind, seen from the functions that answer the route."""
    seen = scene.seen_from(scene.once(("handlers", route), lambda: handlers(scene, route)))
    found = (strongest(finder(seen, commit)) for finder in FROM_PLACES)
    return [one for one in found if one is not None]


def handlers(scene: Scene, route: str) -> tuple[Place, ...]:
    """What answers a route: the function whose decorator bears it, the block that begins with it, or the functions that are
    named beside it. Of several, those that bear most of the route."""
    wanted, found = plain_route(route), list[tuple[int, Place]]()
    for path, text in scene.texts.items():
        if kind_of(path) is not Kind.CODE:
            continue
        for number, line in enumerate(code.lines_of(text), 1):
            alike = max((_alike(one, wanted) for one in code.strings(line) if "/" in one), default=0)
            if alike:
                found += [(alike, place) for place in _at(scene, path, text, number, line)]
    most = max((alike for alike, _ in found), default=0)
    return tuple(dict.fromkeys(place for alike, place in found if alike == most))


def _alike(literal: str, wanted: tuple[str, ...]) -> int:
    """How many segments of the route a literal bears, from its end; 0 when it is another route."""
    segments = [one for one in literal.split("/") if one]
    if not segments:
        return 1 if not wanted and literal == "/" else 0
    if len(segments) > len(wanted):
        return 0
    told = 0
    for ours, theirs in zip(reversed(segments), reversed(wanted), strict=False):
        if varies(ours) or varies(theirs):
            continue
        if ours != theirs:
            return 0
        told += 1
    return len(segments) if told else 0


def _at(scene: Scene, path: str, text: str, number: int, line: str) -> Iterator[Place]:
    around = code.enclosing(text, number)
    if line.strip().startswith("@") and around is not None:
        yield Place(path, 0, 0, around.name, around.start, around.end)
        return
    beside = sorted(code.words(line) & scene.defined.keys())
    for name in beside:
        for where, one in scene.defined[name]:
            if not one.is_value:
                yield Place(where, 0, 0, name, one.start, one.end)
    end = _block_end(code.lines_of(text), number)
    if end > number:
        yield Place(path, 0, 0, "", number, end)


def _block_end(lines: tuple[str, ...], start: int) -> int:
    """The last line that lies further in than the first."""
    depth = len(lines[start - 1]) - len(lines[start - 1].lstrip())
    end = start
    for number in range(start + 1, len(lines) + 1):
        line = lines[number - 1]
        if line.strip() and len(line) - len(line.lstrip()) <= depth:
            break
        end = number if line.strip() else end
    return end
