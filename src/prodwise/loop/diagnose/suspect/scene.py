"""The facts of a search, made ready to be asked: where the calls lie, who touched which line, what each commit's lines say."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeVar

from prodwise.loop.diagnose.suspect import code
from prodwise.loop.diagnose.suspect.case import Search
from prodwise.loop.diagnose.suspect.kinds import Kind, comment, follows_rename, idle, kind_of, renamed_stems, speaks
from prodwise.loop.diagnose.suspect.lines import Touch, Tracer, Way, newest_first
from prodwise.loop.diagnose.suspect.message import Named, identifiers, names_in, telling, words_in
from prodwise.loop.diagnose.suspect.places import Place, own_frames, places, resolve
from prodwise.loop.group.files import is_library
from prodwise.model.commit import Commit, FileChange, Hunk
from prodwise.model.event import ErrorEvent, Frame, Thrown

T = TypeVar("T")
EVENTS_MAX: Final = 20
FILES_MAX: Final = 120
LINES_MAX: Final = 400
DEFINED_IN_MAX: Final = 3
"""A name that more files define than this is everybody's: it leads nowhere."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line that a commit removed or added; number: where, in the file before or after it."""

    text: str
    path: str
    number: int
    added: bool


def wanted(commits: Sequence[Commit], events: Sequence[ErrorEvent], tree: Collection[str]) -> tuple[str, ...]:
    """The files of the failing release whose texts a search needs: those of its calls, what changed, and then other code, by
    which the one leads to the other. tree: all of its paths."""
    known = frozenset(tree)
    framed = [
        path
        for event in sorted(set(events), key=repr)[:EVENTS_MAX]
        for _, frame in own_frames(event)
        if (path := resolve(frame.file, frame.module, known))
    ]
    own = [change.path for commit in newest_first(commits) for change in commit.own()]
    changed = [path for kind in (Kind.CODE, Kind.OTHER) for path in own if kind_of(path) is kind]
    others = sorted(path for path in known if kind_of(path) is Kind.CODE and not is_library(path, ""))
    return tuple(one for one in dict.fromkeys((*framed, *changed, *others)) if one in known)[:FILES_MAX]


