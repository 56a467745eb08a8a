"""Is the canary worse than stable, side by side? Valid under continuous peeking, bursts, and drift of both arms.

Null, for some band of burst lengths (`bands.py`), whatever the past: while both arms are calm the next error is the
canary's with chance at most w, its current share of the requests; and where stable answered meanwhile, an error of the
canary follows one with a chance within the band. In each band

wealth = labels · lengths + outage + long, judged against 1/α:

* **labels**: each error *start* (error after an ok one) that happens while both arms are calm carries a label; it is the
  canary's with chance w whatever the error rate does meanwhile. "Both calm" keeps that exact when one arm has a burst.
* **lengths**: the canary's errors end sooner than this band says, or last longer.
* **outage**: the canary's errors go on while stable answers (a failure shared by both arms is no news about the canary).
* **long**: the canary fails more often though its errors start as rarely (`markov.py`; both arms as steady chains).

Stable's bursts may be shorter than the canary's, not longer: with equal shares of errors its errors would start less often.

The same machine judges latency: "error" is then "slower than stable's running 95th percentile". Bursts of slowness are
taken to be as long on both arms there, so that **long** compares just that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from prodwise.loop.detect.bands import FULL, LONGEST, Band, Bands, BandWager, bands_up_to
from prodwise.loop.detect.markov import ChainCounts, continuation, two_chains
from prodwise.loop.detect.outage import CAP
from prodwise.loop.detect.wager import Labels, settled

_BROKEN = 50.0
"""A start's ratio if the canary is plainly broken: the first start carries a bet on that."""
_USUAL = 2.9
"""Times worse that a bad canary is expected to be at most where errors are frequent; rarer ones regress by larger ratios."""


@dataclass(frozen=True, slots=True)
class Question:
    """The bands of burst lengths, and what is evidence of long-run shares: an e-value from canary and stable."""

    bands: tuple[Band, ...]
    long: Callable[[ChainCounts, ChainCounts], float]


_LONGER = {"starts": 0.45, "outage": 0.28, "first": 0.12, "long": 0.15}
ERRORS = Question(
    (
        Band(0.0, 0.5, starts=0.975, outage=0.01, first=0.005, long=0.01),
        Band(0.5, 0.8, **_LONGER),
        Band(0.8, 0.9, **_LONGER),
        Band(0.9, LONGEST, **_LONGER),
    ),
    two_chains,
)
LATENCY = Question((Band(0.0, CAP, starts=0.60, outage=0.10, first=0.05, long=0.25),), continuation)


class _Wager(BandWager):
    """starts: what one unit that was bet on the labels is worth."""

    __slots__ = ("starts",)

    def __init__(self, band: Band, share: float) -> None:
        super().__init__(band, share)
        self.starts = 1.0

    def label(self, factors: tuple[float, float], canary: bool, w: float, cap: float) -> None:
        """One start, bet on so that a win lands on `cap`, proof against this band."""
        self.starts = settled(self.starts, factors, canary, w, cap / self.worth_of_starts(1.0))


class TwoSample:
    """E-process for "the canary is no worse than stable". share: part of the unit bet here; cap: where it is proof.

    longest: largest chance that an error of the canary follows one while stable answers, which is still taken for a burst.
    """

    __slots__ = ("_bands", "_fresh", "_heard", "_labels", "_long", "_starts", "canary", "stable")

    def __init__(self, cap: float, share: float = 1.0, question: Question = ERRORS, longest: float = LONGEST) -> None:
        self._long = question.long
        self._labels, self._starts = Labels(_USUAL), 0
        wagers = [_Wager(band, share) for band in bands_up_to(longest, question.bands)]
        self._bands = Bands(wagers, cap, share, lambda one: one.worth(one.starts))
        self.canary, self.stable = ChainCounts(), ChainCounts()
        self._fresh = True  # no start yet
        self._heard = False  # stable answered well since the canary's last request

    def observe(self, canary: bool, error: bool, w: float) -> float:
        """One request in order, w: the canary's share (0…1) from the past only; returns the wealth."""
        calm = not (self.canary.bad or self.stable.bad)
        if calm and not error:  # nearly every request: nothing but a count changes
            (self.canary if canary else self.stable).stayed_ok += 1
            self._heard = not canary
            return self._bands.wealth
        if canary and self.canary.bad:
            self._goes_on(error)
        elif error and calm and 0.0 < w < 1.0:
            self._start(canary, w)
        elif error and canary:  # no fair bet on the label, but what follows is to be seen
            self._burst(1.0)
        (self.canary if canary else self.stable).observe(error)
        self._heard = not canary and (self._heard or not error)
        if error:
            self._look(canary)
        return self._bands.wealth

    def _look(self, canary: bool) -> None:
        if canary:
            long = self._long(self.canary, self.stable)
            for one in self._bands.left:
                one.long = long
        self._bands.look()

    def _goes_on(self, error: bool) -> None:
        if self._heard or not self.stable.bad:
            for one in self._bands.left:
                one.after_error(error)
        elif not error:
            for one in self._bands.left:
                one.outage.close()

    def _start(self, canary: bool, w: float) -> None:
        if not self._starts:  # how rare errors are is known from the past
            self._labels.aim(min(8.0, _USUAL * max(1.0, (self.canary.n + self.stable.n) / 60) ** 0.3))
        self._starts += 1
        factors = self._labels.event(canary, w)
        for one in self._bands.left:
            one.label(factors, canary, w, self._bands.cap)
        if canary:
            self._burst(_BROKEN / (_BROKEN * w + 1 - w))
        self._fresh = False

    def _burst(self, odds: float) -> None:
        """The canary's errors start; odds: e-value of that, bet on if it is the first start of all."""
        first, self._fresh = odds if self._fresh else 0.0, False
        usual = max(self.canary.continues, self.stable.continues)
        for one in self._bands.left:
            one.start(usual, first)

    def raise_cap(self, cap: float) -> None:
        """Proof now takes `cap`: part of the unit has left for another question."""
        self._bands.cap = max(cap, self._bands.cap)

    @property
    def wealth_now(self) -> float:
        """As of the last error: an upper bound since, and free of cost."""
        return self._bands.wealth

    @property
    def wealth(self) -> float:
        return self._bands.now()

    @property
    def failed_by_outage(self) -> bool:
        """Whether there is proof, and most of it is that errors do not stop."""
        return self._bands.wealth >= self._bands.cap * FULL and self._bands.by_lasting
