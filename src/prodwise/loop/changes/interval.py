"""Intervals (95 %) of differences: Newcombe's for two shares, and the same construction for two quantiles.

Newcombe, "Interval estimation for the difference between independent proportions", Statistics in Medicine 17 (1998), method 10:
Wilson's limits of each share, put together by squares. Zou and Donner (Statistics in Medicine 27, 2008) show that this holds for
any two estimates with limits of their own. Requests of one minute are alike (a burst of errors, say): the number of requests is
divided by the design effect, as Rao and Scott (Biometrics 48, 1992) do for clusters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

Z: Final = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Estimate:
    value: float
    low: float
    high: float


def difference(before: Estimate, after: Estimate) -> tuple[float, float]:
    """The limits of after - before."""
    change = after.value - before.value
    down = sqrt((after.value - after.low) ** 2 + (before.high - before.value) ** 2)
    up = sqrt((after.high - after.value) ** 2 + (before.value - before.low) ** 2)
    return change - down, change + up


def share(clusters: Sequence[tuple[int, int]]) -> Estimate:
    """Wilson's interval of a share. clusters: (requests, of which hits) by minute, with at least one request in all."""
    n, hits = sum(one for one, _ in clusters), sum(found for _, found in clusters)
    p, effective = hits / n, n / design_effect(clusters)
    middle = (p + Z**2 / (2 * effective)) / (1 + Z**2 / effective)
    reach = Z * sqrt(p * (1 - p) / effective + Z**2 / (4 * effective**2)) / (1 + Z**2 / effective)
    return Estimate(p, max(0.0, min(p, middle - reach)), min(1.0, max(p, middle + reach)))


def design_effect(clusters: Sequence[tuple[int, int]]) -> float:
    """How many times more a share varies from minute to minute than chance alone would have it; never below 1."""
    used = [(n, hits) for n, hits in clusters if n]
    n, hits = sum(one for one, _ in used), sum(found for _, found in used)
    p = hits / n if n else 0.0
    if len(used) < 2 or not 0 < p < 1:
        return 1.0
    spread = sum((found - p * one) ** 2 for one, found in used) * len(used) / (len(used) - 1)
    return min(float(n), max(1.0, spread / (n * p * (1 - p))))
