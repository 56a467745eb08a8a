"""Wagers against "nothing is wrong": wealth that can only grow by chance with probability 1 / growth (Ville's inequality).

Each wager starts with a `share` of one unit and is worth an *e-value*: its mean never rises while the null holds, at any
stopping time, so reaching `cap` = 1/α by luck has probability at most α·share, however often one looks.

Two refinements keep the price of looking all the time low:

1. A mixture: the money is spread over a grid of rate ratios r, so the test need not know how bad the bad release is.
2. No overshoot: the next error may not lift the wealth above `cap`. What it would win beyond is useless, so that part of
   the bet is withdrawn and the quiet outcome loses less. The factor's mean under the null stays exactly 1.
3. The last bet: wealth grows by leaps, and one that falls a little short of `cap` is followed by one that overshoots. Where
   the next would come near, the bet is raised so that it lands there; the mean stays exactly 1 again.
"""

from __future__ import annotations

import math

GRID = 24
"""Points of the ratio grid; finer ones change the mean delay by less than 1 %."""
SPREAD = 0.65
"""Of the bet, in ln r around its centre: where regressions of twice and of five times the baseline cost alike."""
_FULL = 1.0 - 1e-12  # a capped win lands on the cap up to rounding
_KEPT = 0.3
"""Of what an unraised bet would leave when lost, a raised one leaves so much or more."""


def ratio_grid(low: float, high: float, count: int = GRID) -> tuple[float, ...]:
    """`count` ratios, evenly spaced in the logarithm, from low to high (both > 0)."""
    step = math.log(high / low) / (count - 1)
    return tuple(low * math.exp(step * i) for i in range(count))


def ratio_prior(grid: tuple[float, ...], centre: float, spread: float, uniform: float = 0.1) -> tuple[float, ...]:
    """Weights summing to 1: a normal in ln r around `centre`, plus a `uniform` share so that nothing is ruled out."""
    bells = [math.exp(-0.5 * (math.log(r / centre) / spread) ** 2) for r in grid]
    total = sum(bells)
    return tuple((1 - uniform) * bell / total + uniform / len(grid) for bell in bells)


def landing(before: float, won: float, lost: float, chance: float, cap: float) -> tuple[float, float]:
    """Factors for what a bet leaves, `won` (> before) with `chance` or else `lost`, so that a win lands on `cap`.

    1, 1 where it would stay well below. A leap falls short of a bar that it might end anywhere around by (1 − 1/leap)/ln leap
    on average; what comes closer than that is raised, unless too little would be left.
    """
    if won < 0.1 * cap:
        return 1.0, 1.0
    leap, left = won / before, (before - chance * cap) / (1 - chance)
    near = won > cap or won * math.log(leap) > cap * (1 - 1 / leap)
    return (cap / won, left / lost) if near and left >= _KEPT * lost else (1.0, 1.0)


