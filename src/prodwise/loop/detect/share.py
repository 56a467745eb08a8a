"""The canary's share of the requests, where nobody states it: from the past only, so that a wager on labels stays fair."""

from __future__ import annotations

from math import sqrt

_FAST = 1 / 50  # an eye on the last ~100 requests
_FAST_COUNT = 2 / _FAST - 1
_ALONE = 40.0  # requests of stable before the canary's first that count towards its share
_LEAN = 3.0  # what a label pays is convex in the share: leaning by this r − 1 makes up for the estimate's scatter
_LOOK = 4  # requests between two looks for a leap
_LEAP = 5.0  # standard deviations


class RunningShare:
    """Mean share since the last leap; a ramp's step (5 % → 25 %) is a leap, after which counting starts afresh.

    When the canary's share leaps *up*, an old, smaller estimate would count its errors as too surprising: hence the
    quick eye. With 1:1 or every-20th assignment the estimate is right after one cycle.
    """

    __slots__ = ("_canary", "_fast", "_seen")

    def __init__(self) -> None:
        self._canary = 0.0
        self._seen = 0.0
        self._fast = 0.0

    @property
    def value(self) -> float:
        """0…1, for the *next* request; 0 before stable was seen (no bet is fair then).

        Before the canary was seen it leans to a larger share: stable may have been alone for a while.
        """
        if self._canary == self._seen:
            return 0.0
        if not self._canary:
            return 1 / (min(self._seen, _ALONE) + 2)
        mean = self._canary / self._seen
        return mean + _LEAN * mean * (1 - mean) / ((1 + _LEAN * mean) * self._seen)

    def observe(self, canary: bool) -> None:
        self._fast += _FAST * (canary - self._fast) if self._seen else canary - self._fast
        self._canary += canary
        self._seen += 1
        if not int(self._seen) % _LOOK and self._seen > 2 * _FAST_COUNT:
            mean = (self._canary + 0.5) / (self._seen + 1)
            if abs(self._fast - mean) > _LEAP * sqrt(mean * (1 - mean) / _FAST_COUNT) + _FAST:
                self._seen = _FAST_COUNT / 2
                self._canary = min(max(self._fast, 0.01), 0.99) * self._seen
