"""Packages that are kept at a version, and what it takes to get there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from prodwise.model.breakage import Ecosystem

HOLDS_FILE = ".prodwise-holds.toml"


@dataclass(frozen=True, slots=True)
class Hold:
    """A package that no update may move before `expires`. was: manifest → what it asked for before, "" where it asked for
    nothing, so that the end of the hold can put it back."""

    package: str
    ecosystem: Ecosystem
    version: str
    reason: str
    since: date
    expires: date
    was: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Seen:
    """A version that a lock file named, and the newest commit at which it did."""

    version: str
    commit: str


@dataclass(frozen=True, slots=True)
class Resolve:
    """What the package manager itself must do, in a copy: its argv in the folder, and the lock file that it then writes."""

    folder: str
    lock: str
    argv: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class PinPlan:
    """edits: path → its new text, in the order in which they are shown; resolve: what must be run after these edits, before it is
    whole; told: what a person should know or do; command: where we edit nothing, what to run instead."""

    package: str
    ecosystem: Ecosystem
    version: str
    before: str
    edits: Mapping[str, str] = field(default_factory=dict)
    resolve: tuple[Resolve, ...] = ()
    told: tuple[str, ...] = ()
    command: str = ""