class RateWager:
    """Bets that a yes/no event (rate at most `p0`, whatever the past) happens more often than that.

    Quiet outcomes are only counted and settled in one go at the next event; while one more event would decide (`hot`),
    each is settled by itself so that the overshoot can be withdrawn.
    """

    __slots__ = ("_hot", "_lose", "_p0", "_pending", "_stakes", "_win", "cap")

    def __init__(self, p0: float, share: float, cap: float, centre: float = 0.0) -> None:
        """centre: the ratio to bet on most, if something is known of it; 0 = a regression of the usual size."""
        high = max(min(20.0, 0.5 / p0), 1.5) if p0 < 1 / 3 else 1 + 0.9 * (1 / p0 - 1)
        if centre:
            high = max(high, min(1.5 * centre, 0.95 / p0))
        low = 1.4 if high > 1.45 else 1 + 0.3 * (high - 1)
        grid = ratio_grid(low, high)
        aim = centre or 3.3 * (0.01 / p0) ** 0.33  # rarer errors regress by larger ratios
        self._p0, self.cap = p0, cap
        self._stakes = [share * weight for weight in ratio_prior(grid, min(max(aim, low), high), SPREAD)]
        self._win = grid
        self._lose = tuple((1 - r * p0) / (1 - p0) for r in grid)
        self._pending = 0
        self._hot = sum(s * f for s, f in zip(self._stakes, self._win, strict=True)) >= cap

    def quiet(self, count: int = 1) -> None:
        """The event could have happened and did not, `count` times in a row."""
        if self._hot:
            for _ in range(count):
                self._settle_hot()
        else:
            self._pending += count

    def happened(self) -> None:
        """The event happened."""
        self._settle()
        won = sum(s * f for s, f in zip(self._stakes, self._win, strict=True))
        scale = min(1.0, self.cap / won) if won > 0 else 1.0
        self._stakes = [s * f * scale for s, f in zip(self._stakes, self._win, strict=True)]
        self._look_ahead()

    def raise_cap(self, cap: float) -> None:
        """Let it win up to `cap` (not below the present one): other money has left the table."""
        self._settle()
        self.cap = max(cap, self.cap)
        self._look_ahead()

    @property
    def wealth(self) -> float:
        self._settle()
        return sum(self._stakes)

    def _settle(self) -> None:
        if self._pending:
            count, self._pending = self._pending, 0
            self._stakes = [s * f**count for s, f in zip(self._stakes, self._lose, strict=True)]

    def _settle_hot(self) -> None:
        stakes = self._stakes
        before = sum(stakes)
        if before >= self.cap * _FULL:
            return  # decided: the wealth stands
        lost = [s * f for s, f in zip(stakes, self._lose, strict=True)]
        kept = (before - self._p0 * self.cap) / (1 - self._p0)
        scale = kept / sum(lost)
        self._stakes = [s * scale for s in lost]
        self._look_ahead()

    def _look_ahead(self) -> None:
        self._hot = sum(s * f for s, f in zip(self._stakes, self._win, strict=True)) >= self.cap


class Labels:
    """What a mixture of ratios r learns from labels: an event is the canary's with chance `w` under the null, r·w / (r·w + 1 − w)
    if it is r times worse. Only labels are judged, so this is exact whatever the events' own rate does over time, as long as
    requests (or users) are assigned to the arms by chance.
    """

    __slots__ = ("_grid", "_weights")

    def __init__(self, centre: float, low: float = 1.4, high: float = 20.0) -> None:
        """low, high: the ratios bet on; below 1 it bets that the canary gets *fewer* events than its share."""
        self._grid = ratio_grid(low, high)
        self._weights: tuple[float, ...] = ()
        self.aim(centre)

    def aim(self, centre: float) -> None:
        """Lay the bet around the ratio `centre`, forgetting what was learned."""
        self._weights = ratio_prior(self._grid, centre, SPREAD)

    def event(self, canary: bool, w: float) -> tuple[float, float]:
        """One event; w in (0, 1), from the past only. What one unit that was bet on it becomes if canary's, if stable's."""
        lost = [s / (r * w + 1 - w) for s, r in zip(self._weights, self._grid, strict=True)]
        won = [s * r for s, r in zip(lost, self._grid, strict=True)]
        up, down = sum(won), sum(lost)
        self._weights = tuple([s / up for s in won] if canary else [s / down for s in lost])
        return up, down


def settled(wealth: float, factors: tuple[float, float], canary: bool, w: float, cap: float) -> float:
    """The wealth after an event: what `Labels.event` returned, landing on `cap` where that is near."""
    won, lost = wealth * factors[0], wealth * factors[1]
    if won > lost:
        up, down = landing(wealth, won, lost, w, cap)
    else:
        down, up = landing(wealth, lost, won, 1 - w, cap)
    return won * up if canary else lost * down


class LabelWager:
    """Bets on which arm an event falls in (`Labels`). Factor for ratio r: r / (r·w + 1 − w) on the canary, 1 / (…) on stable."""

    __slots__ = ("_labels", "cap", "events", "wealth")

    def __init__(self, share: float, cap: float, centre: float = 4.0, low: float = 1.4, high: float = 20.0) -> None:
        self.cap, self.wealth = cap, share
        self.events = 0
        self._labels = Labels(centre, low, high)

    def event(self, canary: bool, w: float) -> None:
        """One event; w: the canary's share of assignments at that moment, from the past only. 0 and 1 say nothing."""
        if not 0.0 < w < 1.0:
            return
        self.events += 1
        if self.wealth < self.cap * _FULL:
            self.wealth = settled(self.wealth, self._labels.event(canary, w), canary, w, self.cap)
