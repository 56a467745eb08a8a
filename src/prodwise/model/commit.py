"""What a commit changed, as read from a repository: outside text, bounded when it is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines that a commit put in the place of others.

    old, new: the first line of `removed` before and of `added` after it, from 1; where there are none, the line before which
    they would stand. A line that was not kept (too much of it) is "".
    """

    old: int
    new: int
    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileChange:
    """before, path: where the file lies before and after; "" when it does not exist there."""

    before: str
    path: str
    hunks: tuple[Hunk, ...] = ()


@dataclass(frozen=True, slots=True)
class Commit:
    """at: Unix seconds of the commit; files: against the first parent; others: against each further parent of a merge.

    whole: False when more was changed than was read.
    """

    sha: str
    title: str
    author: str
    at: float
    parents: tuple[str, ...] = ()
    files: tuple[FileChange, ...] = ()
    others: tuple[tuple[FileChange, ...], ...] = ()
    whole: bool = True

    def own(self) -> tuple[FileChange, ...]:
        """What the commit itself changed: of a merge, only what differs from every parent."""
        return tuple(_of_merge(self)) if self.others else self.files


def _of_merge(merge: Commit) -> Iterator[FileChange]:
    for change in merge.files:
        beside = [{one.path: one for one in files}.get(change.path) for files in merge.others]
        if change.path and all(beside):
            hunks = tuple(
                hunk for hunk in change.hunks if all(other and _overlaps(hunk, other.hunks) for other in beside)
            )
            if hunks:
                yield FileChange(change.before, change.path, hunks)


def _overlaps(hunk: Hunk, others: tuple[Hunk, ...]) -> bool:
    end = hunk.new + len(hunk.added)
    return any(one.new <= end and hunk.new <= one.new + len(one.added) for one in others)
