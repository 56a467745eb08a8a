"""Is the error share above a known baseline? Valid under continuous peeking, and under bursts of errors.

Null, for some band of burst lengths (`bands.py`), whatever the past: an error follows an error with a chance within the
band, and follows an ok request with one of at most a = (1 − low)·p0/(1 − p0), so that the long-run share is at most p0. In
each band

wealth = starts · lengths + outage + long, judged against 1/α:

* **starts**: an error whose predecessor was no error has chance ≤ a, in bursts far less; a tuned mixture bets on more.
* **lengths**: errors end sooner than this band says, or last longer.
* **outage**: errors that do not stop (`outage.py`); a bet anew at each start, and one on the first start of all.
* **long**: long bursts with few starts (`markov.py`).
"""

from __future__ import annotations

from math import exp, lgamma, log1p

from prodwise.loop.detect.bands import LONGEST, Band, Bands, BandWager, bands_up_to
from prodwise.loop.detect.markov import ChainCounts, known_chain
from prodwise.loop.detect.wager import RateWager

_LONGER = {"starts": 0.3, "outage": 0.4, "first": 0.2, "long": 0.1}
BANDS = (
    Band(0.0, 0.5, starts=0.92, outage=0.04, first=0.02, long=0.02),
    Band(0.5, 0.8, **_LONGER),
    Band(0.8, 0.9, **_LONGER),
    Band(0.9, LONGEST, **_LONGER),
)
MOSTLY_BROKEN = 0.5
"""A baseline above this has long bursts by itself: a bet on errors that do not stop would not be fair."""
_ANY = (Band(0.0, 1.0, starts=0.98, outage=0.0, first=0.0, long=0.02),)
_UNCAPPED = 1e12


def first_start(quiet: int) -> float:
    """Chance (0…1) that is laid on the first error coming after so many ok requests; sums to one, falls like quiet^-1.5."""
    return exp(lgamma(quiet + 0.5) - lgamma(quiet + 1) - lgamma(0.5)) * 0.5 / (quiet + 1)


class _Wager(BandWager):
    """starts is capped only where nothing else counts beside it."""

    __slots__ = ("_quiet", "p0", "starts")

    def __init__(self, band: Band, p0: float, share: float, cap: float) -> None:
        super().__init__(band, share)
        self.p0 = min(p0, (1 - band.low) * p0 / (1 - p0))
        self.starts = RateWager(self.p0, 1.0, _UNCAPPED if band.low else cap / (share * band.starts))
        self._quiet: int | None = 0  # requests before the first error

    def quiet(self, count: int) -> None:
        """So many ok requests after ok ones; counted only: `starts` is told by itself."""
        if self._quiet is not None:
            self._quiet += count

    def happened(self, usual: float) -> None:
        self.starts.happened()
        first = 0.0
        if self._quiet is not None:
            first = first_start(self._quiet) / self.p0 * exp(-self._quiet * log1p(-self.p0))
            self._quiet = None
        self.start(usual, first)


class KnownErrors:
    """E-process for "error share ≤ p0". share: part of the unit that is bet here; cap: where it counts as proof.

    continues: largest usual chance that an error follows an error; LONGEST where nothing is known of it.
    """

    __slots__ = ("_bands", "_calm", "_first", "_shortest", "chain", "p0")

    def __init__(self, p0: float, cap: float, share: float = 1.0, continues: float = LONGEST) -> None:
        self.p0 = p0
        bands = _ANY if p0 > MOSTLY_BROKEN else bands_up_to(continues, BANDS)
        self._first = share * bands[0].starts
        wagers = [_Wager(band, p0, share, cap) for band in bands]
        self._bands = Bands(wagers, cap, share, lambda one: one.worth(one.starts.wealth))
        self._shortest = wagers[0].starts
        self.chain = ChainCounts()
        self._calm = 0  # ok requests after ok ones that the longer bands have not been told of

    def observe(self, error: bool) -> float:
        """One request in order; the wealth, exact after an error and an upper bound on it in between."""
        chain = self.chain
        was_bad = chain.bad
        chain.observe(error)
        if not (was_bad or error):
            self._calm += 1
            self._shortest.quiet()
            return self._bands.wealth
        self._settle()
        for one in self._bands.left:
            if was_bad:
                one.after_error(error)
            else:
                one.happened(chain.continues)
        if error:
            long = known_chain(chain, self.p0)
            for one in self._bands.left:
                one.long = long
            self._bands.look()
        return self._bands.wealth

    def _settle(self) -> None:
        count, self._calm = self._calm, 0
        for one in self._bands.left:
            one.quiet(count)
            if one.starts is not self._shortest:
                one.starts.quiet(count)

    def raise_cap(self, cap: float) -> None:
        """Proof now takes `cap`: part of the unit has left for another question."""
        self._bands.cap = max(cap, self._bands.cap)
        self._shortest.raise_cap(cap / self._first)

    @property
    def spent(self) -> float:
        """What the tests of starts are worth (1 = as at the beginning), at the most of all bands."""
        self._settle()
        return max(one.starts.wealth for one in self._bands.left)

    @property
    def wealth_now(self) -> float:
        """As of the last error: an upper bound since, and free of cost."""
        return self._bands.wealth

    @property
    def wealth(self) -> float:
        self._settle()
        return self._bands.now()
