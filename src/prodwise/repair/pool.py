"""The edits that are worth a try in a scene, likeliest first."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from prodwise.model.event import Frame
from prodwise.ports.repair import Tree, Workshop
from prodwise.repair import rank
from prodwise.repair.edits import Edit
from prodwise.repair.localise import is_test, suspicion
from prodwise.repair.probe import read_text
from prodwise.repair.scene import ASSERTED, Scene
from prodwise.repair.search import candidates
from prodwise.repair.source import Function, Source, Unit
from prodwise.repair.templates import crash, defaults, expected, guards, handlers, members, raises

FILES_MOST = 12
STATEMENTS_MOST = 200
CANDIDATES_MOST = 20_000
HISTORY_MOST = 8
PROTECTED = ("setup.py", "conftest.py", "noxfile.py", "fabfile.py", "tasks.py", "sitecustomize.py")


@dataclass(frozen=True, slots=True)
class Candidate:
    edit: Edit
    unit: Unit | None
    score: float


def pool(scene: Scene, tree: Tree, workshop: Workshop) -> list[Candidate]:
    """1. The files that the failing test ran, most suspect first. 2. Their statements. 3. All edits of each, scored."""
    places = suspicion(scene.spectrum, scene.frames)
    best: dict[str, float] = {}
    for (path, _), value in places.items():
        best[path] = max(best.get(path, 0.0), value)
    sources = _sources(tree, sorted(best, key=lambda path: -best[path]))
    older = {path: _older(workshop, path) for path in list(sources)[:3]}
    wanted = _awaited(scene, tree)
    ranked = sorted(_statements(sources, places), key=lambda one: -one[0])[:STATEMENTS_MOST]
    made: dict[tuple[str, int, int, str], Candidate] = {}
    for suspect, source, statement in ranked:
        for edit in (*_templates(scene, source, statement, wanted), *candidates.of(source, statement)):
            key = (edit.path, edit.start, edit.end, edit.new)
            if rank.hollow(rank.edited_line(edit, source)):
                continue
            score = rank.score(edit, suspect, source, older.get(source.path, ()))
            if key not in made or made[key].score > score:
                made[key] = Candidate(edit, _unit(source, statement, edit), score)
            if len(made) >= CANDIDATES_MOST:
                break
    return sorted(made.values(), key=lambda one: one.score)


def _sources(tree: Tree, paths: Sequence[str]) -> dict[str, Source]:
    found: dict[str, Source] = {}
    for path in paths:
        if len(found) >= FILES_MOST:
            break
        if is_test(path) or path.rpartition("/")[2] in PROTECTED or "migrations/" in path or not path.endswith(".py"):
            continue
        source = _source(tree, path)
        if source is not None:
            found[path] = source
    return found


def _source(tree: Tree, path: str) -> Source | None:
    place = tree.root / path
    if place.is_symlink() or not place.is_file() or not place.resolve().is_relative_to(tree.root.resolve()):
        return None
    try:
        return Source(path, read_text(place))
    except (SyntaxError, ValueError, OSError, RecursionError):
        return None


def _awaited(scene: Scene, tree: Tree) -> raises.Awaited | None:
    """The exception without which the test fails, read where it does."""
    frame = next((one for one in reversed(scene.frames) if is_test(one.file)), None)
    test = _source(tree, frame.file) if frame is not None else None
    return raises.awaited(scene.said, test, frame.line if frame is not None else 0)


def _statements(
    sources: Mapping[str, Source], places: Mapping[tuple[str, int], float]
) -> Iterator[tuple[float, Source, ast.stmt]]:
    for path, source in sources.items():
        for statement in source.statements:
            lines = range(statement.lineno, source.last_head_line(statement) + 1)
            value = max((places.get((path, line), 0.0) for line in lines), default=0.0)
            inside = source.function(statement) if not isinstance(statement, Function) else statement
            if isinstance(statement, Function):
                first = statement.body[0]
                value = max(value, places.get((path, first.lineno), 0.0), _body(source, statement, places))
            if value and (inside is not None or value > 0.5):
                yield value, source, statement


def _body(source: Source, function: Function, places: Mapping[tuple[str, int], float]) -> float:
    """A function's head is as suspect as the most suspect line of its body, less a little."""
    lines = range(function.lineno + 1, (function.end_lineno or function.lineno) + 1)
    return 0.9 * max((places.get((source.path, line), 0.0) for line in lines), default=0.0)


def _templates(scene: Scene, source: Source, statement: ast.stmt, wanted: raises.Awaited | None) -> Iterator[Edit]:
    if isinstance(statement, Function):
        yield from defaults.edits(source, statement)
        return
    lines = range(statement.lineno, source.last_head_line(statement) + 1)
    for depth, frame in enumerate(reversed(own(scene.frames))):
        if frame.file == source.path and frame.line in lines:
            yield from crash.edits(source, statement, scene.error, scene.message, depth)
            yield from handlers.edits(source, statement, scene.error)
            yield from guards.edits(source, statement, scene.error, scene.message, depth)
    if scene.error.rpartition(".")[2] in ASSERTED:
        yield from expected.edits(source, statement, scene.said)
    if wanted is not None:
        yield from raises.edits(source, statement, wanted, scene.calls)
    yield from members.edits(source, statement, scene.said, scene.calls)


def own(frames: Sequence[Frame]) -> list[Frame]:
    """The program's own frames, without the tests'."""
    return [frame for frame in frames if frame.in_app is not False and frame.line > 0 and not is_test(frame.file)]


def _unit(source: Source, statement: ast.stmt, edit: Edit) -> Unit | None:
    """None where the edit reaches out of the function that holds the statement."""
    unit = source.unit(statement)
    if unit is None or source.line_of(edit.start) < unit.first or source.line_of(edit.end) > unit.last + 1:
        return None
    return unit


def _older(workshop: Workshop, path: str) -> tuple[str, ...]:
    return tuple(text for _, text in workshop.history(path, HISTORY_MOST)[1:])
