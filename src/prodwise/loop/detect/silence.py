"""A service that lets its users wait: requests are under way, and none is answered. It needs no probe to be seen, and finds
the hang that a probe of the port alone cannot see: the kernel goes on accepting connections for a process that stands still."""

from __future__ import annotations

from collections import deque

from prodwise.loop.detect.quantile import RunningQuantile
from prodwise.model.incident import Symptom
from prodwise.model.signal import RequestSeen

WAITING_MIN = 3  # requests above what is always under way (streams, long polls)
SILENT_S = 2.0
TIMES_USUAL = 5.0
"""So many times the usual 95th percentile, plus SILENT_S, without any answer are silence."""
KNOWN_MIN = 30  # answers from which the usual latency is known
FLOOR_S = 60.0
"""What was under way at the quietest moment of so long is always under way."""
NOT_ITS_OWN = frozenset({0, 502, 503, 504})
"""What the proxy says for a service that does not answer."""


class SilenceDetector:
    """One service's users. Feed it answers as they come, and `count` how many requests are under way about twice a second."""

    def __init__(self, service: str) -> None:
        self.service = service
        self._usual = RunningQuantile(500)
        self._answered_at = 0.0
        self._release = ""
        self._counts: deque[tuple[float, int]] = deque(maxlen=600)  # (at, requests under way)
        self._waiting_since: float | None = None  # since when more than usual are under way, without an answer since

    def observe(self, request: RequestSeen) -> None:
        """One answer; a proxy's "it does not answer" is none."""
        if request.status in NOT_ITS_OWN:
            return
        self._usual.add(request.ms)
        self._answered_at = max(self._answered_at, request.at)
        self._release = request.release
        self._waiting_since = None

    def count(self, at: float, waiting: int) -> None:
        """How many requests are under way. at: Unix seconds."""
        self._counts.append((at, waiting))
        while self._counts[0][0] < at - FLOOR_S:
            self._counts.popleft()
        if self._above() < 1:
            self._waiting_since = None
        elif self._waiting_since is None:
            self._waiting_since = at

    def silent(self, now: float) -> bool:
        """Whether users wait and nobody has been answered for much longer than it ever takes."""
        if self._waiting_since is None or len(self._usual) < KNOWN_MIN or self._above() < WAITING_MIN:
            return False
        limit_s = SILENT_S + TIMES_USUAL * (self._usual.at(0.95) or 0.0) / 1000
        return now - max(self._waiting_since, self._answered_at) >= limit_s

    def symptoms(self, now: float, started_at: float) -> tuple[Symptom, ...]:
        """started_at: Unix seconds; a process that has answered nobody yet comes up, it does not hang."""
        if self._answered_at <= started_at or not self.silent(now):
            return ()
        text = f"runs but does not answer: {self._above()} requests wait, none was answered for {now - self._answered_at:.1f} s"
        return (Symptom("hang", self.service, text, self._answered_at, now, "", self._release),)

    def _above(self) -> int:
        """Requests under way beyond those that always are."""
        return self._counts[-1][1] - min(count for _, count in self._counts) if self._counts else 0
