"""The edits that are worth a try in a scene, likeliest first."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from math import log2

from prodwise.loop.verify.patch.protected import holds_tests, is_test
from prodwise.model.event import Frame
from prodwise.ports.repair import Tree, Workshop
from prodwise.repair import rank, turned
from prodwise.repair.edits import Edit
from prodwise.repair.localise import suspicion
from prodwise.repair.probe import read_text
from prodwise.repair.readers import Readers, bound
from prodwise.repair.scene import ASSERTED, Scene
from prodwise.repair.search import candidates, together
from prodwise.repair.source import Function, Source, Unit
from prodwise.repair.subjects import Reader, lent, subjects
from prodwise.repair.templates import asked, crash, defaults, expected, guards, handlers, members, raises, tables, texts
from prodwise.repair.whole import Whole, around

FILES_MOST = 12
STATEMENTS_MOST = 200
OUTER_MOST = 60
CANDIDATES_MOST = 28_000
LOOKED_AT_MOST = 14_000
JOINED_OF = 4_000
HISTORY_MOST = 8
OUTER = 0.9
"""A value of a module or a class is as suspect as the lines that read it, less a little."""
OUTER_LEAST = 0.5
"""Of what is most suspect: less is what only lines read which all tests run."""
FARTHER = 0.92
"""What the failing test does not import itself is less suspect by so much: else hundreds of lines are alike."""
TAKEN = 0.75
"""How suspect a module's own value is that the failing test takes by name."""
LENDING_MOST = 4
LENT_LEAST = 0.5
PROTECTED = ("setup.py", "conftest.py", "noxfile.py", "fabfile.py", "tasks.py", "sitecustomize.py")
ODD = 0.6
"""What an edit waits for more that reads another name at one place of many, or nothing of the turn of its loop."""
EMPTY = 0.5
"""And one that takes another name in place of what is empty or missing."""
CROWDED = 0.3
ROOM = 16
"""So many edits of one line have their turn at once; twice as many more wait for what CROWDED adds to their scores, and so on."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A comparison whose limit an edit moves. at: where it begins; least: the least whole number that is beyond it; told: whether
    the code gives that number elsewhere."""

    path: str
    at: int
    least: int
    up: bool
    told: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """seen: lines, beside its own, of which a test that runs one sees the edit; parts: the edits of which it is made;
    whole: the expression that it changes a part of."""

    edit: Edit
    unit: Unit | None
    score: float
    seen: frozenset[tuple[str, int]] = frozenset()
    moved: Moved | None = None
    parts: tuple[Edit, ...] = ()
    whole: Whole | None = None


@dataclass(frozen=True, slots=True)
class Hints:
    """awaited: the exception without which the test fails; texts: the short ones that it holds; longer: those of any length;
    numbers: the whole ones that it holds."""

    awaited: raises.Awaited | None
    texts: tuple[str, ...]
    longer: tuple[str, ...]
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Made:
    """An edit before it is looked at: that takes longer than to make it."""

    edit: Edit
    suspicion: float
    source: Source
    statement: ast.stmt
    parts: tuple[Edit, ...] = ()

    @property
    def rough(self) -> float:
        return rank.rough(self.edit, self.suspicion)


@dataclass(frozen=True)
class Pool:
    """suspects: statements of the program, the most suspect first, each with its suspicion; older: earlier texts of their files."""

    scene: Scene
    tree: Tree
    suspects: Sequence[tuple[float, Source, ast.stmt]]
    older: Mapping[str, tuple[str, ...]]
    readers: Readers

    def candidates(self) -> list[Candidate]:
        """In the order to try them: the likelier edits of each statement; the likeliest by kind, place and turn are looked at, and
        scored."""
        found = []
        for one, later in _spread(_all(self.scene, self.suspects, _hints(self.scene, self.tree)))[:LOOKED_AT_MOST]:
            edit, source, statement = one.edit, one.source, one.statement
            if not rank.hollow(rank.edited(edit, source, statement)) and not rank.endless(edit, source, statement):
                candidate = self._scored(one)
                found.append((candidate.score + later, candidate))
        return [one for _, one in sorted(found, key=lambda pair: pair[0])]

    def candidate(self, edit: Edit, suspicion: float, source: Source, statement: ast.stmt) -> Candidate:
        return self._scored(_Made(edit, suspicion, source, statement))

    def _scored(self, one: _Made) -> Candidate:
        edit, source = one.edit, one.source
        score = rank.score(edit, one.suspicion, source, self.older.get(source.path, ()))
        score += EMPTY if rank.another_than_empty(edit, self.scene.error, self.scene.message) else 0.0
        unit = _unit(source, one.statement, edit)
        seen = self.readers.seen(source, one.statement) if unit is None else frozenset()
        seen |= {(part.path, part.line) for part in one.parts}
        if turned.unnoticed(edit, source, one.statement, self.scene.spectrum):
            edit = replace(edit, kind="turned")
        elif any(
            odd(edit, source, one.statement) for odd in (rank.odd_one_out, rank.out_of_its_loop, rank.for_nothing)
        ):
            edit, score = replace(edit, kind="odd one out"), score + ODD
        return Candidate(edit, unit, score, seen, parts=one.parts, whole=around(source, one.statement, edit))


