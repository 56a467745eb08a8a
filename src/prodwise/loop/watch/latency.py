"""Is the canary slower? A label test on "slower than stable's running 95th percentile"."""

from __future__ import annotations

from prodwise.loop.detect.quantile import RunningQuantile
from prodwise.loop.detect.twosample import LATENCY, TwoSample

_RENEW = 16


class LatencyTest:
    """Same guards against bursts as errors have. share: part of the unit bet here; cap: where it is proof.

    min_stable: latencies of stable needed before its 95th percentile means anything; felt_ms: slower by less than this, nobody
    feels it.
    """

    __slots__ = ("_felt_ms", "_min_stable", "_p95", "_stable", "_stale", "test")

    def __init__(self, cap: float, share: float, min_stable: int = 50, felt_ms: float = 0.0) -> None:
        self.test = TwoSample(cap, share, LATENCY)
        self._stable = RunningQuantile()
        self._p95: float | None = None
        self._stale = 0
        self._min_stable, self._felt_ms = min_stable, felt_ms

    def observe(self, canary: bool, ms: float, w: float) -> bool:
        """Whether it was slow. The threshold comes from before this request, and is renewed every 16th of stable's."""
        threshold = self._p95
        slow = threshold is not None and ms > threshold + self._felt_ms
        if threshold is not None:
            self.test.observe(canary, slow, w)
        if not canary:
            self._stable.add(ms)
            self._stale += 1
            if len(self._stable) >= self._min_stable and (threshold is None or self._stale >= _RENEW):
                self._p95, self._stale = self._stable.at(0.95), 0
        return slow

    @property
    def p95(self) -> float | None:
        """Stable's, in ms; None while too few were seen."""
        return self._p95
