"""Which commits wrote, moved or cut into each line of a file, followed back from the failing release through the history.

A pure `git blame` over hunks, that goes on behind the newest change of a line, sees what was removed, and reports moves.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

from prodwise.loop.diagnose.suspect.kinds import follows_rename, layout_only, renamed_stems
from prodwise.model.commit import Commit, FileChange, Hunk

MOVED_LINES: Final = 2
"""So many lines in a row, found again elsewhere in the same commit, were moved rather than written."""
AGE_MAX: Final = 4
"""Changes of one line that are followed back."""


class Way(StrEnum):
    WROTE = "wrote"
    BESIDE = "beside"  # removed something that stood directly beside it
    MOVED = "moved"  # moved it, or laid it out anew: the same text


@dataclass(frozen=True, slots=True)
class Touch:
    """What a commit did to a line. age: how many times the line was written again since."""

    sha: str
    way: Way
    age: int = 0


@dataclass(frozen=True, slots=True)
class _At:
    path: str
    line: int
    age: int = 0


_Lines = dict[int, _At]
_Place = tuple[str, int]


def newest_first(commits: Iterable[Commit]) -> tuple[Commit, ...]:
    """Children before their parents; else newer before older. Each commit once, whatever the order in which they came."""
    known = {one.sha: one for one in sorted(commits, key=repr)}
    waiting = dict.fromkeys(known, 0)
    for one in known.values():
        for parent in set(one.parents) & known.keys():
            waiting[parent] += 1
    order: list[Commit] = []
    ready = [one for one in known.values() if not waiting[one.sha]]
    while ready:
        taken = max(ready, key=lambda one: (one.at, one.sha))
        ready.remove(taken)
        order.append(taken)
        for parent in sorted(set(taken.parents) & known.keys()):
            waiting[parent] -= 1
            if not waiting[parent]:
                ready.append(known[parent])
    return tuple(order)


class Tracer:
    """Follows files back through one history. order: see `newest_first`."""

    def __init__(self, order: Sequence[Commit]) -> None:
        self._order = order
        self._steps = {one.sha: tuple(_Step(files) for files in (one.files, *one.others)) for one in order}

    def trace(self, path: str, count: int) -> Mapping[int, tuple[Touch, ...]]:
        """For each of the `count` lines of the file, what was done to it, newest first.

        1. All lines begin at the newest commit. 2. A line that a commit did not write is passed on to where it stood in the
        parent; of a merge, to the first parent that has it so. 3. A line that it wrote is passed on as the one that it replaced.
        """
        touches: dict[int, list[Touch]] = defaultdict(list)
        waiting: dict[str, _Lines] = defaultdict(dict)
        if self._order:
            waiting[self._order[0].sha] = {number: _At(path, number) for number in range(1, count + 1)}
        for commit in self._order:
            here = waiting.pop(commit.sha, {})
            first, *others = self._steps[commit.sha]
            for parent, step in zip(commit.parents[1:], others, strict=False):
                same = step.same(here)
                _hand_on(waiting[parent], same)
                here = {number: at for number, at in here.items() if number not in same}
            if here:
                before = first.back(here, commit.sha, touches, bool(others))
                if commit.parents:
                    _hand_on(waiting[commit.parents[0]], before)
        return {number: tuple(dict.fromkeys(found)) for number, found in touches.items()}


def _hand_on(there: _Lines, lines: _Lines) -> None:
    for number, at in lines.items():
        there.setdefault(number, at)


class _Step:
    """From after one commit to before it."""

    def __init__(self, files: Sequence[FileChange]) -> None:
        self._all = files
        self._files = {one.path: one for one in files if one.path}

    @cached_property
    def _gone(self) -> dict[str, tuple[_Place, ...]]:
        return _places_of_removed(self._all)

    @cached_property
    def _added(self) -> frozenset[str]:
        return frozenset(line.strip() for one in self._all for hunk in one.hunks for line in hunk.added)

    @cached_property
    def _renames(self) -> tuple[tuple[str, str], ...]:
        return renamed_stems(self._all)

    def same(self, lines: _Lines) -> _Lines:
        """Where lines stood that the commit left as they are; those that it wrote are left out."""
        found = {}
        for number, at in lines.items():
            change = self._files.get(at.path)
            if change is None:
                found[number] = at
            elif (hunk := _hunk_of(change.hunks, at.line)) is None or not _inside(hunk, at.line):
                found[number] = _At(change.before, at.line + _shift(hunk), at.age)
        return found

    def back(self, lines: _Lines, sha: str, touches: dict[int, list[Touch]], merge: bool) -> _Lines:
        before = self.same(lines)
        changed: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
        for number, at in lines.items():
            if at.path in self._files:
                changed[at.path][at.line].append(number)
        for path, standing in changed.items():
            change = self._files[path]
            for hunk in change.hunks:
                if hunk.added:
                    for line, was, way in self._written(change, hunk):
                        for number in standing.get(line, ()):
                            at = lines[number]
                            touches[number].append(Touch(sha, way, at.age))
                            age = at.age + (way is Way.WROTE)
                            if was is not None and age <= AGE_MAX:
                                before[number] = _At(*was, age)
                elif not merge and self._cuts(hunk):
                    for line in (hunk.new - 1, hunk.new):
                        for number in standing.get(line, ()):
                            touches[number].append(Touch(sha, Way.BESIDE, lines[number].age))
        return before

    def _written(self, change: FileChange, hunk: Hunk) -> Iterator[tuple[int, _Place | None, Way]]:
        """For each added line: (where it stands, where what it replaces or is stood, what was done)."""
        laid_out = layout_only(hunk, change.path) or follows_rename(hunk, self._renames)
        moved = {} if laid_out else self._moved(change, hunk)
        for at in range(len(hunk.added)):
            was: _Place | None = None
            if hunk.removed:
                was = (change.before, hunk.old + at * len(hunk.removed) // len(hunk.added))
            if at in moved:
                was = moved[at]
            yield hunk.new + at, was, Way.MOVED if laid_out or at in moved else Way.WROTE

    def _moved(self, change: FileChange, hunk: Hunk) -> dict[int, _Place]:
        """Added lines that the same commit removed elsewhere, by their place in the hunk."""
        found: dict[int, _Place] = {}
        at = 0
        while at < len(hunk.added):
            places = self._gone.get(hunk.added[at].strip(), ())
            run = max((self._run(hunk.added, at, place) for place in places), key=len, default=[])
            if sum(1 for line in hunk.added[at : at + len(run)] if line.strip()) >= MOVED_LINES:
                found |= {at + step: place for step, place in enumerate(run)}
            at += max(1, len(run))
        return found

    def _run(self, added: Sequence[str], at: int, place: _Place) -> list[_Place]:
        run: list[_Place] = []
        path, line = place
        while at < len(added) and (path, line) in self._gone.get(added[at].strip(), ()):
            run.append((path, line))
            at, line = at + 1, line + 1
        return run

    def _cuts(self, hunk: Hunk) -> bool:
        """Whether lines went for good: not blank ones, and not to elsewhere in the same commit."""
        return any(line.strip() and line.strip() not in self._added for line in hunk.removed)


def _places_of_removed(files: Iterable[FileChange]) -> dict[str, tuple[_Place, ...]]:
    found: dict[str, list[_Place]] = defaultdict(list)
    for change in files:
        for hunk in change.hunks:
            for at, line in enumerate(hunk.removed):
                if len(places := found[line.strip()]) < 20:
                    places.append((change.before, hunk.old + at))
    return {text: tuple(places) for text, places in found.items()}


def _hunk_of(hunks: Sequence[Hunk], line: int) -> Hunk | None:
    """The last hunk that begins at the line or before it."""
    at = bisect_right(hunks, line, key=lambda one: one.new)
    return hunks[at - 1] if at else None


def _inside(hunk: Hunk, line: int) -> bool:
    return line < hunk.new + len(hunk.added)


def _shift(hunk: Hunk | None) -> int:
    """What takes a line behind the hunk back to where it stood."""
    return 0 if hunk is None else (hunk.old + len(hunk.removed)) - (hunk.new + len(hunk.added))
