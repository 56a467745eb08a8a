"""What is usual for one series, and whether some run of samples is not: robust, and honest about how often it looked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import median
from typing import Final

from prodwise.loop.diagnose.metrics.tables import Series

SAMPLES_MIN: Final = 4
"""Of the normal period; with fewer nothing is usual and the series tells nothing."""
NOTICED: Final = 0.05
"""No change below this part of the usual value is one sample's standard deviation."""
OFF_MAX: Final = 1e6
CLEAR: Final = 8.0
"""A sample this far off is surely a part of the episode, however much farther off another one is."""
WINDOWS_MAX: Final = 600
WINDOWS_MIN: Final = 30
"""Normal windows from which the tail can be read; with fewer FLOOR alone holds, raised for what few samples leave unknown."""
FLOOR: Final = 5.0
"""No limit is below: a single sample of a bell-shaped series is there once in three million."""
TAIL: Final = 0.2
"""The part of the normal windows that is read as their tail, without its outermost quarter: one window in twenty of the normal period
may hold an incident of its own and changes nothing."""
ALPHA: Final = 0.002
"""Chance that a question to a normal period finds something, over all series that are asked."""


@dataclass(frozen=True, slots=True)
class Usual:
    """middle: the normal period's median; scale: one sample's standard deviation, as the larger one of three robust estimates: the
    median deviation, the upper twentieth, and a part of the middle; high: what one sample in a hundred is above."""

    middle: float
    scale: float
    high: float
    samples: int

    def off(self, value: float) -> float:
        return max(-OFF_MAX, min(OFF_MAX, (value - self.middle) / self.scale))


@dataclass(frozen=True, slots=True)
class Run:
    """Samples [first, last] stand out most; strength: their summed deviation over the root of their number, over the limit."""

    first: int
    last: int
    strength: float


def usual_of(series: Series, step: float = 0.0) -> Usual | None:
    """step: the smallest step that the metric can make (one failed request), 0 when not known."""
    known = sorted(series.values())
    if len(known) < SAMPLES_MIN:
        return None
    middle = median(known)
    spread = 1.4826 * median(abs(value - middle) for value in known)
    upper = (quantile(known, 0.95) - middle) / 1.645
    scale = max(spread, upper, NOTICED * abs(middle), step) or NOTICED
    return Usual(middle, scale * (1 + 2 / len(known)), quantile(known, 0.99), len(known))


def run_of(usual: Usual, normal: Sequence[float], now: Sequence[float], questions: int) -> Run | None:
    """The run that stands out most, where it does so more than chance allows when that many series are asked.

    1. The largest summed deviation of any run of the period in question. 2. The same of as many samples of the normal period, cut at
    each place. 3. The limit: those values' tail, taken to fall exponentially, out to ALPHA / questions.
    """
    offs = [usual.off(value) for value in now]
    found = _largest(offs)
    if found is None or found[0] <= FLOOR:
        return None
    limit = _limit(usual, normal, len(now), questions)
    if found[0] <= limit:
        return None
    _, first, last = _largest([min(CLEAR, off) for off in offs]) or found
    return Run(first, last, found[0] / limit)


def quantile(ordered: Sequence[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _limit(usual: Usual, normal: Sequence[float], length: int, questions: int) -> float:
    floor = FLOOR * (1 + 4 / usual.samples) + math.log(max(1, questions)) / FLOOR
    offs = [usual.off(value) for value in normal]
    places = range(0, len(offs) - length + 1, max(1, (len(offs) - length + 1) // WINDOWS_MAX))
    seen = sorted(one[0] for place in places if (one := _largest(offs[place : place + length])) is not None)
    if len(seen) < WINDOWS_MIN:
        return max(floor, 1.5 * seen[-1] if seen else floor)
    low, high = quantile(seen, 1 - TAIL), quantile(seen, 1 - TAIL / 4)
    return max(floor, low + (high - low) * math.log(TAIL * questions / ALPHA) / math.log(4))


def _largest(offs: Sequence[float]) -> tuple[float, int, int] | None:
    """Over runs of about any length: (sum over the root of their number, first, last)."""
    sums = [0.0, *accumulate(offs)]
    best: tuple[float, int, int] | None = None
    for length in _lengths(len(offs)):
        root = math.sqrt(length)
        value, first = max((sums[at + length] - sums[at], -at) for at in range(len(offs) - length + 1))
        if best is None or value / root > best[0]:
            best = (value / root, -first, length - 1 - first)
    return best


def _lengths(many: int) -> list[int]:
    """All up to 8, then ever longer steps."""
    lengths = list(range(1, min(8, many) + 1))
    while lengths and lengths[-1] * 5 // 4 <= many and lengths[-1] >= 8:
        lengths.append(lengths[-1] * 5 // 4)
    return lengths
