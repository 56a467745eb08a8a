"""What failing code rests on: the names that its line reads, what fed them, and what those call, a few steps far."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from prodwise.loop.diagnose.suspect import code
from prodwise.loop.diagnose.suspect import weights as w
from prodwise.loop.diagnose.suspect.places import Place
from prodwise.loop.diagnose.suspect.scene import Scene

STEPS: Final = 3
NAMES_MAX: Final = 200
FEEDING_MAX: Final = 12
BODY_MAX: Final = 400
_SETS = re.compile(r"(?<![=!<>+*/-])=(?![=>])|\s(?:in|of|as)\s|\+=")
_FILE_NAME = re.compile(r"^[\w@./-]{1,120}\.[A-Za-z]\w{0,9}$")


def feeding(scene: Scene, place: Place) -> tuple[str, ...]:
    """The lines of the function above the failing one that set what it reads, and what those read, nearest first."""
    return scene.once(("feeding", place), lambda: _feeding(scene, place))


def _feeding(scene: Scene, place: Place) -> tuple[str, ...]:
    if not (place.start and place.line):
        return ()
    wanted = set(scene.telling_words(scene.line(place.path, place.line)))
    found: list[str] = []
    for number in range(place.line - 1, max(place.start, place.line - BODY_MAX) - 1, -1):
        text = scene.line(place.path, number)
        parts = _SETS.split(text, maxsplit=1)
        if len(parts) > 1 and code.words(parts[0]) & wanted and len(found) < FEEDING_MAX:
            found.append(text)
            wanted |= scene.telling_words(parts[1])
    return tuple(found)


def body(scene: Scene, path: str, start: int, end: int) -> tuple[str, ...]:
    return code.lines_of(scene.texts.get(path, ""))[start - 1 : min(end, start - 1 + BODY_MAX)] if start else ()


def rests_on(scene: Scene, place: Place) -> Mapping[str, float]:
    """Name → how much the failing line rests on it, at most 1: what it reads; what fed that; what its function calls; and,
    less with each step, what those call and read."""
    return scene.once(("rests on", place), lambda: _rests_on(scene, place))


def _rests_on(scene: Scene, place: Place) -> Mapping[str, float]:
    found: dict[str, float] = {}
    line = scene.line(place.path, place.line)
    around = body(scene, place.path, place.start, place.end)
    _take(found, {call for text in around for call in code.calls(text)}, w.IN_BODY if place.line else 1.0)
    _take(found, {name for text in feeding(scene, place) for name in scene.telling_words(text)}, w.FEEDS)
    _take(found, scene.telling_words(line), 1.0)
    for name in {place.name, *_locals(around)} & found.keys():
        del found[name]
    fresh = {name: much for name, much in found.items() if name in scene.defined}
    for _ in range(STEPS):
        further: dict[str, float] = {}
        for name, much in sorted(fresh.items()):
            _take(further, set(_used_by(scene, name)) - found.keys(), much * w.STEP)
        if len(found) + len(further) > NAMES_MAX:
            break
        found |= further
        fresh = further
    return found


def _locals(lines: tuple[str, ...]) -> Iterator[str]:
    """Names that a function has for itself: its arguments, and what its lines set; not what they call."""
    for number, line in enumerate(lines):
        parts = _SETS.split(line, maxsplit=1)
        mine = line if number == 0 else parts[0] if len(parts) > 1 else ""
        yield from (word for word in code.words(mine) if not re.search(rf"[.\s]{re.escape(word)}\(", line))


def _take(found: dict[str, float], names: set[str] | frozenset[str], much: float) -> None:
    for name in names:
        found[name] = max(found.get(name, 0.0), much)


def _used_by(scene: Scene, name: str) -> Iterator[str]:
    """What the functions of that name call, and which values they read."""
    for path, one in scene.defined.get(name, ()):
        for text in body(scene, path, one.start, one.end):
            yield from code.calls(text)
            yield from (
                word for word in scene.telling_words(text) if any(at.is_value for _, at in scene.defined.get(word, ()))
            )


def regions(scene: Scene, place: Place) -> Iterator[tuple[str, tuple[str, ...], float]]:
    """(path, lines, how much the failing line rests on them): its function, and what that rests on."""
    yield from scene.once(("regions", place), lambda: tuple(_regions(scene, place)))


def _regions(scene: Scene, place: Place) -> Iterator[tuple[str, tuple[str, ...], float]]:
    yield place.path, (*body(scene, place.path, place.start, place.end), scene.line(place.path, place.line)), 1.0
    for name, much in rests_on(scene, place).items():
        for path, one in scene.defined.get(name, ()):
            yield path, body(scene, path, one.start, one.end), much


def files_in(lines: Iterable[str]) -> frozenset[str]:
    """Names of files, without their folders, that stand in lines as strings."""
    found = (text for line in lines for text in code.strings(line))
    return frozenset(text.rsplit("/", 1)[-1] for text in found if _FILE_NAME.match(text))


def receivers(line: str, word: str) -> frozenset[str]:
    """What stands before `.word` in a line: what is not as the line takes it to be."""
    name = re.escape(word)
    found = re.finditer(rf"([A-Za-z_$][\w$]*)(?:\([^()]{{0,80}}\)|\[[^\[\]]{{0,80}}\])?\??\.{name}(?![\w$])", line)
    return frozenset(one[1] for one in found)
