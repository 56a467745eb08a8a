"""What is removed when it is old, or more than is kept. A bounded piece at a time, so that nobody waits for it."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from prodwise.store.reports import tables

PIECE = 500
"""Rows of one table that go at a time."""
GROUPS_FREE = 0.05
"""The share of a project's groups that is kept free for new ones."""
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What one receiver keeps. detail_bytes, groups, events, series: per project; *_s: seconds."""

    feed_s: float = 3_600.0
    event_s: float = 30 * DAY_S
    tally_s: float = 30 * DAY_S
    detail_bytes: int = 128 * 1024 * 1024
    events: int = 1_000_000
    groups: int = 5_000
    calls_s: float = 7 * DAY_S
    points_s: float = 2 * DAY_S
    series: int = 500


@dataclass(frozen=True, slots=True)
class Gone:
    """groups: (project, key); series: keys."""

    rows: int
    groups: tuple[tuple[int, str], ...] = ()
    series: tuple[str, ...] = ()


def remove_old(connection: sa.Connection, receiver: int, limits: Limits, now: float) -> Gone:
    """1. Feed rows that no healer will ask for. 2. Old events with their details. 3. Old tallies and counts. 4. Details and
    events over the project's quota, the oldest first. 5. Groups that nothing was seen of, and the longest quiet of too many.
    6. Old minutes of calls and series, and series without any."""
    rows = _oldest(connection, receiver, tables.feed, tables.feed.c.at < now - limits.feed_s)
    rows += _events(connection, receiver, tables.event.c.received_at < now - limits.event_s)
    for table, at in ((tables.tally, tables.tally.c.minute), (tables.counted, tables.counted.c.hour)):
        rows += _oldest_stamp(connection, receiver, table, at, now - limits.tally_s)
    for project in _projects(connection, receiver):
        rows += _details_over(connection, receiver, project, limits.detail_bytes)
        rows += _events_over(connection, receiver, project, limits.events)
    groups = _groups(connection, receiver, limits, now)
    rows += _oldest_stamp(connection, receiver, tables.call, tables.call.c.minute, now - limits.calls_s)
    rows += _oldest_stamp(connection, receiver, tables.point, tables.point.c.minute, now - limits.points_s)
    series = _series(connection, receiver, now - limits.points_s)
    return Gone(rows + len(groups) + len(series), groups, series)


def _projects(connection: sa.Connection, receiver: int) -> list[int]:
    t = tables.taken
    return [int(one) for one in connection.scalars(sa.select(t.c.project).where(t.c.receiver == receiver))]


def _oldest(connection: sa.Connection, receiver: int, table: sa.Table, which: sa.ColumnElement[bool]) -> int:
    """Of the PIECE oldest rows those that `which` is true of."""
    first = sa.select(table.c.seq).where(table.c.receiver == receiver).order_by(table.c.seq).limit(PIECE)
    return _delete(connection, table, table.c.receiver == receiver, table.c.seq.in_(first.scalar_subquery()), which)


def _events(connection: sa.Connection, receiver: int, which: sa.ColumnElement[bool]) -> int:
    """Events go with their details: none is kept of an event that is not."""
    rows = _oldest(connection, receiver, tables.event, which)
    t = tables.detail
    left = sa.select(sa.func.min(tables.event.c.seq)).where(tables.event.c.receiver == receiver).scalar_subquery()
    return rows + (_delete(connection, t, t.c.receiver == receiver, t.c.seq < left) if rows else 0)


def _oldest_stamp(
    connection: sa.Connection, receiver: int, table: sa.Table, at: sa.ColumnElement[int], until: float
) -> int:
    """The rows of one minute or hour, if it is old."""
    oldest = connection.scalar(sa.select(sa.func.min(at)).where(table.c.receiver == receiver))
    if oldest is None or oldest >= until:
        return 0
    return _delete(connection, table, table.c.receiver == receiver, at == oldest)


def _details_over(connection: sa.Connection, receiver: int, project: int, most: int) -> int:
    """The oldest common ones first, then the oldest rare ones."""
    t = tables.detail
    mine = sa.and_(t.c.receiver == receiver, t.c.project == project)
    over = (connection.scalar(sa.select(sa.func.sum(t.c.size)).where(mine)) or 0) - most
    if over <= 0:
        return 0
    going = []
    for seq, size in connection.execute(
        sa.select(t.c.seq, t.c.size).where(mine).order_by(t.c.rare, t.c.seq).limit(PIECE)
    ):
        going.append(seq)
        over -= size
        if over <= 0:
            break
    return _delete(connection, t, t.c.receiver == receiver, t.c.seq.in_(going))


def _events_over(connection: sa.Connection, receiver: int, project: int, most: int) -> int:
    t = tables.event
    newest = connection.scalar(sa.select(sa.func.max(t.c.seq)).where(t.c.receiver == receiver)) or 0
    return _events(connection, receiver, sa.and_(t.c.project == project, t.c.seq <= newest - most))


def _groups(connection: sa.Connection, receiver: int, limits: Limits, now: float) -> tuple[tuple[int, str], ...]:
    t = tables.group
    old = sa.select(t.c.project, t.c.key).where(t.c.receiver == receiver, t.c.last_seen < now - limits.event_s)
    going = [(int(project), str(key)) for project, key in connection.execute(old.limit(PIECE))]
    many = sa.select(t.c.project, sa.func.count()).where(t.c.receiver == receiver).group_by(t.c.project)
    for project, count in connection.execute(many).all():
        over = int(count - limits.groups * (1 - GROUPS_FREE))
        if over > 0:
            quiet = sa.select(t.c.project, t.c.key).where(t.c.receiver == receiver, t.c.project == project)
            rows = connection.execute(quiet.order_by(t.c.count > 2, t.c.last_seen).limit(min(over, PIECE)))
            going += [(int(project), str(key)) for project, key in rows]
    _delete(connection, t, t.c.receiver == receiver, t.c.key.in_([key for _, key in going]))
    return tuple(dict.fromkeys(going))


def _series(connection: sa.Connection, receiver: int, until: float) -> tuple[str, ...]:
    t = tables.series
    old = sa.select(t.c.key).where(t.c.receiver == receiver, t.c.last_seen < until).limit(PIECE)
    going = tuple(str(key) for key in connection.scalars(old))
    _delete(connection, t, t.c.receiver == receiver, t.c.key.in_(going))
    return going


def _delete(connection: sa.Connection, table: sa.Table, *which: sa.ColumnElement[bool]) -> int:
    return connection.execute(table.delete().where(*which)).rowcount
