"""Points of a series: two of one minute as one, and what a minute's point means."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from prodwise.model.telemetry import Buckets, Kind, Point, Reading

BUCKETS_MAX = 400
"""Bounds of one point; one that would need more keeps its count and sum only."""
RUNS_S = 5.0
"""Two totals that began so far apart were begun by the same start of the program: some say it again each time, rounded."""
P95 = 0.95
FRESH_S = 120.0
"""A total's first point tells of its own minute when its program began so shortly before."""
VALUE_MAX, COUNT_MAX = 1e300, 2**62
"""Sums stay at these instead of going over."""


def merge(kind: Kind, one: Point, other: Point) -> Point:
    """Both of the same series and minute. Order does not matter, and neither does how many come at a time.

    Of levels and totals the newer one holds; changes are added up.
    """
    if kind is not Kind.CHANGE:
        return max(one, other, key=_newer)
    return Point(
        one.minute,
        max(one.at, other.at),
        max(-VALUE_MAX, min(VALUE_MAX, one.value + other.value)),
        min(one.since, other.since),
        min(COUNT_MAX, one.count + other.count),
        _sum(one, other),
    )


def readings(kind: Kind, points: Sequence[Point]) -> list[Reading]:
    """points: one a minute, in order. Of a total's points each is compared with the one before, so that the first gives none,
    unless its program began to count just before; a total that is lower or began anew counts from zero."""
    found = []
    for number, point in enumerate(points):
        if kind is Kind.TOTAL:
            before = points[number - 1] if number else None
            if before is None and point.since < point.minute - FRESH_S:
                continue
            value, count, buckets = _since(before, point)
        else:
            value, count, buckets = point.value, point.count, point.buckets
        found.append(Reading(point.minute, value, count, quantile(buckets, P95)))
    return found


def quantile(buckets: Buckets, share: float) -> float | None:
    """The value that `share` of the values are not above, as if they lay evenly within their bucket; None without any."""
    total = sum(count for _, count in buckets)
    left, lower = total * share, 0.0
    for bound, count in buckets:
        if count and left <= count:
            if math.isinf(bound):
                return lower
            lower = min(lower, bound)
            return lower + (bound - lower) * left / count
        left -= count
        lower = bound
    return None


def _since(before: Point | None, point: Point) -> tuple[float, int, Buckets]:
    again = (
        before is None
        or before.since < point.since - RUNS_S
        or point.value < before.value
        or point.count < before.count
    )
    if before is None or again:
        return point.value, point.count, point.buckets
    earlier = dict(before.buckets)
    left = tuple((bound, max(0, count - earlier.get(bound, 0))) for bound, count in point.buckets)
    return point.value - before.value, point.count - before.count, left


def _sum(one: Point, other: Point) -> Buckets:
    """Without bounds when one that holds values has none, and when there would be too many."""
    if any(part.count and not part.buckets for part in (one, other)):
        return ()
    sums: Counter[float] = Counter()
    for bound, count in (*one.buckets, *other.buckets):
        sums[bound] += count
    return tuple(sorted(sums.items())) if len(sums) <= BUCKETS_MAX else ()


def _newer(point: Point) -> tuple[object, ...]:
    return point.at, point.since, point.count, point.value, point.buckets
