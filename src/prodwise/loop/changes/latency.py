"""Latencies as counts in buckets that are a tenth wider each: what a quantile lies in is known to within a tenth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, floor, log, sqrt
from typing import Final

from prodwise.loop.changes.interval import Estimate, Z, design_effect
from prodwise.model.measured import Minute

WIDTH: Final = 1.1
BUCKETS: Final = 150
"""Up to about 27 minutes."""
TAIL_MIN: Final = 10
"""With fewer requests beyond a quantile, single ones make it."""


def bucket(ms: float) -> int:
    """Bucket k holds WIDTH**k to WIDTH**(k+1) ms; the first holds all below."""
    return min(BUCKETS, max(0, floor(log(max(ms, 1.0)) / log(WIDTH))))


def mean_of(counts: Mapping[int, int]) -> float | None:
    """Milliseconds, by the middle of each bucket; None without a request."""
    many = sum(counts.values())
    return sum(WIDTH ** (key + 0.5) * number for key, number in counts.items()) / many if many else None


def quantile(minutes: Sequence[Minute], q: float) -> Estimate | None:
    """With the order-statistic limits of a binomial rank; None where too few requests lie beyond it."""
    counts: dict[int, int] = {}
    for minute in minutes:
        for key, number in minute.slow.items():
            counts[key] = counts.get(key, 0) + number
    n = sum(counts.values())
    if n * min(q, 1 - q) < TAIL_MIN:
        return None
    found = _at(counts, q * n)
    beyond = [(sum(m.slow.values()), sum(c for k, c in m.slow.items() if k > found)) for m in minutes]
    reach = Z * sqrt(n * q * (1 - q) * design_effect(beyond))
    low, high = _at(counts, floor(q * n - reach)), _at(counts, ceil(q * n + reach) + 1)
    return Estimate(WIDTH ** (found + 0.5), WIDTH**low, WIDTH ** (high + 1))


def _at(counts: Mapping[int, int], rank: float) -> int:
    """The bucket that holds this rank, counted from 1."""
    seen, keys = 0, sorted(counts)
    for key in keys:
        seen += counts[key]
        if seen >= rank:
            return key
    return keys[-1]
