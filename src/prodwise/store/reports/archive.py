"""What can be asked about reports: each receiver's rows, added up."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
import sqlalchemy as sa
import zstandard

from prodwise.model.digest import Group, KeptEvent, Received, Tally
from prodwise.model.errors import UsageError
from prodwise.model.report import Reason
from prodwise.model.users import Users
from prodwise.store.reports import tables
from prodwise.store.reports.shelves import Shelves

DETAIL_MAX = 8 * 1024 * 1024
TOP = 20
"""Releases and routes of a group that are told."""
_REASONS = {reason.value: reason for reason in Reason}

Row = Mapping[Any, Any]


class SqlReportArchive:
    """Implements ports.ReportArchive."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves

    def groups(self, project: int | None = None, *, after: str = "", limit: int = 50) -> tuple[Sequence[Group], str]:
        """1. When each group was last seen, over all receivers. 2. The page of them. 3. These groups whole."""
        t = tables.group
        query = sa.select(t.c.key, t.c.last_seen)
        if project is not None:
            query = query.where(t.c.project == project)
        last: dict[str, float] = {}
        for row in self._rows(query):
            last[row["key"]] = max(row["last_seen"], last.get(row["key"], 0.0))
        line = sorted(((at, key) for key, at in last.items()), reverse=True)
        if after:
            mark = _mark(after)
            line = [one for one in line if one < mark]
        page = line[:limit]
        found = self._groups([key for _, key in page])
        return [found[key] for _, key in page if key in found], _cursor(*page[-1]) if len(line) > limit else ""

    def group(self, key: str) -> Group | None:
        return self._groups([key]).get(key)

    def tallies(self, key: str, since: float, limit: int = 1440) -> Sequence[Tally]:
        t = tables.tally
        query = sa.select(t).where(t.c.group_key == key, t.c.minute >= since).order_by(t.c.minute.desc()).limit(limit)
        parts = defaultdict(list)
        for row in self._rows(query):
            parts[row["minute"], row["release"], row["route"]].append(row)
        made = [
            Tally(*part, sum(row["count"] for row in rows), Users.union(row["users"] for row in rows).count())
            for part, rows in parts.items()
        ]
        return sorted(made, key=lambda one: (one.minute, one.release, one.route))[-limit:]

    def events(self, group: str, limit: int = 20) -> Sequence[KeptEvent]:
        t = tables.event
        query = sa.select(t).where(t.c.group_key == group).order_by(t.c.seq.desc()).limit(limit)
        return sorted(map(_event, self._rows(query)), key=lambda one: one.received_at, reverse=True)[:limit]

    def example(self, group: str) -> KeptEvent | None:
        t, d = tables.event, tables.detail
        both = t.join(d, sa.and_(t.c.receiver == d.c.receiver, t.c.seq == d.c.seq))
        newest = t.c.received_at.desc(), t.c.seq.desc()  # receivers that share one database count by themselves
        query = sa.select(t, d.c.packed).select_from(both).where(t.c.group_key == group).order_by(*newest)
        found = [_event(row) for row in self._rows(query.limit(1))]
        return max(found, key=lambda one: one.received_at, default=None)

    def event(self, event_id: str) -> KeptEvent | None:
        t, d = tables.event, tables.detail
        both = t.outerjoin(d, sa.and_(t.c.receiver == d.c.receiver, t.c.seq == d.c.seq))
        query = sa.select(t, d.c.packed).select_from(both).where(t.c.id == event_id).order_by(d.c.packed.is_(None))
        found = [_event(row) for row in self._rows(query.limit(10))]
        return next((one for one in found if one.detail is not None), found[0] if found else None)

    def received(self, project: int) -> Received:
        taken = list(self._of(tables.taken, project))
        t, g, c = tables.detail, tables.group, tables.counted
        kept = self._rows(sa.select(sa.func.sum(t.c.size).label("size")).where(t.c.project == project))
        groups = {row["key"] for row in self._rows(sa.select(g.c.key).where(g.c.project == project))}
        counts: Counter[Reason] = Counter()
        sums = sa.select(c.c.reason, sa.func.sum(c.c["count"]).label("sum")).where(c.c.project == project)
        for row in self._rows(sums.group_by(c.c.reason)):
            if row["reason"] in _REASONS:
                counts[_REASONS[row["reason"]]] += int(row["sum"])
        return Received(
            project,
            first=min((row["first"] for row in taken), default=None),
            last=max((row["last"] for row in taken), default=None),
            deliveries=sum(row["deliveries"] for row in taken),
            events=sum(row["events"] for row in taken),
            groups=len(groups),
            bytes_kept=sum(int(row["size"] or 0) for row in kept),
            counts=dict(counts),
        )

    def _groups(self, keys: Sequence[str]) -> dict[str, Group]:
        t = tables.group
        parts = defaultdict(list)
        for row in self._rows(sa.select(t).where(t.c.key.in_(keys))):
            parts[row["key"]].append(row)
        return {key: _group(rows) for key, rows in parts.items()}

    def _of(self, table: sa.Table, project: int) -> Iterable[Row]:
        return self._rows(sa.select(table).where(table.c.project == project))

    def _rows(self, query: sa.Select[Any]) -> list[Row]:
        found: list[Row] = []
        for database in self._shelves.all():
            with database.engine.connect() as connection:
                found += connection.execute(query).mappings()
        return found


def _group(rows: Sequence[Row]) -> Group:
    """One group from what each receiver knows of it. The first that saw it names it."""
    first = min(rows, key=lambda row: float(row["first_seen"]))
    return Group(
        key=first["key"],
        project=first["project"],
        title=first["title"],
        where=first["place"],
        rule=first["rule"],
        level=first["level"],
        first_seen=first["first_seen"],
        last_seen=max(row["last_seen"] for row in rows),
        count=sum(row["count"] for row in rows),
        users=Users.union(row["users"] for row in rows).count(),
        releases=_top(rows, "releases"),
        routes=_top(rows, "routes"),
    )


def _top(rows: Iterable[Row], column: str) -> dict[str, int]:
    added: Counter[str] = Counter()
    for row in rows:
        added.update(row[column])
    return dict(added.most_common(TOP))


def _event(row: Row) -> KeptEvent:
    packed = row.get("packed")
    return KeptEvent(
        id=row["id"],
        project=row["project"],
        group=row["group_key"],
        at=row["at"],
        received_at=row["received_at"],
        release=row["release"],
        route=row["route"],
        user=row["user_hash"],
        level=row["level"],
        handled=row["handled"],
        detail=None if packed is None else _unpacked(packed),
    )


def _unpacked(packed: bytes) -> Mapping[str, object]:
    made: Mapping[str, object] = orjson.loads(
        zstandard.ZstdDecompressor().decompress(packed, max_output_size=DETAIL_MAX)
    )
    return made


def _cursor(at: float, key: str) -> str:
    return f"{at!r}-{key}"


def _mark(cursor: str) -> tuple[float, str]:
    at, _, key = cursor.partition("-")
    try:
        return float(at), key
    except ValueError:
        raise UsageError("that page does not exist", "begin at the first one") from None
