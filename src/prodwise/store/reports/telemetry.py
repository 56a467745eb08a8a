"""What can be asked about traces and metrics: each receiver's rows, added up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from typing import Any

import sqlalchemy as sa

from prodwise.loop.telemetry import merge
from prodwise.model.telemetry import Calls, KeptSeries, Point
from prodwise.store.reports import tables
from prodwise.store.reports.shelves import Shelves
from prodwise.store.reports.telemetry_sums import point_of, series_of

CALLS_READ_MAX = 100_000
"""Rows of one database in one question."""
RECEIVERS_MAX = 16
"""In one database: each may have a row of the same minute."""


class SqlTelemetry:
    """Implements ports.Telemetry."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves

    def calls(self, since: float, until: float, project: int | None = None) -> Sequence[Calls]:
        t = tables.call
        query = sa.select(t).where(t.c.minute >= since, t.c.minute < until)
        if project is not None:
            query = query.where(t.c.project == project)
        sums: dict[tuple[Any, ...], Calls] = {}
        for row in self._rows(query.order_by(t.c.minute.desc()).limit(CALLS_READ_MAX)):
            one = Calls(
                *(
                    row[name]
                    for name in ("minute", "caller", "callee", "address", "count", "errors", "ms_sum", "ms_max")
                )
            )
            place = (one.minute, one.caller, one.callee, one.address)
            sums[place] = _sum(sums[place], one) if place in sums else one
        return [sums[place] for place in sorted(sums)]

    def series(
        self, project: int | None = None, *, name: str = "", after: str = "", limit: int = 50
    ) -> tuple[Sequence[KeptSeries], str]:
        """1. The page's keys, each once however many receivers have it. 2. Their rows."""
        t = tables.series
        query = sa.select(t.c.key).distinct().where(t.c.key > after)
        if project is not None:
            query = query.where(t.c.project == project)
        if name:
            query = query.where(t.c.name == name)
        keys = sorted({row["key"] for row in self._rows(query.order_by(t.c.key).limit(limit + 1))})
        found: dict[str, KeptSeries] = {}
        for row in self._rows(sa.select(t).where(t.c.key.in_(keys[:limit]))):
            before = found.get(row["key"])
            last = max(row["last_seen"], before.last_seen if before else 0.0)
            found[row["key"]] = KeptSeries(series_of(row), row["project"], last)
        return [found[key] for key in keys[:limit] if key in found], keys[limit - 1] if len(keys) > limit else ""

    def one_series(self, key: str) -> KeptSeries | None:
        t = tables.series
        rows = self._rows(sa.select(t).where(t.c.key == key))
        newest = max(rows, key=lambda row: float(row["last_seen"]), default=None)
        return None if newest is None else KeptSeries(series_of(newest), newest["project"], newest["last_seen"])

    def points(self, key: str, since: float, limit: int = 1440) -> Sequence[Point]:
        known, t = self.one_series(key), tables.point
        if known is None:
            return []
        query = (
            sa.select(t)
            .where(t.c.series == key, t.c.minute >= since)
            .order_by(t.c.minute.desc())
            .limit(limit * RECEIVERS_MAX)
        )
        parts = defaultdict(list)
        for row in self._rows(query):
            parts[row["minute"]].append(point_of(row))
        kind = known.series.kind
        return [reduce(lambda one, other: merge(kind, one, other), parts[minute]) for minute in sorted(parts)][-limit:]

    def _rows(self, query: sa.Select[Any]) -> list[Any]:
        found: list[Any] = []
        for database in self._shelves.all():
            with database.engine.connect() as connection:
                found += connection.execute(query).mappings()
        return found


def _sum(one: Calls, other: Calls) -> Calls:
    return replace(
        one,
        count=one.count + other.count,
        errors=one.errors + other.errors,
        ms_sum=one.ms_sum + other.ms_sum,
        ms_max=max(one.ms_max, other.ms_max),
    )
