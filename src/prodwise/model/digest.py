"""What is left of a delivery once it is decoded, grouped and cleaned, and what of it can be asked for later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from prodwise.model.event import ErrorSeen, Grouped
from prodwise.model.report import CheckIn, Counts, Reason, Sessions, Timed
from prodwise.model.telemetry import Calls, Measured

Item = ErrorSeen | Timed | Sessions | CheckIn
"""What detectors get of a report."""


@dataclass(frozen=True, slots=True)
class Digested:
    """One error event on its way into the store. detail: everything that was sent, private values out, as JSON packed with
    Zstandard; None where only counts are kept; rare: the first of its group, or unlike the others, and so the last to go."""

    seen: ErrorSeen
    grouped: Grouped
    detail: bytes | None = None
    rare: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery, ready to be stored. project: 0 when nobody's; at: Unix seconds when it was received; counts: what was refused
    or cleaned in it; refused: nothing of it was taken, and only its counts are kept; whole: see Report."""

    project: int
    at: float
    events: tuple[Digested, ...] = ()
    items: tuple[Timed | Sessions | CheckIn, ...] = ()
    counts: Counts = field(default_factory=dict)
    refused: bool = False
    calls: tuple[Calls, ...] = ()
    measured: tuple[Measured, ...] = ()
    whole: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """One stored item, as detectors get it. at: Unix seconds when it was received; project: whose DSN it came with, which is the
    credential that vouches for it, and the only one; service: whose the project is."""

    at: float
    project: int
    service: str
    item: Item


class GroupState(StrEnum):
    NEW = "new"
    ONGOING = "ongoing"
    REGRESSED = "regressed"
    RESOLVED = "resolved"  # in a release: what older ones still report does not change it


@dataclass(frozen=True, slots=True)
class Group:
    """Errors of one fault. key: see Grouped; users: how many different ones were hit, exact while few; releases, routes: how
    many events each had, the most frequent of them."""

    key: str
    project: int
    title: str
    where: str
    rule: str
    level: str
    first_seen: float
    last_seen: float
    count: int
    users: int
    releases: Mapping[str, int] = field(default_factory=dict)
    routes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tally:
    """What one group did in one minute (Unix seconds of its beginning), by release and route."""

    minute: float
    release: str
    route: str
    count: int
    users: int


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """Exactly what is kept of one event. user: a hash; detail: as sent, private values out; None where only counts are kept."""

    id: str
    project: int
    group: str
    at: float
    received_at: float
    release: str
    route: str
    user: str
    level: str
    handled: bool | None
    detail: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """What came in for one project. first, last: Unix seconds of its first and newest delivery, None before any; bytes_kept: of
    details; counts: what was refused, left out or cleaned, and how often."""

    project: int
    first: float | None = None
    last: float | None = None
    deliveries: int = 0
    events: int = 0
    groups: int = 0
    bytes_kept: int = 0
    counts: Mapping[Reason, int] = field(default_factory=dict)
