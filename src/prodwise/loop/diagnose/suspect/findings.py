"""What speaks for and against each commit: one function a kind of evidence. Pure; of each kind the strongest finding counts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prodwise.loop.diagnose.suspect import code, reach
from prodwise.loop.diagnose.suspect import weights as w
from prodwise.loop.diagnose.suspect.by_name import makes, stood_before
from prodwise.loop.diagnose.suspect.case import Finding
from prodwise.loop.diagnose.suspect.kinds import Kind, kind_of, nothing_runs
from prodwise.loop.diagnose.suspect.lines import Way
from prodwise.loop.diagnose.suspect.message import Role
from prodwise.loop.diagnose.suspect.packages import changed_packages, package_in, package_of
from prodwise.loop.diagnose.suspect.places import Place
from prodwise.loop.diagnose.suspect.scene import Scene
from prodwise.model.commit import Commit

NEAR_CALLS: Final = 3
"""Calls whose lines' names are looked for in what commits made."""
_NOTHING = re.compile(
    r"\b(?:None|null|undefined|nil)\b|\.(?:get|find|pop)\(|\?\.|\bfirst\(|=\s*(?:\[\]|\{\}|\"\"|'')\s*[;,]?$"
)

Finder = Callable[[Scene, Commit], Iterator[Finding]]


def strongest(findings: Iterable[Finding]) -> Finding | None:
    return max(findings, key=lambda one: (one.weight, one.path, -one.line, one.text), default=None)


def depth_of(place: Place) -> float:
    return w.DEPTH[min(place.depth, len(w.DEPTH) - 1)]


def raised(scene: Scene, commit: Commit) -> Iterator[Finding]:
    """It changed the code that the error passes through."""
    stood = stood_before(scene, commit)
    for place in scene.places:
        for number, touches in scene.touches(place.path).items():
            for touch in touches:
                if touch.sha == commit.sha and (scene.counts(place.path, number, touch.way) or number == place.line):
                    weight, words = _touched(place, number, touch.way)
                    if weight == w.IN_FILE and scene.in_another(place, number):
                        weight = w.IN_ANOTHER
                    most = w.STOOD_BEFORE if stood and weight > w.IN_FUNCTION else weight
                    if weight:
                        weight = max(min(weight, most) + w.OLDER * touch.age, min(weight, w.IN_FILE)) * depth_of(place)
                        yield Finding(weight, words, place.path, number)


def _touched(place: Place, number: int, way: Way) -> tuple[float, str]:
    """(weight, in words) of a touch of one line, seen from where a call lies."""
    where = "where the error is raised" if place.depth == 0 else "on the way to where the error is raised"
    inside = place.start <= number <= place.end if place.start else False
    near = place.line and abs(number - place.line) <= w.NEAR_LINES and (inside or not place.start)
    if way is Way.MOVED:
        return (w.MOVED_LINE, f"moved or laid out code {where}") if inside or near else (0.0, "")
    verb = "removed code beside" if way is Way.BESIDE else "changed"
    if number == place.line and way is Way.WROTE:
        return w.WROTE_LINE, f"changed {place.path}:{number}, {where}"
    if near:
        return w.NEAR_LINE, f"{verb} {place.path}:{number}, next to {where}"
    if inside:
        return w.IN_FUNCTION, f"{verb} {place.path}:{number}, in {place.name or 'the function'}, {where}"
    return w.IN_FILE, f"{verb} {place.path}:{number}, in the file {where}"


def reached(scene: Scene, commit: Commit) -> Iterator[Finding]:
    """It changed what the failing code calls or reads, or what that rests on."""
    changed = scene.changed.get(commit.sha, {})
    for place in scene.places if changed else ():
        for name, much in reach.rests_on(scene, place).items():
            if name in changed:
                path, line = changed[name]
                words = f"changed {name} ({path}:{line}), which {place.path}:{place.line or place.start} rests on"
                yield Finding(w.RESTS_ON * much * depth_of(place), words, path, line)


def made(scene: Scene, commit: Commit) -> Iterator[Finding]:
    """It changed or took away lines that make what the failing line reads."""
    for place in scene.places[:NEAR_CALLS]:
        line = scene.line(place.path, place.line)
        direct = scene.telling_words(line)
        fed = frozenset(word for text in reach.feeding(scene, place) for word in scene.telling_words(text))
        before = frozenset(
            one for name in scene.named if name.role is Role.ON for one in reach.receivers(line, name.word)
        )
        for word in sorted((direct | fed) & scene.spoken[commit.sha]):
            much = (1.0 if word in direct else w.FEEDS) * depth_of(place)
            for finding in makes(scene, commit, word):
                more = w.RECEIVER if word in before else 0.0
                yield Finding((finding.weight + more) * much, finding.text, finding.path, finding.line)