class Scene:
    """One search. Nothing that it says depends on the order in which facts came."""

    def __init__(self, search: Search) -> None:
        self.order = newest_first(search.commits)
        self.events = tuple(sorted(set(search.events), key=repr))[:EVENTS_MAX]
        self.routes = tuple(sorted(set(search.routes)))
        self.onset = search.onset
        self.texts: Mapping[str, str] = {path: search.texts[path] for path in sorted(search.texts)}
        self.place_of = {one.sha: at for at, one in enumerate(self.order)}
        self._tracer = Tracer(self.order)
        self._traces: dict[str, Mapping[int, tuple[Touch, ...]]] = {}
        self._kept: dict[object, Any] = {}

    def once(self, key: object, made: Callable[[], T]) -> T:
        """What is asked of every commit alike is worked out once."""
        if key not in self._kept:
            self._kept[key] = made()
        found: T = self._kept[key]
        return found

    def seen_from(self, places: tuple[Place, ...]) -> Scene:
        """The same facts, looked at from other places than the frames'."""
        other = copy(self)
        other.__dict__["places"] = places
        return other

    @cached_property
    def places(self) -> tuple[Place, ...]:
        paths = {change.path for one in self.order for change in one.files if change.path} | self.texts.keys()
        return places(self.events, self.texts, paths)

    @cached_property
    def thrown(self) -> tuple[Thrown, ...]:
        found = [one for event in self.events for one in event.chain]
        return tuple(found or [Thrown("", event.message) for event in self.events])

    @cached_property
    def named(self) -> tuple[Named, ...]:
        return tuple(sorted({name for one in self.thrown for name in names_in(one.kind, one.message)}))

    @cached_property
    def frames(self) -> tuple[Frame, ...]:
        return tuple(frame for one in self.thrown for frame in one.frames[-100:])

    def touches(self, path: str) -> Mapping[int, tuple[Touch, ...]]:
        if path not in self._changed_paths:
            return {}
        if path not in self._traces:
            text = self.texts.get(path)
            count = len(code.lines_of(text)) if text is not None else self._least(path)
            self._traces[path] = self._tracer.trace(path, count)
        return self._traces[path]

    @cached_property
    def _changed_paths(self) -> frozenset[str]:
        sides = ((one.files, *one.others) for one in self.order)
        return frozenset(change.path for files in sides for side in files for change in side)

    def _least(self, path: str) -> int:
        """Lines that a file must have, when its text is not known."""
        ends = [
            hunk.new + len(hunk.added)
            for one in self.order
            for change in one.files
            if change.path == path
            for hunk in change.hunks
        ]
        return min(code.LINES_MAX, max([*ends, *(one.line for one in self.places if one.path == path)], default=0))  # fmt: skip

    def line(self, path: str, number: int) -> str:
        """A line's text at the release; "" when it is not known."""
        lines = code.lines_of(self.texts.get(path, ""))
        return lines[number - 1] if 0 < number <= len(lines) else ""

    def counts(self, path: str, number: int, way: Way) -> bool:
        """Whether a touch of that line can matter: not one that wrote a comment, a blank line or a word to a log."""
        if way is Way.BESIDE or path not in self.texts:
            return True
        text = self.line(path, number)
        return not comment(text, path) and not speaks(text)

    def in_another(self, place: Place, number: int) -> bool:
        """Whether a line lies in a function of its own, and not in that of the place."""
        around = code.enclosing(self.texts.get(place.path, ""), number)
        return (
            around is not None and not around.is_value and not around.start <= (place.line or place.start) <= around.end
        )

    def telling_words(self, text: str) -> frozenset[str]:
        return telling(code.words(text))

    @cached_property
    def defined(self) -> Mapping[str, tuple[tuple[str, code.Definition], ...]]:
        """Name → where it is defined, of the texts that are known."""
        found: dict[str, list[tuple[str, code.Definition]]] = defaultdict(list)
        for path, text in self.texts.items():
            for one in code.definitions(text):
                found[one.name].append((path, one))
        return {name: tuple(ones) for name, ones in found.items() if len({path for path, _ in ones}) <= DEFINED_IN_MAX}

    @cached_property
    def changed(self) -> Mapping[str, Mapping[str, tuple[str, int]]]:
        """Commit → each function, class or value that it wrote or cut into → where (path, line)."""
        found: dict[str, dict[str, tuple[str, int]]] = defaultdict(dict)
        for path, text in self.texts.items():
            if kind_of(path) not in (Kind.CODE, Kind.OTHER):
                continue
            for number, touches in sorted(self.touches(path).items()):
                names = _names(text, number)
                for touch in touches:
                    if touch.way is not Way.MOVED and self.counts(path, number, touch.way):
                        for name in names:
                            found[touch.sha].setdefault(name, (path, number))
        return found

    def lines(self, commit: Commit) -> tuple[Line, ...]:
        """What it changed that can matter: no tests, documents, comments or layout."""
        return self._lines[commit.sha]

    def having(self, commit: Commit, word: str) -> tuple[Line, ...]:
        """Those of its lines that hold a word, `LINES_MAX` at most."""
        return self.once(("having", commit.sha), lambda: _by_word(self.lines(commit))).get(word, ())

    @cached_property
    def _lines(self) -> Mapping[str, tuple[Line, ...]]:
        return {one.sha: tuple(_lines(one)) for one in self.order}

    @cached_property
    def spoken(self) -> Mapping[str, frozenset[str]]:
        """Commit → the names in its changed lines, those left out that it only moved."""
        return {sha: frozenset(_spoken(lines)) for sha, lines in self._lines.items()}

    def told_by(self, word: str) -> float:
        """How much a word tells: 1 when few commits speak of it, 0 when all do."""
        having = sum(word in one for one in self.spoken.values())
        return 1.0 - having / max(1, len(self.order))


def _lines(commit: Commit) -> Iterator[Line]:
    renames = renamed_stems(commit.own())
    for change in commit.own():
        if kind_of(change.path or change.before) in (Kind.CODE, Kind.OTHER):
            for hunk in change.hunks:
                if not idle(hunk, change.path) and not follows_rename(hunk, renames):
                    yield from _both(change, hunk)


def _both(change: FileChange, hunk: Hunk) -> Iterator[Line]:
    for text in hunk.removed:
        if not comment(text, change.path) and not speaks(text):
            yield Line(text, change.path or change.before, hunk.new, False)
    for at, text in enumerate(hunk.added):
        if not comment(text, change.path) and not speaks(text):
            yield Line(text, change.path, hunk.new + at, True)


def _by_word(lines: Sequence[Line]) -> dict[str, tuple[Line, ...]]:
    found: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        for word in words_in(line.text):
            if len(having := found[word]) < LINES_MAX:
                having.append(line)
    return {word: tuple(having) for word, having in found.items()}


def _spoken(lines: Sequence[Line]) -> Iterator[str]:
    balance = Counter[str]()
    for line in lines:
        balance[line.text.strip()] += 1 if line.added else -1
    for text, many in balance.items():
        if many:
            yield from identifiers(text)


def _names(text: str, line: int) -> tuple[str, ...]:
    """The innermost function around a line, or the class or value; a constructor goes by its class's name as well."""
    around = [one for one in code.definitions(text) if one.start <= line <= one.end]
    if not around:
        return ()
    inner = around[-1]
    if inner.name in ("__init__", "constructor", "__post_init__") and len(around) > 1:
        return inner.name, around[-2].name
    return (inner.name,)


def plain_route(route: str) -> tuple[str, ...]:
    """The segments of a route's path, without its method."""
    path = route.rpartition(" ")[2].partition("?")[0]
    return tuple(one for one in path.split("/") if one)


def varies(segment: str) -> bool:
    return re.match(r"[:*<{\[$\d]|\(\?", segment) is not None
