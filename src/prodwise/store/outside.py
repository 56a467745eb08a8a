"""What outsiders said: deliveries that were taken, and alarms that stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from prodwise.model.errors import Refused
from prodwise.model.outside import Alarm
from prodwise.store import tables
from prodwise.store.engine import Database

DELIVERIES_MAX: Final = 10_000
ALARMS_MAX: Final = 500
_STORED = ("source", "subject", "service", "name", "text", "about", "began_at", "seen_at", "lasts_s")


class SqlOutside:
    """Implements ports.OutsideStore."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def first(self, way: str, delivery: str, at: float, kept_s: float) -> bool:
        """Whether it comes for the first time within kept_s; remembers it, the newest 10,000 of each way."""
        t = tables.delivery
        with self._db.unit() as session:
            session.execute(tables.chain_head.update().values(seq=tables.chain_head.c.seq))  # one at a time
            before = session.scalar(sa.select(t.c.at).where(t.c.way == way, t.c.id == delivery))
            if before is not None and at - before < kept_s:
                return False
            session.execute(t.delete().where(t.c.way == way, t.c.id == delivery))
            session.execute(t.insert().values(way=way, id=delivery, at=at))
            oldest = sa.select(t.c.at).where(t.c.way == way).order_by(t.c.at.desc()).offset(DELIVERIES_MAX).limit(1)
            session.execute(t.delete().where(t.c.way == way, t.c.at <= oldest.scalar_subquery()))
            return True

    def raise_alarm(self, alarm: Alarm) -> bool:
        """Stores it, or its newer state: it began when it was first said to have. Returns whether that is news.

        Raises Refused beyond 500 of one source."""
        t = tables.alarm
        values = {name: getattr(alarm, name) for name in _STORED}
        this = (t.c.source == alarm.source) & (t.c.subject == alarm.subject)
        with self._db.unit() as session:
            if session.scalar(sa.select(t.c.subject).where(this)) is not None:
                session.execute(t.update().where(this).values(**{**values, "began_at": t.c.began_at}))
                return False
            count = session.scalar(sa.select(sa.func.count()).select_from(t).where(t.c.source == alarm.source)) or 0
            if count >= ALARMS_MAX:
                raise Refused(f"{alarm.source} has {ALARMS_MAX} alarms that stand already", "end some of them there")
            session.execute(t.insert().values(**values))
            return True

    def end_alarm(self, source: str, subject: str) -> bool:
        """Removes it. Returns whether it was there."""
        t = tables.alarm
        with self._db.unit() as session:
            gone = session.execute(t.delete().where(t.c.source == source, t.c.subject == subject))
            return bool(gone.rowcount)  # type: ignore[attr-defined]

    def alarms(self) -> Sequence[Alarm]:
        """Those that stand, oldest first."""
        t = tables.alarm
        with self._db.unit() as session:
            rows = session.execute(sa.select(t).order_by(t.c.began_at, t.c.source, t.c.subject)).mappings()
            return [_alarm(row) for row in rows]


def _alarm(row: Mapping[Any, Any]) -> Alarm:
    return Alarm(**{name: row[name] for name in _STORED}, firing=True)
