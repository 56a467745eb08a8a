"""What traces and metrics come down to: who calls whom, and series of numbers by the minute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

MINUTE_S = 60
Buckets = tuple[tuple[float, int], ...]
"""(upper bound, how many values are not above it but above the next lower bound), in order; the last bound may be infinite."""


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls of one kind that ended in one minute. minute: Unix seconds of its beginning; caller: "" where only the called one
    told of them; callee: "" where only the address is known that was called; address: host:port, "" when not said."""

    minute: int
    caller: str
    callee: str
    address: str
    count: int
    errors: int
    ms_sum: float
    ms_max: float


@dataclass(frozen=True, slots=True)
class Edge:
    """All calls from one service to another in some time. callee: a service, a database or queue, or an address."""

    caller: str
    callee: str
    count: int
    errors: int
    ms_sum: float
    ms_max: float


@dataclass(frozen=True, slots=True)
class Node:
    """What one part of the graph was asked, as it told itself; zeros for one that is only known from those who call it."""

    name: str
    count: int = 0
    errors: int = 0
    ms_sum: float = 0.0
    ms_max: float = 0.0


@dataclass(frozen=True, slots=True)
class CallGraph:
    """Who called whom, by name."""

    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()


class Kind(StrEnum):
    GAUGE = "gauge"  # a level
    CHANGE = "change"  # what was added since the point before
    TOTAL = "total"  # what was added since the program began to count


@dataclass(frozen=True, slots=True)
class Series:
    """One line of numbers. key: 32 hex digits, equal for the same project, service, instance, name and attributes; attributes: the
    first few, for people."""

    key: str
    service: str
    name: str
    unit: str
    kind: Kind
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Point:
    """One minute of a series. minute: Unix seconds of its beginning; at: when it was measured; since: when a total began to
    count, 0 when not said; value: the level, or the sum of what was measured; count: how many values a histogram holds."""

    minute: int
    at: float
    value: float
    since: float = 0.0
    count: int = 0
    buckets: Buckets = ()


@dataclass(frozen=True, slots=True)
class Measured:
    """A point as it came in, with the series that it belongs to."""

    series: Series
    point: Point


@dataclass(frozen=True, slots=True)
class KeptSeries:
    """A series that there are points of. last_seen: Unix seconds."""

    series: Series
    project: int
    last_seen: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What a series did in one minute. value: the level, or what was added; count, p95: of a histogram's values, 0 and None
    without any."""

    minute: int
    value: float
    count: int = 0
    p95: float | None = None


@dataclass(frozen=True, slots=True)
class Watched:
    """What no series of a metric may be: above a limit for so long. A level is compared as it is, a sum by what a minute added to
    it, a histogram by its p95. service: whose it is, "" for the app as a whole."""

    metric: str
    above: float
    for_s: float
    service: str = ""
