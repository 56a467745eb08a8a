"""Metrics as series of numbers by the minute."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from prodwise.model.report import Reason
from prodwise.model.telemetry import MINUTE_S, Buckets, Kind, Measured, Point, Series
from prodwise.signals.otlp.values import Source, attributes, real, seconds, sections, when, whole
from prodwise.signals.values import Noted, listed, mapping, text

POINTS_MAX = 2_000
"""Of one delivery."""
BUCKETS_MAX = 200
COUNT_MAX = 2**62
SHOWN_MAX, SHOWN_CHARS = 8, 100
"""Attributes of a series that are told."""
SCALE_MAX = 3
"""Exponential buckets are put together until each is 9 % wide at least: then those of all points fit each other."""
_DELTA = (1, "AGGREGATION_TEMPORALITY_DELTA")
_CUMULATIVE = (2, "AGGREGATION_TEMPORALITY_CUMULATIVE")


@dataclass
class Metrics:
    """One delivery's points while they are read."""

    project: int
    received_at: float
    noted: Noted
    measured: list[Measured] = field(default_factory=list)

    def read(self, data: Mapping[str, Any]) -> None:
        for source, _, metric in sections(data, "Metrics", "metrics", self.noted):
            name = text(metric.get("name"), self.noted, 200)
            for form, kind, entry in _points(metric):
                point = self._point(form, mapping(entry)) if name and kind else None
                if point is None or kind is None or len(self.measured) >= POINTS_MAX:
                    self.noted[Reason.SHAPE if point is None else Reason.ITEMS] += 1
                    continue
                series = self._series(source, name, text(metric.get("unit"), self.noted, 40), kind, mapping(entry))
                self.measured.append(Measured(series, point))

    def _series(self, source: Source, name: str, unit: str, kind: Kind, entry: Mapping[str, Any]) -> Series:
        facts = {key: _shown(value) for key, value in sorted(attributes(entry.get("attributes")).items())}
        parts = [str(self.project), source.service, source.instance, name, unit, kind.value]
        parts += [part for pair in facts.items() for part in pair]
        key = blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=16).hexdigest()
        shown = {
            text(one, self.noted, SHOWN_CHARS): text(facts[one], self.noted, SHOWN_CHARS)
            for one in list(facts)[:SHOWN_MAX]
        }
        return Series(key, source.service, name, unit, kind, shown)

    def _point(self, form: str, entry: Mapping[str, Any]) -> Point | None:
        """None for one without a number, or with one that is none."""
        at = when(entry.get("timeUnixNano"), self.received_at, self.noted)
        since = seconds(entry.get("startTimeUnixNano")) or 0.0
        minute = int(at // MINUTE_S) * MINUTE_S
        if form in ("gauge", "sum"):
            value = real(entry.get("asDouble", entry.get("asInt")))
            return None if value is None else Point(minute, at, value, since)
        count = whole(entry.get("count"))
        total = real(entry.get("sum", 0.0))
        if count is None or not 0 <= count <= COUNT_MAX or total is None:
            return None
        buckets = {"histogram": _explicit, "exponentialHistogram": _exponential}.get(form)
        return Point(minute, at, total, since, count, buckets(entry) if buckets else ())


def _points(metric: Mapping[str, Any]) -> Iterator[tuple[str, Kind | None, object]]:
    """(which sort of metric, what its numbers are, point); None for numbers that do not say what they are."""
    for form in ("gauge", "sum", "histogram", "exponentialHistogram", "summary"):
        data = mapping(metric.get(form))
        kind = _kind(form, data)
        points = data.get("dataPoints")
        for entry in points if isinstance(points, list) else ():
            yield form, kind, entry


def _kind(form: str, data: Mapping[str, Any]) -> Kind | None:
    """A sum that may fall is a level, told as a whole; changes of it are changes."""
    if form == "gauge":
        return Kind.GAUGE
    if form == "summary":
        return Kind.TOTAL
    told = data.get("aggregationTemporality")
    if told in _DELTA:
        return Kind.CHANGE
    if told not in _CUMULATIVE:
        return None
    return Kind.TOTAL if form != "sum" or data.get("isMonotonic") is True else Kind.GAUGE


def _explicit(entry: Mapping[str, Any]) -> Buckets:
    """() for bounds and counts that do not fit each other."""
    bounds = [real(one) for one in listed(entry.get("explicitBounds"), BUCKETS_MAX + 1)]
    counts = _counts(entry.get("bucketCounts"))
    known = [one for one in bounds if one is not None]
    if (
        len(known) > BUCKETS_MAX
        or len(counts) != len(bounds) + 1
        or known != sorted(set(known))
        or len(known) < len(bounds)
    ):
        return ()
    return tuple((bound, count) for bound, count in zip([*known, math.inf], counts, strict=True))


def _exponential(entry: Mapping[str, Any]) -> Buckets:
    """Bucket i of scale s holds values over base**i up to base**(i + 1), base = 2**(2**-s)."""
    scale = whole(entry.get("scale")) or 0
    if not -9 <= scale <= 20:
        return ()
    shift, sums = max(0, scale - SCALE_MAX), dict[float, int]()
    base = 2.0 ** (2.0 ** -(scale - shift))
    zeros = whole(entry.get("zeroCount")) or 0
    if 0 < zeros <= COUNT_MAX:
        sums[0.0] = zeros
    for side, sign in (("positive", 1), ("negative", -1)):
        part = mapping(entry.get(side))
        offset = whole(part.get("offset")) or 0
        for number, count in enumerate(_counts(part.get("bucketCounts"))):
            index = (offset + number) >> shift
            if count and abs(index) < 1100:
                try:
                    lower, upper = sorted((sign * base**index, sign * base ** (index + 1)))
                except OverflowError:
                    continue
                sums.setdefault(lower, 0)
                sums[upper] = sums.get(upper, 0) + count
    return tuple(sorted(sums.items())) if len(sums) <= 2 * BUCKETS_MAX else ()


def _counts(value: object) -> list[int]:
    """[] when one of them is none."""
    found = [whole(one) for one in listed(value, 2 * BUCKETS_MAX)]
    made = [one for one in found if one is not None and 0 <= one <= COUNT_MAX]
    return made if len(made) == len(found) else []


def _shown(value: object) -> str:
    return value if isinstance(value, str) else str(value)
