"""What receivers stored, for detectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from prodwise.model.digest import Heard
from prodwise.model.project import Project
from prodwise.store.reports import codec, tables
from prodwise.store.reports.shelves import Shelves

READ_MAX = 10_000

# Made once: they are asked twice a second.
_FED = sa.select(tables.receiver.c.receiver, tables.receiver.c.fed)
_SINCE = (
    sa.select(tables.feed.c.seq, tables.feed.c.size, tables.feed.c.packed)
    .where(tables.feed.c.receiver == sa.bindparam("number"), tables.feed.c.seq > sa.bindparam("after"))
    .order_by(tables.feed.c.seq)
    .limit(1_000)
)


class SqlReportFeed:
    """Implements ports.ReportFeed. projects: as they are now, asked again when an unknown one is met; position: of an earlier
    reader, None to begin with what is stored from now on."""

    def __init__(
        self, shelves: Shelves, projects: Callable[[], Sequence[Project]], position: Mapping[str, Any] | None
    ) -> None:
        self._shelves, self._projects = shelves, projects
        self._services: dict[int, str] = {}
        self._seen: dict[int, int] = {int(number): int(seq) for number, seq in (position or {}).items()}
        if position is None:
            self._seen = dict(_newest(shelves))

    def read(self) -> Sequence[Heard]:
        found: list[Heard] = []
        databases = self._shelves.all()
        for database in databases:
            with database.engine.connect() as connection:
                receivers = connection.execute(_FED).all()
                room = max(1, READ_MAX // len(databases) // max(1, len(receivers)))
                for number, fed in receivers:
                    if fed > self._seen.get(number, 0):
                        for seq, packed in self._rows(connection, number, room):
                            found += codec.unpack(packed, self._service)
                            self._seen[number] = seq
        found.sort(key=lambda one: one.at)
        return found

    def position(self) -> Mapping[str, Any]:
        return {str(number): seq for number, seq in self._seen.items()}

    def _service(self, project: int) -> str:
        """ "" for a project that is gone."""
        if project not in self._services:
            self._services = {project: "", **{one.id: one.service for one in self._projects()}}
        return self._services[project]

    def _rows(self, connection: sa.Connection, number: int, room: int) -> Iterator[tuple[int, bytes]]:
        """Whole rows until there are enough."""
        asked = {"number": number, "after": self._seen.get(number, 0)}
        for seq, size, packed in connection.execute(_SINCE, asked):
            if room <= 0:
                return
            room -= size
            yield int(seq), packed


def _newest(shelves: Shelves) -> Iterator[tuple[int, int]]:
    for database in shelves.all():
        with database.engine.connect() as connection:
            for number, fed in connection.execute(_FED):
                yield int(number), int(fed)
