"""Is the canary worse than stable, side by side? Valid under continuous peeking, bursts, and drift of both arms.

wealth = labels + outage + continuation, judged against 1/α:

* **labels**: each error *start* (error after an ok one) that happens while both arms are calm carries a label; under
  the null it is the canary's with chance w, its current share, whatever the error rate does meanwhile. "Both calm"
  keeps that exact when one arm has a burst of its own.
* **outage**: the canary's errors go on while stable answers (a failure shared by both arms is no news about the canary).
* **continuation**: the canary's bursts last longer than stable's (`markov.py`).

The same machine judges latency: "error" is then "slower than stable's running 95th percentile".
"""

from __future__ import annotations

from dataclasses import dataclass

from prodwise.loop.detect.markov import ChainCounts, continuation
from prodwise.loop.detect.outage import OutageWager
from prodwise.loop.detect.wager import LabelWager

_BROKEN = 50.0
"""A start's ratio if the canary is plainly broken: the outage's stake is laid on it, too."""


@dataclass(frozen=True, slots=True)
class Split:
    """How the unit is spread; sums to one. Error bursts are rare, so what follows an error is known late there."""

    labels: float
    outage: float
    continuation: float


ERRORS = Split(0.94, 0.03, 0.03)
LATENCY = Split(0.60, 0.15, 0.25)


class TwoSample:
    """E-process for "the canary is no worse than stable". share: part of the unit bet here; cap: where it is proof."""

    __slots__ = ("_continuation", "_heard", "_share", "_split", "_wealth", "canary", "labels", "outage", "stable")

    def __init__(self, cap: float, share: float = 1.0, split: Split = ERRORS) -> None:
        self._share, self._split = share, split
        self.labels = LabelWager(share * split.labels, cap)
        self.outage = OutageWager(share * split.outage)
        self.canary, self.stable = ChainCounts(), ChainCounts()
        self._continuation = share * split.continuation
        self._heard = False  # stable answered well since the canary's last request
        self._wealth = share

    def observe(self, canary: bool, error: bool, w: float) -> float:
        """One request in order, w: the canary's share (0…1) from the past only; returns the wealth."""
        calm = not (self.canary.bad or self.stable.bad)
        if calm and not error:  # nearly every request: nothing but a count changes
            (self.canary if canary else self.stable).stayed_ok += 1
            self._heard = not canary
            return self._wealth
        if canary and self.canary.bad:
            self._goes_on(error)
        elif error and calm and 0.0 < w < 1.0:
            self._start(canary, w)
        elif error and canary:
            self.outage.start(usual=self.stable.continues)  # no fair bet on the label, but what follows is to be seen
        if canary:
            self.canary.observe(error)
            if error:
                self._continuation = self._share * self._split.continuation * continuation(self.canary, self.stable)
        else:
            self.stable.observe(error)
        self._heard = not canary and (self._heard or not error)
        if error:
            self._wealth = self.wealth
        return self._wealth

    def _goes_on(self, error: bool) -> None:
        if self._heard or not self.stable.bad:
            self.outage.goes_on(error)
        elif not error:
            self.outage.close()

    def _start(self, canary: bool, w: float) -> None:
        if not self.labels.events:  # rarer errors regress by larger ratios; how rare they are is known from the past
            self.labels.aim(min(8.0, 4.0 * max(1.0, (self.canary.n + self.stable.n) / 60) ** 0.3))
        mean = _BROKEN * w + 1 - w
        self.labels.event(canary, w)
        self.outage.start((_BROKEN if canary else 1.0) / mean, self.stable.continues)
        if not canary:
            self.outage.close()

    def raise_cap(self, cap: float) -> None:
        """Proof now takes `cap`: part of the unit has left for another question."""
        self.labels.raise_cap(cap)

    @property
    def wealth_now(self) -> float:
        """As of the last error: an upper bound since, and free of cost."""
        return self._wealth

    @property
    def wealth(self) -> float:
        return self.labels.wealth + self.outage.wealth + self._continuation

    def failed_by_outage(self, cap: float) -> bool:
        """Whether there is proof, and most of it is that errors do not stop."""
        lasting = self.outage.wealth + self._continuation
        return self._wealth >= cap * (1 - 1e-9) and lasting >= 0.5 * self._wealth

    @property
    def parts(self) -> dict[str, float]:
        """What each part is worth, as e-values of their own (1 = nothing known)."""
        return {
            "starts": self.labels.wealth / (self._share * self._split.labels),
            "outage": self.outage.wealth / (self._share * self._split.outage),
            "continuation": self._continuation / (self._share * self._split.continuation),
        }
