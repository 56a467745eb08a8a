"""What speaks for and against each commit: one function a kind of evidence. Pure; of each kind the strongest finding counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prodwise.loop.diagnose.suspect import code
from prodwise.loop.diagnose.suspect import weights as w
from prodwise.loop.diagnose.suspect.case import Finding
from prodwise.loop.diagnose.suspect.kinds import nothing_runs
from prodwise.loop.diagnose.suspect.lines import Way
from prodwise.loop.diagnose.suspect.message import telling
from prodwise.loop.diagnose.suspect.packages import changed_packages, package_in, package_of
from prodwise.loop.diagnose.suspect.places import Place
from prodwise.loop.diagnose.suspect.scene import Scene
from prodwise.model.commit import Commit

Finder = Callable[[Scene, Commit], Iterator[Finding]]


def depth_of(place: Place) -> float:
    return w.DEPTH[min(place.depth, len(w.DEPTH) - 1)]


def raised(scene: Scene, commit: Commit) -> Iterator[Finding]:
    """It changed the code that the error passes through."""
    for place in scene.places:
        for number, touches in scene.touches(place.path).items():
            for touch in touches:
                if touch.sha == commit.sha and scene.counts(place.path, number, touch.way):
                    weight, words = _touched(place, number, touch.way)
                    if weight:
                        weight = max(weight + w.OLDER * touch.age, min(weight, w.IN_FILE)) * depth_of(place)
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
    """It changed what the failing code calls or reads."""
    changed = scene.changed.get(commit.sha, {})
    for place in scene.places:
        if not changed:
            return
        text = scene.line(place.path, place.line)
        by_line = code.words(text) - {place.name}
        yield from _changed_ones(
            changed, by_line, w.LINE_CALLS * depth_of(place), f"{place.path}:{place.line} calls or reads"
        )
        body = body_calls(scene, place.path, place.start, place.end) - {place.name}
        yield from _changed_ones(changed, body, w.FUNCTION_CALLS * depth_of(place), f"{place.name or place.path} calls")
        further = calls_of(scene, by_line & scene.defined.keys())
        yield from _changed_ones(
            changed, further, w.CALLS_CALL * depth_of(place), f"what {place.path}:{place.line} calls needs"
        )


def _changed_ones(
    changed: dict[str, tuple[str, int]] | object, names: frozenset[str], weight: float, words: str
) -> Iterator[Finding]:
    found = changed if isinstance(changed, dict) else {}
    for name in sorted(names & found.keys()):
        if len(name) > 1:
            path, line = found[name]
            yield Finding(weight, f"changed {name} ({path}:{line}), which {words}", path, line)


def body_calls(scene: Scene, path: str, start: int, end: int) -> frozenset[str]:
    lines = code.lines_of(scene.texts.get(path, ""))[start - 1 : end] if start else ()
    return frozenset(name for line in lines for name in code.calls(line))


def calls_of(scene: Scene, names: frozenset[str]) -> frozenset[str]:
    """What the functions of these names call."""
    return (
        frozenset(
            call
            for name in names
            for path, one in scene.defined.get(name, ())
            for call in body_calls(scene, path, one.start, one.end)
        )
        - names
    )


def same_words(scene: Scene, commit: Commit) -> Iterator[Finding]:
    """Its lines speak of what the failing line speaks of."""
    for place in scene.places[:2]:
        shared = telling(code.words(scene.line(place.path, place.line))) & scene.spoken[commit.sha]
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
    for place in scene.places:
        used = code.words(scene.line(place.path, place.line))
        for module, known_as in code.imports(scene.texts.get(place.path, "")):
            if (name := package_of(module)) in changed:
                weight = w.PACKAGE_USED if used & known_as else w.PACKAGE_IMPORTED
                verb = "uses" if used & known_as else "imports"
                yield Finding(weight * depth_of(place), f"changed {name}, which {place.path} {verb}", changed[name])


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
