"""What a reader of migrations writes down while it reads one file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from prodwise.model.schema import Finding, SchemaKind

NAME_MAX: Final = 60

ADDS = "the older release need not know of it"
DROPS = "the older release may still use it"
RENAMES = "the older release knows it by its old name"
REWRITES = "it changes what the older release reads and writes"
NARROWS = "what the older release writes may be refused"
REQUIRED = "it is NOT NULL without a default in the database: rows that the older release writes leave it out"
RELAXES = "it may now hold what the older release never met"
ROWS = "rows were changed, and going back does not change them back"
UNREAD = "it is not one of the forms that are known to be safe"
FINAL = "its author says that it cannot be undone"


@dataclass(frozen=True, slots=True)
class Column:
    """required: NOT NULL; default: what the database fills in where a row leaves it out."""

    required: bool = False
    default: bool = False
    unique: bool = False


class Unreadable(Exception):
    """The text is not what it should be; the message says how."""


class Notes:
    """Findings of one file, and what it made itself: tables and columns that the older release cannot know."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[Finding] = []
        self.tables: set[str] = set()
        self.columns: set[tuple[str, str]] = set()

    def add(self, line: int, what: str, kind: SchemaKind, reason: str) -> None:
        self.found.append(Finding(self.file, line, what, kind, reason))

    def expand(self, line: int, what: str, reason: str = ADDS) -> None:
        self.add(line, what, SchemaKind.EXPAND, reason)

    def contract(self, line: int, what: str, reason: str) -> None:
        self.add(line, what, SchemaKind.CONTRACT, reason)

    def data(self, line: int, what: str) -> None:
        self.add(line, what, SchemaKind.DATA, ROWS)

    def unknown(self, line: int, what: str, reason: str = UNREAD) -> None:
        self.add(line, what, SchemaKind.UNKNOWN, reason)

    def made(self, table: str) -> None:
        """A table that was not there before this file."""
        if table:
            self.tables.add(table)

    def constraint(self, line: int, what: str, table: str, columns: Iterable[str] = ()) -> None:
        """Harmless on what this file made itself; else it may refuse what the older release writes."""
        named = list(columns)
        own = table in self.tables or (bool(named) and all((table, column) in self.columns for column in named))
        if own:
            self.expand(line, what, "it is on what this migration adds itself")
        else:
            self.contract(line, what, NARROWS)

    def column(self, line: int, table: str, column: str, new: Column) -> None:
        """A column that is added."""
        what = f"adds column {shown(table)}.{shown(column)}"
        if new.required and not new.default and table not in self.tables:
            self.contract(line, what, REQUIRED)
        elif new.unique and new.default and table not in self.tables:
            self.contract(line, what, f"{NARROWS}: each of its rows would get the same unique value")
        else:
            if not new.default:
                self.columns.add((table, column))
            self.expand(line, what)


def shown(name: object) -> str:
    """A name from outside, as it may stand in a sentence."""
    text = "".join(char if char.isprintable() else "?" for char in str(name)[: NAME_MAX + 1])
    return text if len(text) <= NAME_MAX else text[: NAME_MAX - 1] + "…"