def pool(scene: Scene, tree: Tree, workshop: Workshop) -> Pool:
    """Of the files that the failing test ran, the most suspect ones."""
    read = cache(partial(source_at, tree))
    places = _nearer(suspicion(scene.spectrum, scene.frames), scene, read)
    best: dict[str, float] = {}
    for (path, _), value in places.items():
        best[path] = max(best.get(path, 0.0), value)
    sources = _sources(sorted(best, key=lambda path: -best[path]), read)
    older = {path: _older(workshop, path) for path in list(sources)[:3]}
    sources |= lenders(list(sources.values())[:LENDING_MOST], places, read)
    readers = Readers(sources)
    ranked = likely(sorted(_statements(sources, places, readers), key=lambda one: -one[0]))
    return Pool(scene, tree, ranked, older, readers)


def _nearer(places: Mapping[tuple[str, int], float], scene: Scene, read: Reader) -> dict[tuple[str, int], float]:
    """With the values of modules that the failing test takes by name."""
    files = dict.fromkeys((*(one.partition("::")[0] for one in scene.targets), *(one.file for one in scene.frames)))
    tests = [source for file in files if is_test(file) and (source := read(file)) is not None]
    near = subjects(tests, read)
    found = {place: value * (1.0 if place[0] in near or not near else FARTHER) for place, value in places.items()}
    for path, names in near.items():
        source = read(path)
        for one in source.tree.body if source is not None else ():
            if isinstance(one, ast.Assign | ast.AnnAssign) and names.intersection(bound(one)):
                found[path, one.lineno] = max(TAKEN, found.get((path, one.lineno), 0.0))
    return found


def likely(ranked: Sequence[tuple[float, Source, ast.stmt]]) -> list[tuple[float, Source, ast.stmt]]:
    """The most suspect statements; of those behind them the most suspect tables and patterns, which a thousand lines that all the
    tests run would keep out for ever. Before them all switches of modules and classes, which have one edit each; after them the
    least suspect values of modules, where there is room."""
    least = OUTER_LEAST * max((one[0] for one in ranked), default=0.0)
    switches = [one for one in ranked if _switch(one[2]) and _outer(one)]
    faint = [one for one in ranked if not _switch(one[2]) and _outer(one) and one[0] <= least]
    rest = [one for one in ranked if not _outer(one) or (one[0] > least and not _switch(one[2]))]
    outer = [one for one in rest[STATEMENTS_MOST:] if _outer(one)]
    return [
        *switches[:OUTER_MOST],
        *rest[: STATEMENTS_MOST - OUTER_MOST],
        *outer[:OUTER_MOST],
        *rest[STATEMENTS_MOST - OUTER_MOST : STATEMENTS_MOST],
        *faint[: min(OUTER_MOST, max(0, STATEMENTS_MOST - len(rest)))],
    ]


def _outer(one: tuple[float, Source, ast.stmt]) -> bool:
    """Whether it stands in no function."""
    return one[1].function(one[2]) is None


def _spread(made: Sequence[_Made]) -> list[tuple[_Made, float]]:
    """In the order to try them, each with what its turn adds to its score: the many edits of one statement, or of one kind, do not
    use up the time that belongs to the first ones of the next."""
    turns: dict[ast.stmt, int] = {}
    alike: dict[tuple[ast.stmt, str], int] = {}
    around: dict[ast.stmt, ast.stmt] = {}
    found = []
    for one in sorted(made, key=lambda one: one.rough):
        turn = turns[one.statement] = turns.get(one.statement, -1) + 1
        lines = one.source.last_head_line(one.statement) - one.statement.lineno + 1
        if one.statement not in around:
            around[one.statement] = one.source.function(one.statement) or one.statement
        kind = (around[one.statement], one.edit.kind)
        before = alike[kind] = alike.get(kind, -1) + 1
        found.append((one, CROWDED * log2(1 + turn / (ROOM * lines)) + candidates.ALIKE * log2(1 + before)))
    return sorted(found, key=lambda pair: pair[0].rough + pair[1])


def _all(scene: Scene, ranked: Sequence[tuple[float, Source, ast.stmt]], hints: Hints) -> list[_Made]:
    made: dict[tuple[str, int, int, str], _Made] = {}
    for suspect, source, statement in ranked:
        if len(made) >= CANDIDATES_MOST:
            break
        for edit in (*_templates(scene, source, statement, hints), *candidates.of(source, statement)):
            key, one = (edit.path, edit.start, edit.end, edit.new), _Made(edit, suspect, source, statement)
            if key not in made or made[key].rough > one.rough:
                made[key] = one
    return [*made.values(), *_together(list(made.values()))]


def _together(made: Sequence[_Made]) -> list[_Made]:
    """Of the likeliest, those that are made at several places."""
    some = sorted(made, key=lambda one: one.rough)[:JOINED_OF]
    suspicions = {id(one.edit): one.suspicion for one in some}
    placed = (together.Placed(one.edit, one.source, one.statement) for one in some)
    return [
        _Made(one.edit, max(suspicions[id(part)] for part in one.parts), one.at.source, one.at.statement, one.parts)
        for one in together.joined(placed)
    ]