def reads(scene: Scene, commit: Commit) -> Iterator[Finding]:
    """It changed a file, other than code, that the failing functions read."""
    ours = {
        one.path.rsplit("/", 1)[-1]: one.path for one in commit.own() if one.path and kind_of(one.path) is Kind.OTHER
    }
    for place in scene.places if ours else ():
        for path, lines, much in reach.regions(scene, place):
            for name in sorted(reach.files_in(lines) & ours.keys()):
                yield Finding(
                    w.READS_FILE * much * depth_of(place), f"changed {ours[name]}, which {path} reads", ours[name]
                )


def emptied(scene: Scene, commit: Commit) -> Iterator[Finding]:
    """The error found nothing where something was expected; its lines write such nothing, or look up what may not be there."""
    if any(one.role is Role.EMPTY for one in scene.named):
        for line in scene.lines(commit):
            if line.added and _NOTHING.search(line.text):
                yield Finding(
                    w.EMPTY_MADE, f"can make nothing of something, {line.path}:{line.number}", line.path, line.number
                )


def same_words(scene: Scene, commit: Commit) -> Iterator[Finding]:
    """Its lines speak of what the failing line speaks of."""
    for place in scene.places[:2]:
        shared = scene.telling_words(scene.line(place.path, place.line)) & scene.spoken[commit.sha]
        if shared:
            word = max(sorted(shared), key=scene.told_by)
            weight = w.SAME_WORDS * scene.told_by(word) * depth_of(place)
            yield Finding(weight, f"its lines speak of {word}, as the failing one does")


def packages(scene: Scene, commit: Commit) -> Iterator[Finding]:
    """It changed a dependency that the error passes through, names or uses."""
    changed = changed_packages(commit)
    if not changed:
        return
    for thrown in scene.thrown:
        for at, frame in enumerate(reversed(thrown.frames[-100:])):
            if (name := package_in(frame)) in changed:
                yield Finding(
                    w.PACKAGE_RAISES * (1.0 if at == 0 else 0.85),
                    f"changed {name}, which the error passes through",
                    changed[name],
                )
        if "." in thrown.kind and (name := package_of(thrown.kind)) in changed:
            yield Finding(w.PACKAGE_NAMED, f"changed {name}, whose error this is", changed[name])
    for one in scene.named:
        if (name := package_of(one.word)) in changed:
            yield Finding(w.PACKAGE_NAMED, f"changed {name}, which the error names", changed[name])
    missing = {one.word for one in scene.named}
    for place in scene.places:
        for path, lines, much in reach.regions(scene, place):
            used = frozenset(word for line in lines for word in code.words(line))
            direct = code.words(scene.line(place.path, place.line)) if path == place.path else frozenset[str]()
            for module, known_as in code.imports(scene.texts.get(path, "")):
                if (name := package_of(module)) in changed:
                    weight, words = _used(known_as, direct, used, missing)
                    yield Finding(
                        weight * (1.0 if weight == w.PACKAGE_NAMED else much * depth_of(place)),
                        f"changed {name}, {words} {path}",
                        changed[name],
                    )


def _used(
    known_as: frozenset[str], direct: frozenset[str], used: frozenset[str], missing: set[str]
) -> tuple[float, str]:
    if direct & known_as & missing:
        return w.PACKAGE_NAMED, "from which comes what the error names in"
    if direct & known_as:
        return w.PACKAGE_USED, "which the failing line uses in"
    return (w.PACKAGE_NEAR, "which is used in") if used & known_as else (w.PACKAGE_IMPORTED, "which is imported by")


def as_a_whole(scene: Scene, commit: Commit) -> Iterator[Finding]:
    """What it is, and when it was made."""
    if nothing_runs(commit):
        what = (
            "only joins branches"
            if commit.others and not commit.own()
            else "changed documents, tests, comments or layout only"
        )
        yield Finding(w.NOTHING_RUNS, what)
    elif scene.onset is not None and commit.at > scene.onset + w.ONSET_TOLERANCE_S:
        yield Finding(w.AFTER_ONSET, "was made when it failed already")
