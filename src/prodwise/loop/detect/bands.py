"""How long bursts of errors are is not known beforehand; it is one of several *bands*, and each has its own wager.

The null, "no worse than usual", is a union: in this stream an error follows an error with a chance that stays within some
band [low, high], at most LONGEST (bursts of twenty errors on average). The wager of a band is fair where its band holds.
An alarm needs proof against *every* band; then the one that holds was disproved, too, which has probability at most α,
whichever it is and however often one looks. So the unit is not shared between short bursts and long ones: these are ruled
out by what shows them to be wrong (errors that end at once, starts far too frequent for a long burst's share of errors),
and an outage need only be out of proportion with the bursts that this stream can still have.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from prodwise.loop.detect.outage import OutageWager

LONGEST = 0.95
"""Largest chance that an error follows an error which is still taken for a burst and not for an outage."""
_HEDGE = 0.3
FULL = 1.0 - 1e-9
"""A capped win lands on the cap up to rounding."""


class Band(NamedTuple):
    """low, high: chance that an error follows an error. The rest says how the unit is laid out; it sums to at most one.

    starts: on starts of errors; outage: on errors that do not stop; first: the same, on the first start only, where that
    one is odd by itself (so early; on this arm); long: on long-run shares of errors, whatever the bursts.
    """

    low: float
    high: float
    starts: float
    outage: float
    first: float
    long: float


def bands_up_to(longest: float, bands: tuple[Band, ...]) -> tuple[Band, ...]:
    """Those that reach below `longest`, the last of them cut there."""
    kept = [band for band in bands if band.low < longest]
    return (*kept[:-1], kept[-1]._replace(high=min(longest, kept[-1].high)))


class Lengths:
    """Bets that bursts are shorter than the band says, or longer; a part stays unbet, so that being wrong costs little.

    The guess is what was seen before (Krichevsky & Trofimov), and only one outside the band is bet on: then the factor's
    mean is at most 1 for every chance within the band.
    """

    __slots__ = ("_ended", "_high", "_lasted", "_low", "_riding", "value")

    def __init__(self, low: float, high: float) -> None:
        self._low, self._high = low, high
        self._lasted, self._ended = 0.25, 1.0
        self._riding = self.value = 1.0

    def after_error(self, error: bool) -> float:
        """The request after an error; returns what `value` was multiplied by."""
        before, guess = self.value, self._lasted / (self._lasted + self._ended)
        edge = min(max(guess, self._low), self._high)
        if guess != edge:
            self._riding *= guess / edge if error else (1 - guess) / (1 - edge)
            self.value = _HEDGE + (1 - _HEDGE) * self._riding
        if error:
            self._lasted += 1
        else:
            self._ended += 1
        return self.value / before


class BandWager:
    """What every band bets on, whatever it is compared with; e-values of starts come from the caller."""

    __slots__ = ("_lengths", "_share", "band", "long", "outage")

    def __init__(self, band: Band, share: float) -> None:
        self.band, self._share = band, share
        self._lengths = Lengths(band.low, band.high if band.low else 1.0)
        self.outage = OutageWager(share * band.outage, band.high)
        self.long = 1.0

    def start(self, usual: float, first: float = 0.0) -> None:
        """The canary's errors start; first: the e-value of that where it is the first start of all, else 0."""
        if self.band.outage:
            self.outage.start(usual, self._share * self.band.first * first)

    def after_error(self, error: bool) -> None:
        self.outage.reserve *= self._lengths.after_error(error)
        self.outage.goes_on(error)

    def lasting(self) -> float:
        """The part that shows errors to last, not to start."""
        return self.outage.wealth + self._share * self.band.long * self.long

    def worth_of_starts(self, starts: float) -> float:
        return self._share * self.band.starts * starts * self._lengths.value

    def worth(self, starts: float) -> float:
        return self.worth_of_starts(starts) + self.lasting()


W = TypeVar("W", bound=BandWager)


class Bands(Generic[W]):
    """Those bands that are not ruled out yet. wealth: of the one with the least proof against it; `cap` is proof."""

    __slots__ = ("_worth", "by_lasting", "cap", "left", "wealth")

    def __init__(self, wagers: Sequence[W], cap: float, share: float, worth: Callable[[W], float]) -> None:
        self.left, self.cap, self.wealth = list(wagers), cap, share
        self._worth = worth
        self.by_lasting = False  # whether the last one was ruled out by errors that do not stop

    def look(self) -> None:
        """Rule out what has proof against it. The last one stays, at `cap` or above."""
        worth = [(self._worth(one), one) for one in self.left]
        left = [(value, one) for value, one in worth if value < self.cap * FULL]
        if not left:
            value, last = min(worth, key=lambda pair: pair[0])
            left = [(max(value, self.cap), last)]
            self.by_lasting = last.lasting() >= 0.5 * value
        self.left = [one for _, one in left]
        self.wealth = min(value for value, _ in left)

    def now(self) -> float:
        """`wealth`, computed anew."""
        return min(self._worth(one) for one in self.left)
