"""What migrations between two releases do to the shape of the data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SchemaKind(StrEnum):
    EXPAND = "expand"  # adds what the older release need not know of
    CONTRACT = "contract"  # drops, renames, rewrites or narrows what it knows
    DATA = "data"  # changes rows
    UNKNOWN = "unknown"  # could not be read: never safe


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a migration does. line: from 1, 0 = the file as a whole; what: in words; reason: why it is of this kind."""

    file: str
    line: int
    what: str
    kind: SchemaKind
    reason: str

    @property
    def safe(self) -> bool:
        return self.kind is SchemaKind.EXPAND

    @property
    def where(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class FileChange(StrEnum):
    """How the newer release's file differs from the older one's."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class MigrationFile:
    """path: in the repository; text: the newer release's (the older one's when it was removed); problem: why it is not known."""

    path: str
    change: FileChange
    text: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class RanLine:
    """A newer release's `release:` line: "" if it has none, None if that is not known any more.

    same_packages: it runs with the packages of the older release; None when that is not known.
    """

    release: str
    command: str | None
    same_packages: bool | None = None


@dataclass(frozen=True, slots=True)
class Crossing:
    """All that lies between an older release and those that ran since. problem: why it is not all of it."""

    files: tuple[MigrationFile, ...] = ()
    lines: tuple[RanLine, ...] = ()
    problem: str = ""
