"""Groups and tallies while one receiver adds to them: read once, remembered, written back whole with each commit."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from prodwise.model.digest import Digested
from prodwise.model.event import ErrorSeen, Grouped
from prodwise.model.users import Users
from prodwise.store.reports import tables

MINUTE_S = 60
GROUPS_KEPT, MINUTES_KEPT = 4_096, 512
"""Groups, and minutes of single groups, that are remembered between commits; others are read again when they are met."""
PARTS_MAX = 50
"""Releases and routes told apart in one group, and pairs of them in one of its minutes; the rest are one, named OTHER."""
OTHER = "(other)"
TOO_MANY = Grouped("", "errors of more faults than are told apart", "", "overflow")

Minute = tuple[str, int]
Part = tuple[str, str]


@dataclass(slots=True)
class GroupSum:
    project: int
    grouped: Grouped
    level: str
    first_seen: float
    last_seen: float
    count: int = 0
    users: Users = field(default_factory=Users)
    releases: dict[str, int] = field(default_factory=dict)
    routes: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class TallySum:
    count: int = 0
    users: Users = field(default_factory=Users)


class Sums:
    """All of one receiver. `load` what a batch touches, `add` each event, then write the rows."""

    def __init__(self, receiver: int, connection: sa.Connection, groups_max: int) -> None:
        self._receiver, self._groups_max = receiver, groups_max
        self._groups: OrderedDict[str, GroupSum] = OrderedDict()
        self._minutes: OrderedDict[Minute, dict[Part, TallySum]] = OrderedDict()
        self._touched_groups: set[str] = set()
        self._touched: set[tuple[Minute, Part]] = set()
        t = tables.group
        query = sa.select(t.c.project, sa.func.count()).where(t.c.receiver == receiver).group_by(t.c.project)
        self._known = {int(project): int(count) for project, count in connection.execute(query)}

    def load(self, connection: sa.Connection, events: Iterable[Digested]) -> None:
        """1. Forgets the oldest. 2. Reads the groups and minutes of these events that are not remembered."""
        self._touched_groups.clear()
        self._touched.clear()
        _trim(self._groups, GROUPS_KEPT)
        _trim(self._minutes, MINUTES_KEPT)
        groups, minutes = set(), set()
        for one in events:
            groups.add(one.grouped.key)
            minutes.add((one.grouped.key, _minute(one.seen.at)))
        if new_groups := groups - self._groups.keys():
            self._load_groups(connection, new_groups)
        if new_minutes := minutes - self._minutes.keys():
            self._load_minutes(connection, new_minutes)

    def add(self, connection: sa.Connection, project: int, event: Digested) -> ErrorSeen:
        """Counts it. Returns it as it was counted: in another group where there are too many, under OTHER's route or release."""
        seen, grouped = event.seen, event.grouped
        found = self._groups.get(grouped.key)
        if found is None:
            found = self._new(connection, project, event)
            grouped = found.grouped
        release, route = _part(found.releases, seen.release), _part(found.routes, seen.route)
        if (grouped.key, release, route) != (seen.group, seen.release, seen.route):
            seen = replace(seen, group=grouped.key, title=grouped.title, release=release, route=route)
        found.count += 1
        found.releases[release] = found.releases.get(release, 0) + 1
        found.routes[route] = found.routes.get(route, 0) + 1
        found.first_seen, found.last_seen = min(found.first_seen, seen.at), max(found.last_seen, seen.at)
        found.users.add(seen.user)
        self._touched_groups.add(grouped.key)
        self._count(connection, seen)
        return seen

    def _count(self, connection: sa.Connection, seen: ErrorSeen) -> None:
        minute = (seen.group, _minute(seen.at))
        if minute not in self._minutes:
            self._load_minutes(connection, {minute})
        parts = self._minutes[minute]
        part = (seen.release, seen.route)
        if part not in parts and len(parts) >= PARTS_MAX:
            part = (OTHER, OTHER)
        tally = parts.setdefault(part, TallySum())
        tally.count += 1
        tally.users.add(seen.user)
        self._touched.add((minute, part))

    def group_rows(self) -> Iterator[dict[str, Any]]:
        for key in self._touched_groups:
            one = self._groups[key]
            yield {
                "receiver": self._receiver,
                "key": key,
                "project": one.project,
                "title": one.grouped.title,
                "place": one.grouped.where,
                "rule": one.grouped.rule,
                "level": one.level,
                "first_seen": one.first_seen,
                "last_seen": one.last_seen,
                "count": one.count,
                "users": one.users.pack(),
                "releases": one.releases,
                "routes": one.routes,
            }

    def tally_rows(self) -> Iterator[dict[str, Any]]:
        for minute, part in self._touched:
            one = self._minutes[minute][part]
            yield {
                "receiver": self._receiver,
                "group_key": minute[0],
                "minute": minute[1],
                "release": part[0],
                "route": part[1],
                "count": one.count,
                "users": one.users.pack(),
            }

    def forget(self, groups: Iterable[tuple[int, str]]) -> None:
        """Groups that were removed."""
        for project, key in groups:
            self._known[project] = max(0, self._known.get(project, 0) - 1)
            self._groups.pop(key, None)

    def _new(self, connection: sa.Connection, project: int, event: Digested) -> GroupSum:
        """The event's group, or the one for all others where there are too many."""
        grouped, at = event.grouped, event.seen.at
        if self._known.get(project, 0) >= self._groups_max:
            grouped = replace(TOO_MANY, key=f"{project:032x}")
            if grouped.key not in self._groups:
                self._load_groups(connection, {grouped.key})
            if (known := self._groups.get(grouped.key)) is not None:
                return known
        made = self._groups[grouped.key] = GroupSum(project, grouped, event.seen.level, at, at)
        self._known[project] = self._known.get(project, 0) + 1
        return made

    def _load_groups(self, connection: sa.Connection, keys: set[str]) -> None:
        t = tables.group
        query = sa.select(t).where(t.c.receiver == self._receiver, t.c.key.in_(sorted(keys)))
        for row in connection.execute(query).mappings():
            grouped = Grouped(row["key"], row["title"], row["place"], row["rule"])
            self._groups[row["key"]] = GroupSum(
                row["project"], grouped, row["level"], row["first_seen"], row["last_seen"], row["count"],
                Users.unpack(row["users"]), dict(row["releases"]), dict(row["routes"]),
            )  # fmt: skip

    def _load_minutes(self, connection: sa.Connection, minutes: set[Minute]) -> None:
        """Whole minutes of groups; one that is new begins empty."""
        t = tables.tally
        query = sa.select(t).where(
            t.c.receiver == self._receiver,
            t.c.group_key.in_(sorted({group for group, _ in minutes})),
            t.c.minute.in_(sorted({minute for _, minute in minutes})),
        )
        self._minutes.update({minute: {} for minute in minutes})
        for row in connection.execute(query).mappings():
            if (minute := (row["group_key"], row["minute"])) in minutes:
                self._minutes[minute][row["release"], row["route"]] = TallySum(row["count"], Users.unpack(row["users"]))


def _minute(at: float) -> int:
    return int(at // MINUTE_S) * MINUTE_S


def _part(known: dict[str, int], name: str) -> str:
    return name if name in known or len(known) < PARTS_MAX else OTHER


def _trim(remembered: OrderedDict[Any, Any], most: int) -> None:
    while len(remembered) > most:
        remembered.popitem(last=False)
