"""Calls and series while one receiver adds to them: what it wrote of a minute is remembered, and written back whole."""

from __future__ import annotations

import math
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from prodwise.loop.telemetry import merge
from prodwise.model.digest import Delivery
from prodwise.model.report import Reason
from prodwise.model.telemetry import Calls, Kind, Measured, Point, Series
from prodwise.store.reports import tables

CALLS_MAX = 300
"""Kinds of calls that are told apart in one project and minute; the rest are one, named OTHER."""
MINUTES_KEPT, POINTS_KEPT = 64, 4_096
OTHER = "(other)"

Minute = tuple[int, int]
"""(project, minute)."""
Ends = tuple[str, str, str]
Place = tuple[str, int]
"""(series, minute)."""


@dataclass(slots=True)
class CallSum:
    count: int = 0
    errors: int = 0
    ms_sum: float = 0.0
    ms_max: float = 0.0


@dataclass(slots=True)
class _Known:
    """A series and its project. at: when it was last seen; told: it may have points in the database."""

    project: int
    series: Series
    at: float
    told: bool = False


class TelemetrySums:
    """All of one receiver. `add` a batch, then write the rows that it touched."""

    def __init__(self, receiver: int, connection: sa.Connection, series_max: int) -> None:
        self._receiver, self._series_max = receiver, series_max
        self._minutes: OrderedDict[Minute, dict[Ends, CallSum]] = OrderedDict()
        self._points: OrderedDict[Place, Point] = OrderedDict()
        self._series: dict[str, _Known] = {}
        self._counts: Counter[int] = Counter()
        self._touched_calls: set[tuple[Minute, Ends]] = set()
        self._touched_points: set[Place] = set()
        t = tables.series
        for row in connection.execute(sa.select(t).where(t.c.receiver == receiver)).mappings():
            self._counts[row["project"]] += 1
            self._series[row["key"]] = _Known(row["project"], series_of(row), row["last_seen"], True)

    def add(self, connection: sa.Connection, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """1. Forgets the oldest minutes. 2. Reads those of this batch. 3. Adds. Returns counts of what was not told apart."""
        self._touched_calls.clear()
        self._touched_points.clear()
        _trim(self._minutes, MINUTES_KEPT)
        _trim(self._points, POINTS_KEPT)
        over = []
        for one in deliveries:
            if one.calls:
                over += self._add_calls(connection, one)
            if one.measured:
                over += self._add_points(connection, one)
        return over

    def call_rows(self) -> Iterator[dict[str, Any]]:
        for minute, ends in self._touched_calls:
            one = self._minutes[minute][ends]
            yield {
                "receiver": self._receiver,
                "project": minute[0],
                "minute": minute[1],
                "caller": ends[0],
                "callee": ends[1],
                "address": ends[2],
                "count": one.count,
                "errors": one.errors,
                "ms_sum": one.ms_sum,
                "ms_max": one.ms_max,
            }

    def series_rows(self) -> Iterator[dict[str, Any]]:
        for key in {key for key, _ in self._touched_points}:
            known = self._series[key]
            yield {
                "receiver": self._receiver,
                "key": key,
                "project": known.project,
                "service": known.series.service,
                "name": known.series.name,
                "unit": known.series.unit,
                "kind": known.series.kind.value,
                "attributes": dict(known.series.attributes),
                "last_seen": known.at,
            }

    def point_rows(self) -> Iterator[dict[str, Any]]:
        for place in self._touched_points:
            one = self._points[place]
            yield {
                "receiver": self._receiver,
                "series": place[0],
                "minute": place[1],
                "at": one.at,
                "value": one.value,
                "since": one.since,
                "count": one.count,
                "buckets": [[None if math.isinf(bound) else bound, count] for bound, count in one.buckets],
            }

    def forget(self, series: Iterable[str]) -> None:
        """Series that were removed."""
        for key in series:
            if (gone := self._series.pop(key, None)) is not None:
                self._counts[gone.project] -= 1

    def _add_calls(self, connection: sa.Connection, delivery: Delivery) -> list[Delivery]:
        over = 0
        for one in delivery.calls:
            minute = (delivery.project, one.minute)
            if minute not in self._minutes:
                self._minutes[minute] = self._read_calls(connection, minute)
            known, ends = self._minutes[minute], (one.caller, one.callee, one.address)
            if ends not in known and len(known) >= CALLS_MAX:
                ends = (one.caller and OTHER, OTHER, "")
                over += one.count
            _add(known.setdefault(ends, CallSum()), one)
            self._touched_calls.add((minute, ends))
        return [Delivery(delivery.project, delivery.at, counts={Reason.CALLS: over})] if over else []

    def _add_points(self, connection: sa.Connection, delivery: Delivery) -> list[Delivery]:
        taken = [one for one in delivery.measured if self._is_known(delivery.project, one)]
        self._read_points(connection, {(one.series.key, one.point.minute) for one in taken} - self._points.keys())
        for one in taken:
            place = (one.series.key, one.point.minute)
            before = self._points.get(place)
            self._points[place] = one.point if before is None else merge(one.series.kind, before, one.point)
            self._touched_points.add(place)
        over = len(delivery.measured) - len(taken)
        return [Delivery(delivery.project, delivery.at, counts={Reason.SERIES: over})] if over else []

    def _is_known(self, project: int, one: Measured) -> bool:
        """A new series is taken while there is room for it."""
        known = self._series.get(one.series.key)
        if known is None:
            if self._counts[project] >= self._series_max:
                return False
            self._counts[project] += 1
            known = self._series[one.series.key] = _Known(project, one.series, one.point.at)
        known.at = max(known.at, one.point.at)
        return True

    def _read_calls(self, connection: sa.Connection, minute: Minute) -> dict[Ends, CallSum]:
        t = tables.call
        query = sa.select(t).where(t.c.receiver == self._receiver, t.c.project == minute[0], t.c.minute == minute[1])
        return {
            (row["caller"], row["callee"], row["address"]): CallSum(
                row["count"], row["errors"], row["ms_sum"], row["ms_max"]
            )
            for row in connection.execute(query).mappings()
        }

    def _read_points(self, connection: sa.Connection, places: set[Place]) -> None:
        """Only of series that were there before: those of a new one cannot be."""
        t = tables.point
        asked = sorted({key for key, _ in places if self._series[key].told})
        minutes = sorted({minute for _, minute in places})
        for start in range(0, len(asked), 500):
            query = sa.select(t).where(
                t.c.receiver == self._receiver, t.c.series.in_(asked[start : start + 500]), t.c.minute.in_(minutes)
            )
            for row in connection.execute(query).mappings():
                if (place := (row["series"], row["minute"])) in places:
                    self._points[place] = point_of(row)
        for key, _ in places:
            self._series[key].told = True


def series_of(row: Any) -> Series:
    return Series(row["key"], row["service"], row["name"], row["unit"], Kind(row["kind"]), dict(row["attributes"]))


def point_of(row: Any) -> Point:
    buckets = tuple((math.inf if bound is None else float(bound), int(count)) for bound, count in row["buckets"])
    return Point(row["minute"], row["at"], row["value"], row["since"], row["count"], buckets)


def _add(to: CallSum, one: Calls) -> None:
    to.count += one.count
    to.errors += one.errors
    to.ms_sum += one.ms_sum
    to.ms_max = max(to.ms_max, one.ms_max)


def _trim(remembered: OrderedDict[Any, Any], most: int) -> None:
    while len(remembered) > most:
        remembered.popitem(last=False)
