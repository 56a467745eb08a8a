"""Is the error share above a known baseline? Valid under continuous peeking, and under bursts of errors.

wealth = 0.92 · starts + 0.06 · outage + 0.02 · chain, judged against 1/α:

* **starts**: an error whose predecessor was no error has chance ≤ p0, in bursts far less; a tuned mixture bets on more.
* **outage**: errors that do not stop (`outage.py`); one bet from the first request on, one anew at each start.
* **chain**: long bursts with few starts (`markov.py`).
"""

from __future__ import annotations

from prodwise.loop.detect.markov import ChainCounts, known_chain
from prodwise.loop.detect.outage import CAP, CONTINUES, OutageWager
from prodwise.loop.detect.wager import RateWager

STARTS, FIRST, RESTARTS, CHAIN = 0.92, 0.02, 0.04, 0.02
_DEAD_FROM_FIRST = 0.9
MOSTLY_BROKEN = 0.5
"""A baseline above this has long bursts by itself: a bet on errors that do not stop would not be fair."""


class KnownErrors:
    """E-process for "error share ≤ p0". share: part of the unit that is bet here; cap: where it counts as proof.

    continues: largest usual chance that an error follows an error; CAP where nothing is known of it.
    """

    __slots__ = ("_chain_wealth", "_continues", "_dead", "_share", "_wealth", "chain", "outage", "p0", "starts")

    def __init__(self, p0: float, cap: float, share: float = 1.0, continues: float = CAP) -> None:
        self.p0 = p0
        self._share = share
        self.starts = RateWager(p0, share * STARTS, cap)
        lasting = share if p0 <= MOSTLY_BROKEN else 0.0
        self._continues = continues
        self.outage = OutageWager(lasting * RESTARTS, continues)
        self.chain = ChainCounts()
        self._dead = lasting * FIRST
        self._chain_wealth = share * CHAIN
        self._wealth = share

    def observe(self, error: bool) -> float:
        """One request in order; the wealth, exact after an error and an upper bound on it in between."""
        was_bad = self.chain.bad
        self.chain.observe(error)
        if was_bad:
            self._bad_before(error)
        elif error:
            self.starts.happened()
            self.outage.start(usual=self.chain.continues)
            self._dead *= _DEAD_FROM_FIRST / self.p0
        else:
            self.starts.quiet()
            if self._dead:
                self._dead *= (1 - _DEAD_FROM_FIRST) / (1 - self.p0)
                self._dead = self._dead if self._dead > 1e-12 else 0.0
        if error:
            self._chain_wealth = self._share * CHAIN * known_chain(self.chain, self.p0)
            self._wealth = self.wealth
        return self._wealth

    def _bad_before(self, error: bool) -> None:
        self.outage.goes_on(error)
        c = self._continues
        self._dead *= CONTINUES / c if error else (1 - CONTINUES) / (1 - c)

    def raise_cap(self, cap: float) -> None:
        """Proof now takes `cap`: part of the unit has left for another question."""
        self.starts.raise_cap(cap)

    @property
    def wealth_now(self) -> float:
        """As of the last error: an upper bound since, and free of cost."""
        return self._wealth

    @property
    def wealth(self) -> float:
        return self.starts.wealth + self._dead + self.outage.wealth + self._chain_wealth
