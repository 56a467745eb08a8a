"""Quantiles of the recent past, in bounded memory. A quantile fixed once from a few hundred samples is unusable as a
threshold of a test (a third of all good releases fail it); a running one moves with the load."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque


class RunningQuantile:
    """Exact quantiles of the last `window` values; a value costs two binary searches and a short move."""

    __slots__ = ("_recent", "_sorted", "window")

    def __init__(self, window: int = 1000) -> None:
        self.window = window
        self._recent: deque[float] = deque()
        self._sorted: list[float] = []

    def __len__(self) -> int:
        return len(self._sorted)

    def add(self, value: float) -> None:
        if len(self._recent) >= self.window:
            old = self._recent.popleft()
            del self._sorted[bisect_left(self._sorted, old)]
        self._recent.append(value)
        insort(self._sorted, value)

    def at(self, p: float) -> float | None:
        """The p-quantile (0…1), rounded up to a seen value; None when nothing was seen."""
        if not self._sorted:
            return None
        return self._sorted[min(len(self._sorted) - 1, int(p * len(self._sorted)))]