def _sources(paths: Sequence[str], read: Reader) -> dict[str, Source]:
    found: dict[str, Source] = {}
    for path in paths:
        if len(found) >= FILES_MOST:
            break
        if is_test(path) or path.rpartition("/")[2] in PROTECTED or "migrations/" in path or not path.endswith(".py"):
            continue
        source = read(path)
        if source is not None and not holds_tests(source.text):
            found[path] = source
    return found


def lenders(some: Sequence[Source], places: Mapping[tuple[str, int], float], read: Reader) -> dict[str, Source]:
    """The files whose values are read at suspect lines of these: no test runs a line of theirs."""
    found: dict[str, Source] = {}
    for source in some:
        suspect = {
            one.id for one in ast.walk(source.tree)
            if isinstance(one, ast.Name) and places.get((source.path, one.lineno), 0.0) > LENT_LEAST
        }  # fmt: skip
        for path, names in lent(source, read).items() if suspect else ():
            if names & suspect:
                found |= _sources([path], read)
    return dict(list(found.items())[:LENDING_MOST])


def source_at(tree: Tree, path: str) -> Source | None:
    place = tree.root / path
    if place.is_symlink() or not place.is_file() or not place.resolve().is_relative_to(tree.root.resolve()):
        return None
    try:
        return Source(path, read_text(place))
    except (SyntaxError, ValueError, OSError, RecursionError):
        return None


def _hints(scene: Scene, tree: Tree) -> Hints:
    """Read where the test fails."""
    frame = next((one for one in reversed(scene.frames) if is_test(one.file)), None)
    test = source_at(tree, frame.file) if frame is not None else None
    line = frame.line if frame is not None else 0
    return Hints(
        raises.awaited(scene.said, test, line),
        texts.of_test(test, line),
        texts.of_test(test, line, texts.LONG_MOST),
        texts.numbers_of(test, line),
    )


def _statements(
    sources: Mapping[str, Source],
    places: Mapping[tuple[str, int], float],
    readers: Readers,
) -> Iterator[tuple[float, Source, ast.stmt]]:
    for path, source in sources.items():
        for statement in source.statements:
            lines = [*range(statement.lineno, source.last_head_line(statement) + 1), *_handlers(statement)]
            value = max((places.get((path, line), 0.0) for line in lines), default=0.0)
            inside = source.function(statement) if not isinstance(statement, Function) else statement
            if isinstance(statement, Function):
                first = statement.body[0]
                value = max(value, places.get((path, first.lineno), 0.0), _body(source, statement, places))
            if inside is None and isinstance(statement, ast.Assign | ast.AnnAssign):
                read = (places.get(line, 0.0) for line in readers.of(source, statement))
                value = max(value, OUTER * max(read, default=0.0))
            if value > 0.0:
                yield value, source, statement


def _switch(statement: ast.stmt) -> bool:
    """`STRICT = False`: there is one edit of it, and all that reads it tells of it."""
    value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, bool)


def _handlers(statement: ast.stmt) -> list[int]:
    """A `try` is as suspect as the handlers that were come to."""
    return [one.lineno for one in statement.handlers] if isinstance(statement, ast.Try) else []


def _body(source: Source, function: Function, places: Mapping[tuple[str, int], float]) -> float:
    """A function's head is as suspect as the most suspect line of its body, less a little."""
    lines = range(function.lineno + 1, (function.end_lineno or function.lineno) + 1)
    return 0.9 * max((places.get((source.path, line), 0.0) for line in lines), default=0.0)


def _templates(scene: Scene, source: Source, statement: ast.stmt, hints: Hints) -> Iterator[Edit]:
    if isinstance(statement, Function):
        yield from defaults.edits(source, statement)
        return
    lines = range(statement.lineno, source.last_head_line(statement) + 1)
    for depth, frame in enumerate(reversed(own(scene.frames))):
        if frame.file == source.path and frame.line in lines:
            yield from crash.edits(source, statement, scene.error, scene.message, depth)
            yield from handlers.edits(source, statement, scene.error)
            yield from guards.edits(source, statement, scene.error, scene.message, depth)
            if hints.awaited is not None:
                yield from raises.instead(source, statement, hints.awaited, scene.error, depth)
    if scene.error.rpartition(".")[2] in ASSERTED:
        yield from expected.edits(source, statement, scene.said)
    if hints.awaited is not None:
        yield from raises.edits(source, statement, hints.awaited, scene.calls)
    yield from members.edits(source, statement, scene.said, scene.calls)
    yield from asked.edits(source, statement, scene.calls)
    known = texts.known_to(source, statement, hints.texts, scene.calls)
    yield from texts.edits(source, statement, known)
    yield from texts.shorter(source, statement, hints.longer)
    yield from tables.edits(source, statement, tuple(dict.fromkeys((*known, *hints.longer))), hints.numbers)


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
