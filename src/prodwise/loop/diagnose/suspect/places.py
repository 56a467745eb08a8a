"""Where in the repository an error's calls lie."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from prodwise.loop.diagnose.suspect import code
from prodwise.loop.group.files import is_library
from prodwise.model.event import ErrorEvent, Frame, Thrown

FRAMES_MAX: Final = 12
"""The app's own calls that are looked at, from where it was raised outwards."""
CHAIN_MAX: Final = 8
SEGMENTS_MAX: Final = 12
_BUILT: Final = {
    ".js": (".ts", ".tsx", ".jsx", ".mjs"),
    ".jsx": (".tsx",),
    ".mjs": (".mts", ".ts"),
    ".cjs": (".ts", ".js"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """One call. line: 0 when not known; depth: 0 where it was raised; start, end: of the function around it, 0 without."""

    path: str
    line: int
    depth: int
    name: str = ""
    start: int = 0
    end: int = 0


def places(events: Iterable[ErrorEvent], texts: Mapping[str, str], paths: Collection[str]) -> tuple[Place, ...]:
    """Each place once, at its smallest depth. paths: every path known, at the release or changed on the way to it."""
    found: dict[tuple[str, int, str], Place] = {}
    for event in events:
        for depth, frame in own_frames(event):
            path = resolve(frame.file, frame.module, paths)
            if path:
                place = _place(path, frame, depth, texts.get(path, ""))
                key = (path, place.line, place.name)
                if key not in found or depth < found[key].depth:
                    found[key] = place
    return tuple(sorted(found.values(), key=lambda one: (one.depth, one.path, one.line, one.name)))


def own_frames(event: ErrorEvent) -> Iterator[tuple[int, Frame]]:
    """(depth, frame) of the app's own calls: of the root cause first, one deeper for each exception that was made of it."""
    for later, thrown in enumerate(event.chain[:CHAIN_MAX]):
        for depth, frame in enumerate(_own(thrown)):
            yield depth + later, frame


def _own(thrown: Thrown) -> list[Frame]:
    frames = list(thrown.frames[: -200 - 1 : -1])
    own = [one for one in frames if not is_library(one.file, one.module) and one.in_app is not False]
    found = own or [one for one in frames if not is_library(one.file, one.module)]
    return [one for at, one in enumerate(found) if at == 0 or one != found[at - 1]][:FRAMES_MAX]


def resolve(file: str, module: str, paths: Collection[str]) -> str:
    """The path in the repository that a frame's file means: the one that shares most of its last segments; "" when none or
    several do alike. Roots differ between machines, and bundlers put their own before it."""
    wanted = [one for one in file.partition("?")[0].replace("\\", "/").split("/") if one not in ("", ".", "..")]
    if not wanted and module:
        wanted = [*module.split(".")[:-1], module.rsplit(".", 1)[-1] + ".py"]
    wanted = wanted[-SEGMENTS_MAX:]
    if not wanted:
        return ""
    stem, dot, suffix = wanted[-1].rpartition(".")
    for last in (wanted[-1], *(stem + other for other in _BUILT.get(dot + suffix, ()))):
        if best := _most_alike([*wanted[:-1], last], paths):
            return best
    return ""


def _most_alike(wanted: list[str], paths: Collection[str]) -> str:
    scored = [(_shared(path.split("/"), wanted), path) for path in paths if path.endswith(wanted[-1])]
    scored = [one for one in scored if one[0]]
    if not scored:
        return ""
    most = max(score for score, _ in scored)
    best = sorted(path for score, path in scored if score == most)
    whole = [path for path in best if len(path.split("/")) == most]
    return best[0] if len(best) == 1 else whole[0] if len(whole) == 1 else ""


def _shared(path: list[str], wanted: list[str]) -> int:
    count = 0
    for ours, theirs in zip(reversed(path), reversed(wanted), strict=False):
        if ours != theirs:
            break
        count += 1
    return count


def _place(path: str, frame: Frame, depth: int, text: str) -> Place:
    name = frame.function.rsplit(".", 1)[-1]
    line = _line(frame, text)
    around = code.enclosing(text, line) if line else None
    if around is None or (name and name != around.name and not name.startswith("<")):
        around = code.named(text, name, line) or around
    start, end = (around.start, around.end) if around else (0, 0)
    return Place(path, line, depth, name, start, end)


def _line(frame: Frame, text: str) -> int:
    """The frame's line, or where its code stands now when that line holds something else; 0 when it lies outside the file."""
    lines = code.lines_of(text) if text else ()
    told = frame.line if frame.line > 0 and (not lines or frame.line <= len(lines)) else 0
    source = frame.code.strip()[: code.LINE_CHARS]
    if not lines or not source or (told and lines[told - 1].strip() == source):
        return told
    alike = [number for number, line in enumerate(lines, 1) if line.strip() == source]
    return min(alike, key=lambda number: (abs(number - told), number)) if alike else told
