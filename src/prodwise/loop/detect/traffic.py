"""Traffic that stops: far too few requests for the time that has passed, all of a sudden. Judged only where traffic is dense
enough to tell. Evenings, weekends and a campaign that ends are no fault: traffic that thins out is a new usual rate."""

from __future__ import annotations

from collections import deque
from math import log

MIN_RATE = 2.0  # requests per second; an app with less is often silent without being sick
MIN_SEEN_S = 60.0
"""Seconds of traffic before a rate is known."""
MEMORY_S = 300.0
REMAINS = 0.1
"""The bet: at most a tenth of the usual traffic is left."""
MIN_LASTS_S = 300.0
"""A shorter silence is a pause of the callers. Whatever keeps them from us while we are sick shows itself at once elsewhere."""
NEW_USUAL_S = 3600.0
"""After so long without traffic, that is how it is now."""
SUDDEN_S = 10.0
SUDDEN_SHARE = 0.7
"""Sudden is what had this share of the usual rate until so many seconds before."""
MAX_GAP_S = 30.0
"""A longer time between two ticks was our own sleep, not the app's."""


class TrafficDetector:
    """A CUSUM on counts per tick against the usual rate, divided by how bursty arrivals usually are."""

    __slots__ = (
        "_before",
        "_count",
        "_last",
        "_relief",
        "_score",
        "_seen_s",
        "_spread",
        "h",
        "on",
        "onset",
        "rate",
        "since",
    )

    def __init__(self, h: float) -> None:
        self.h = h
        self.on = False
        self.since = 0.0
        self.onset = 0.0
        self.rate = 0.0  # usual requests per second
        self._spread = 1.0  # variance / mean of counts, ≥ 1
        self._count = 0
        self._last: float | None = None
        self._seen_s = self._score = self._relief = 0.0
        self._before: deque[tuple[float, int, float]] = deque(maxlen=64)  # (start, count, seconds) of the last SUDDEN_S

    def observe(self) -> None:
        self._count += 1

    def tick(self, now: float) -> None:
        """Close the interval since the last tick; call about once a second. now: Unix seconds."""
        if self._last is None:
            self._last, self._count = now, 0
            return
        span = now - self._last
        if span < 0.2:
            return
        count, self._count, start, self._last = self._count, 0, self._last, now
        if span > MAX_GAP_S:
            return
        if self._seen_s >= MIN_SEEN_S and self.rate >= MIN_RATE:
            self._judge(count, self.rate * span, start, now)
        if not self.on and self._score < 1.0:
            self._learn(count, span)
        self._before.append((start, count, span))
        while self._before and self._before[0][0] < now - SUDDEN_S:
            self._before.popleft()

    def _judge(self, count: int, expected: float, start: float, now: float) -> None:
        gain = (count * log(REMAINS) + (1 - REMAINS) * expected) / self._spread
        if self.on:
            self._relief = max(0.0, self._relief + (count * log(5.0) - 0.4 * expected) / self._spread)
            if self._relief >= 4.6 or now - self.since >= NEW_USUAL_S:
                self.on, self._score, self._seen_s = False, 0.0, 0.0
            return
        if self._score <= 0.0:
            if gain > 0 and not self._sudden():
                return
            self.onset = start
        self._score = min(self.h, max(0.0, self._score + gain))  # bounded: what comes back is believed at once
        if self._score >= self.h and now - self.onset >= MIN_LASTS_S:
            self.on, self.since, self._relief = True, self.onset, 0.0

    def _sudden(self) -> bool:
        """Whether traffic was as usual until now."""
        seconds = sum(span for _, _, span in self._before)
        return sum(count for _, count, _ in self._before) >= SUDDEN_SHARE * self.rate * seconds

    def _learn(self, count: int, span: float) -> None:
        self._seen_s += span
        keep = max(0.0, 1 - span / min(MEMORY_S, self._seen_s))
        self.rate = keep * self.rate + (1 - keep) * count / span
        expected = max(self.rate * span, 0.1)
        surprise = min((count - expected) ** 2 / expected, 400.0)
        self._spread = max(1.0, keep * self._spread + (1 - keep) * surprise)
