"""Lines of a file, followed through later changes of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_HUNK: Final = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", re.MULTILINE)
HUNKS_MAX: Final = 2000


@dataclass(frozen=True, slots=True)
class Span:
    """Lines from `start` on, from 1; `many` 0 is the place before `start`, where lines were removed."""

    start: int
    many: int

    def __str__(self) -> str:
        return f"{self.start}-{self.start + self.many - 1}" if self.many > 1 else f"{self.start}"


def changed(diff: str) -> list[tuple[Span, Span]]:
    """(before, after) of each hunk of one file's diff without context."""
    found = []
    for hunk in list(_HUNK.finditer(diff))[:HUNKS_MAX]:
        old, new = ((int(hunk[i]), int(hunk[i + 1] if hunk[i + 1] is not None else 1)) for i in (1, 3))
        found.append((_span(*old), _span(*new)))
    return found


def _span(start: int, many: int) -> Span:
    """git names the line before a place without lines."""
    return Span(start, many) if many else Span(start + 1, 0)


def spans(diff: str) -> list[Span]:
    """What the change made, in the lines after it."""
    return [new for _, new in changed(diff)]


def after(mine: Sequence[Span], hunks: Sequence[tuple[Span, Span]]) -> tuple[list[Span], list[Span]]:
    """(the lines where they are after a later change, those that it changed). A line beside counts: git takes it for one place."""
    kept, hit = [], []
    for one in mine:
        if any(_touches(one, old) for old, _ in hunks):
            hit.append(one)
        else:
            shift = sum(new.many - old.many for old, new in hunks if old.start + old.many <= one.start)
            kept.append(Span(one.start + shift, one.many))
    return kept, hit


def _touches(one: Span, other: Span) -> bool:
    return one.start <= other.start + other.many and other.start <= one.start + one.many
