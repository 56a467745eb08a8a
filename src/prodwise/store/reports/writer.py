"""What one receiver writes: many deliveries in one transaction, by one thread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from prodwise.model.digest import Delivery, Item
from prodwise.model.errors import StoreError, Unstorable
from prodwise.model.event import ErrorSeen
from prodwise.model.report import Reason
from prodwise.store.engine import Database
from prodwise.store.migrate import REPORTS, migrate
from prodwise.store.reports import codec, tables
from prodwise.store.reports.sums import Sums
from prodwise.store.reports.telemetry_sums import TelemetrySums
from prodwise.store.reports.tidy import Limits, remove_old
from prodwise.store.reports.upserts import Upserts

HOUR_S = 3600


class ReportWriter:
    """Implements ports.ReportSink for receiver number `receiver`. Raises StoreError when the database cannot be used, Unstorable
    when it cannot take what it is given."""

    def __init__(self, url: str, receiver: int, limits: Limits | None = None) -> None:
        self._db = Database(url)
        migrate(self._db, REPORTS)
        self._receiver, self._limits = receiver, limits or Limits()
        self._upserts = Upserts(self._db.engine.dialect.name)
        self._begin()

    def write(self, deliveries: Sequence[Delivery]) -> None:
        try:
            with self._db.engine.begin() as connection:
                self._write(connection, deliveries)
        except (sa.exc.DataError, sa.exc.IntegrityError, ValueError, TypeError, OverflowError) as error:
            self._broken = True
            raise Unstorable(f"a report cannot be stored: {_told(error)}") from None
        except sa.exc.SQLAlchemyError as error:
            self._broken = True
            raise StoreError(f"reports cannot be stored: {_told(error)}", "check the disk and the database") from None

    def tidy(self, now: float) -> int:
        try:
            with self._db.engine.begin() as connection:
                gone = remove_old(connection, self._receiver, self._limits, now)
        except sa.exc.SQLAlchemyError as error:
            raise StoreError(f"old reports cannot be removed: {_told(error)}") from None
        self._sums.forget(gone.groups)
        self._telemetry.forget(gone.series)
        return gone.rows

    def close(self) -> None:
        self._db.close()

    def _begin(self) -> None:
        """From what was committed: what is remembered may be ahead of it after a failure."""
        t = tables.receiver
        with self._db.engine.begin() as connection:
            row = connection.execute(sa.select(t).where(t.c.receiver == self._receiver)).mappings().first()
            if row is None:
                connection.execute(t.insert().values(receiver=self._receiver, fed=0, events=0, at=0.0))
            self._fed: int = row["fed"] if row else 0
            self._events: int = row["events"] if row else 0
            self._sums = Sums(self._receiver, connection, self._limits.groups)
            self._telemetry = TelemetrySums(self._receiver, connection, self._limits.series)
        self._broken = False

    def _write(self, connection: sa.Connection, deliveries: Sequence[Delivery]) -> None:
        if self._broken:
            self._begin()
        heard, moved = self._add_events(connection, deliveries)
        moved += self._telemetry.add(connection, deliveries)
        for table, rows in (
            (tables.group, list(self._sums.group_rows())),
            (tables.tally, list(self._sums.tally_rows())),
            (tables.counted, _counted(self._receiver, [*deliveries, *moved])),
            (tables.taken, _taken(self._receiver, deliveries)),
            (tables.call, list(self._telemetry.call_rows())),
            (tables.series, list(self._telemetry.series_rows())),
            (tables.point, list(self._telemetry.point_rows())),
        ):
            if rows:
                connection.execute(self._upserts.of(table), rows)
        at = max((one.at for one in deliveries), default=0.0)
        if heard:
            self._fed += 1
            row = {"receiver": self._receiver, "seq": self._fed, "at": at, "size": len(heard)}
            connection.execute(tables.feed.insert(), [{**row, "packed": codec.pack(heard)}])
        t = tables.receiver
        values = {"fed": self._fed, "events": self._events, "at": at}
        connection.execute(t.update().where(t.c.receiver == self._receiver).values(**values))

    def _add_events(
        self, connection: sa.Connection, deliveries: Sequence[Delivery]
    ) -> tuple[list[tuple[float, int, Item]], list[Delivery]]:
        """(what detectors are told, how many events of which delivery were put into another group)."""
        events: list[dict[str, Any]] = []
        details: list[dict[str, Any]] = []
        heard: list[tuple[float, int, Item]] = []
        moved: list[Delivery] = []
        self._sums.load(connection, [one for delivery in deliveries for one in delivery.events])
        for delivery in deliveries:
            project, at = delivery.project, delivery.at
            for one in delivery.events:
                self._events += 1
                seen = self._sums.add(connection, project, one)
                if seen.group != one.grouped.key:
                    moved.append(Delivery(project, at, counts={Reason.GROUPS: 1}))
                events.append(_event_row(self._receiver, self._events, project, at, seen))
                heard.append((at, project, seen))
                if one.detail is not None:
                    details.append({"receiver": self._receiver, "seq": self._events, "project": project,
                                    "rare": one.rare, "size": len(one.detail), "packed": one.detail})  # fmt: skip
            heard += [(at, project, item) for item in delivery.items]
        if events:
            connection.execute(tables.event.insert(), events)
        if details:
            connection.execute(tables.detail.insert(), details)
        return heard, moved


def _event_row(receiver: int, seq: int, project: int, at: float, seen: ErrorSeen) -> dict[str, Any]:
    return {
        "receiver": receiver,
        "seq": seq,
        "id": seen.id,
        "project": project,
        "group_key": seen.group,
        "at": seen.at,
        "received_at": at,
        "release": seen.release,
        "route": seen.route,
        "user_hash": seen.user,
        "level": seen.level,
        "handled": seen.handled,
    }


def _counted(receiver: int, deliveries: Sequence[Delivery]) -> list[dict[str, Any]]:
    counted: Counter[tuple[int, int, str]] = Counter()
    for one in deliveries:
        for reason, count in one.counts.items():
            counted[one.project, int(one.at // HOUR_S) * HOUR_S, reason.value] += count
    return [
        {"receiver": receiver, "project": project, "hour": hour, "reason": reason, "count": count}
        for (project, hour, reason), count in counted.items()
    ]


def _taken(receiver: int, deliveries: Sequence[Delivery]) -> list[dict[str, Any]]:
    taken: dict[int, dict[str, Any]] = {}
    for one in deliveries:
        if one.refused:
            continue
        row = taken.setdefault(one.project, {"receiver": receiver, "project": one.project, "first": one.at,
                                             "last": one.at, "deliveries": 0, "events": 0})  # fmt: skip
        row["last"] = max(row["last"], one.at)
        row["deliveries"] += 1
        row["events"] += len(one.events)
    return list(taken.values())


def _told(error: Exception) -> str:
    return str(getattr(error, "orig", None) or repr(error))[:300]
