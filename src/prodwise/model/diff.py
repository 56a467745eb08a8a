"""A unified git diff, read: what a proposal changes, file by file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

NO_MODE: Final = ""
LINK, MODULE, PLAIN, PROGRAM = "120000", "160000", "100644", "100755"


@dataclass(frozen=True, slots=True)
class DiffLine:
    """sign: " ", "-" or "+"; text: without its end of line; ended: False for a last line without one."""

    sign: str
    text: str
    ended: bool = True


@dataclass(frozen=True, slots=True)
class DiffHunk:
    """old, new: first line before and after, as git counts: from 1, and 0 beside no lines."""

    old: int
    new: int
    lines: tuple[DiffLine, ...]


@dataclass(frozen=True, slots=True)
class FileDiff:
    """before, path: where the file lies before and after; "" when it does not exist there. Modes as git has them, "" when the
    diff does not say. binary: it has content that cannot be read as lines."""

    before: str
    path: str
    old_mode: str = NO_MODE
    mode: str = NO_MODE
    binary: bool = False
    copied: bool = False
    hunks: tuple[DiffHunk, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for name in (self.before, self.path) if name))

    @property
    def added(self) -> tuple[str, ...]:
        return tuple(line.text for hunk in self.hunks for line in hunk.lines if line.sign == "+")

    @property
    def removed(self) -> tuple[str, ...]:
        return tuple(line.text for hunk in self.hunks for line in hunk.lines if line.sign == "-")

    @property
    def size(self) -> int:
        """Changed lines: one that was rewritten counts once, as the larger side does."""
        return max(len(self.added), len(self.removed))
