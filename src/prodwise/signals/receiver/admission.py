"""Who may send how much at once: bounded bytes and requests, fair between projects, a quota a minute each."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from prodwise.model.report import Reason

MINUTE_S = 60.0
RETRY_BUSY_S = 5


@dataclass(frozen=True, slots=True)
class Room:
    """What one receiver holds at most. requests, bytes: not yet answered, in all; events_per_minute: of one project."""

    requests: int = 1_000
    bytes: int = 32 * 1024 * 1024
    events_per_minute: int = 60_000


@dataclass(frozen=True, slots=True)
class Turned:
    """Sent away, and when to come back. retry_s: whole seconds."""

    reason: Reason
    retry_s: int


@dataclass(slots=True)
class _Minute:
    """A bucket of events that fills up evenly, so that a burst of at most a minute's worth is taken."""

    left: float
    at: float


class Admission:
    """Counts what is being held. While half of the room is taken no project gets more than its share of it."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._requests: Counter[int] = Counter()
        self._bytes: Counter[int] = Counter()
        self._all_requests = self._all_bytes = 0
        self._minutes: dict[int, _Minute] = defaultdict(lambda: _Minute(float(room.events_per_minute), 0.0))

    def admit(self, project: int, size: int, now: float) -> Turned | None:
        """None when it may come in: `leave` ends its stay. now: monotonic seconds."""
        if (wait := self._over_quota(project, now)) is not None:
            return Turned(Reason.QUOTA, wait)
        if self._is_full(project, size):
            return Turned(Reason.BUSY, RETRY_BUSY_S)
        self._requests[project] += 1
        self._bytes[project] += size
        self._all_requests += 1
        self._all_bytes += size
        return None

    def leave(self, project: int, size: int) -> None:
        self._requests[project] -= 1
        self._bytes[project] -= size
        self._all_requests -= 1
        self._all_bytes -= size
        if not self._requests[project]:
            del self._requests[project], self._bytes[project]

    def charge(self, project: int, events: int) -> None:
        """What it turned out to hold."""
        self._minutes[project].left -= max(1, events)

    def _is_full(self, project: int, size: int) -> bool:
        room = self._room
        requests, held = self._all_requests + 1, self._all_bytes + size
        if requests > room.requests or held > room.bytes:
            return True
        if requests * 2 <= room.requests and held * 2 <= room.bytes:
            return False
        sharing = len(self._requests.keys() | {project})
        return sharing > 1 and (
            (self._requests[project] + 1) * sharing > room.requests
            or (self._bytes[project] + size) * sharing > room.bytes
        )

    def _over_quota(self, project: int, now: float) -> int | None:
        """Seconds to wait, or None."""
        minute, most = self._minutes[project], float(self._room.events_per_minute)
        minute.left = min(most, minute.left + (now - minute.at) * most / MINUTE_S) if minute.at else minute.left
        minute.at = now
        return None if minute.left >= 1 else 1 + int((1 - minute.left) * MINUTE_S / most)
