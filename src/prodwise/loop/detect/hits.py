"""What reported errors hit, second by second: the same whatever order they came in, and however often each came."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Final

from prodwise.model.digest import Heard
from prodwise.model.event import ErrorSeen

LATE_S: Final = 2
"""What happened longer before it was received counts as if it had happened this long before."""
UNITS_MAX: Final = 64
GROUPS_MAX: Final = 2_000
"""Told apart within one second; what is more is in the tallies only."""
SECONDS_MAX: Final = 150
ERRORS: Final = frozenset({"error", "fatal"})


@dataclass(frozen=True, slots=True, order=True)
class Unit:
    """Somebody or something that was hit. who: a user, or else the event itself; known: whether it is a user."""

    who: str
    release: str = ""
    known: bool = False


@dataclass(slots=True)
class Units:
    """The least UNITS_MAX of all that were added, sorted: no order of adding changes them."""

    kept: list[Unit] = field(default_factory=list)

    def add(self, unit: Unit) -> None:
        place = bisect_left(self.kept, unit)
        if place == UNITS_MAX or (place < len(self.kept) and self.kept[place] == unit):
            return
        self.kept.insert(place, unit)
        del self.kept[UNITS_MAX:]


@dataclass(slots=True)
class GroupHits:
    """One group in one second. route: the first of the important ones by name, else the first."""

    title: str
    route: str
    important: bool
    unhandled: bool = False
    units: Units = field(default_factory=Units)

    def add(self, seen: ErrorSeen, important: bool) -> None:
        self.title = min(self.title, seen.title)
        self.unhandled = self.unhandled or seen.handled is False
        self.route = min((not self.important, self.route), (not important, seen.route))[1]
        self.important = self.important or important
        self.units.add(unit_of(seen))


def unit_of(seen: ErrorSeen) -> Unit:
    return Unit(seen.user or seen.id or repr(seen.at), seen.release, bool(seen.user))


def second_of(heard: Heard) -> int:
    """When it happened, as far as the sender's clock is believed; told by each report alone, however often it is read."""
    return int(min(max(heard.item.at, heard.at - LATE_S), heard.at))


class Seconds:
    """Seconds that are still open. important: routes that earn money, as the proxy names them."""

    def __init__(self, important: frozenset[str]) -> None:
        self._important = important
        self._hits: dict[int, dict[str, GroupHits]] = {}
        self._alive: set[int] = set()  # somebody reported something

    def add(self, heard: Heard, first_open: int) -> None:
        """Errors are hits; whatever else programs report shows that they run."""
        second = max(second_of(heard), first_open)
        self._alive.add(second)
        seen = heard.item
        if not isinstance(seen, ErrorSeen) or seen.level not in ERRORS:
            return
        groups, important = self._hits.setdefault(second, {}), seen.route in self._important
        found = groups.get(seen.group)
        if found is None:
            if len(groups) >= GROUPS_MAX:
                return
            found = groups[seen.group] = GroupHits(seen.title, seen.route, important)
        found.add(seen, important)

    def take(self, second: int) -> tuple[list[tuple[str, GroupHits]], bool]:
        """(groups by key, whether anything was reported) of one second, which is closed by that."""
        alive = second in self._alive
        self._alive.discard(second)
        return sorted(self._hits.pop(second, {}).items()), alive

    def forget(self) -> None:
        self._hits.clear()
        self._alive.clear()

    @property
    def oldest(self) -> int | None:
        return min(self._alive, default=None)
