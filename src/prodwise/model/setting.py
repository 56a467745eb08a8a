"""Settings that a repository's files hold, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Form(StrEnum):
    """How a settings file is written."""

    TOML = "toml"
    YAML = "yaml"
    JSON = "json"
    INI = "ini"
    PROPERTIES = "properties"
    ENV = "env"
    PYTHON = "python"
    FLAG = "flag"  # one value, and nothing besides


Key = tuple[str, ...]
"""Sections and names, outermost first."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting in a text, by offsets. first…last: its whole lines; start…end: its value; value: as it is written."""

    key: Key
    first: int
    start: int
    end: int
    last: int
    value: str


@dataclass(frozen=True, slots=True)
class Then:
    """A file at one commit that changed it."""

    commit: str
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that is not what it was. now, before: values as they are written, None where it is not there; by: the commit that
    changed it last; then: the file's text when it was as before; hunk: which stretch of differing lines it is, where the file does
    not tell its settings apart, else -1."""

    path: str
    key: Key
    now: str | None
    before: str | None
    by: str
    then: str = field(repr=False)
    hunk: int = -1

    @property
    def name(self) -> str:
        return ".".join(self.key)


@dataclass(frozen=True, slots=True)
class Left:
    """What is not put back: a file, or one setting of it, and why not."""

    path: str
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Moves:
    """What differs from before in settings files, and what of it is left alone."""

    changes: tuple[Change, ...] = ()
    left: tuple[Left, ...] = ()


@dataclass(frozen=True, slots=True)
class PutBack:
    """Settings that go back together. rank: smaller is tried first."""

    changes: tuple[Change, ...]
    rank: float
