"""Each service's requests, latency and failures, out of metrics of whatever names and statistics."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from prodwise.loop.diagnose.metrics.cause import Kind
from prodwise.loop.diagnose.metrics.tables import Key, Series, Table

SAMPLES_MAX: Final = 64
"""Of the period in question: more are put together, as no run of samples is looked for in finer steps."""
PERCENT_ABOVE: Final = 1.5
"""A share is at most 1: values above are percent."""

_AVAILABILITY: Final = re.compile(r"availab|success|uptime", re.IGNORECASE)
_ERRORS: Final = re.compile(r"err(or)?s?(?![a-z])|errors?|fail|fault|5xx|exception", re.IGNORECASE)
_LATENCY: Final = re.compile(r"latenc|duration|response.?time|elapsed|(?<![a-z])(rt|ms)(?![a-z])", re.IGNORECASE)
_REQUESTS: Final = re.compile(
    r"request|calls?(?![a-z])|invocation|throughput|workload|traffic|(?<![a-z])(count|rps|qps|hits)", re.IGNORECASE
)
_SHARE: Final = re.compile(r"rate|ratio|percent|share|pct|%", re.IGNORECASE)
_STATISTICS: Final = (r"^(avg|average|mean)", r"^(p?50|median)", r"^p?90", r"^p?95", r"^p?99", r"")
"""Of several statistics of one latency the first is read: an average times the number of requests is the time that all took."""


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of metric of one service. normal, now: time → value, errors as a share of requests."""

    metric: str
    normal: Series
    now: Series


@dataclass(frozen=True, slots=True)
class Service:
    name: str
    lines: Mapping[Kind, Line] = field(default_factory=dict)
    resources: tuple[Line, ...] = ()


def services_of(normal: Table, now: Table) -> dict[str, Service]:
    """By name, sorted."""
    keys: dict[str, list[Key]] = defaultdict(list)
    for key in {*normal, *now}:
        keys[key[0]].append(key)
    step = _step({at for series in now.values() for at in series})
    return {name: _service(name, sorted(keys[name]), normal, now, step) for name in sorted(keys)}


def kind_of(metric: str) -> Kind:
    """By its name. Errors before requests: "failed requests" are failures."""
    for pattern, kind in (
        (_AVAILABILITY, Kind.ERRORS),
        (_LATENCY, Kind.LATENCY),
        (_ERRORS, Kind.ERRORS),
        (_REQUESTS, Kind.REQUESTS),
    ):
        if pattern.search(metric):
            return kind
    return Kind.RESOURCE


def _step(times: set[float]) -> float:
    """Seconds that one sample is to stand for when there are too many; 0: as they are."""
    return (max(times) - min(times)) / SAMPLES_MAX * 1.001 if len(times) > SAMPLES_MAX else 0.0


def _service(name: str, keys: list[Key], normal: Table, now: Table, step: float) -> Service:
    by_kind: dict[Kind, list[Key]] = defaultdict(list)
    for key in keys:
        by_kind[kind_of(key[1])].append(key)
    lines = {}
    for kind in (Kind.LATENCY, Kind.REQUESTS):
        if by_kind[kind]:
            lines[kind] = _line(min(by_kind[kind], key=_preferred), normal, now)
    failing = _failing(by_kind[Kind.ERRORS], normal, now, lines.get(Kind.REQUESTS))
    if failing is not None:
        lines[Kind.ERRORS] = failing
    coarse = {kind: _coarser(line, step, kind is Kind.REQUESTS) for kind, line in lines.items()}
    resources = [_coarser(_line(key, normal, now), step, False) for key in by_kind[Kind.RESOURCE]]
    return Service(name, coarse, tuple(resources))


def _preferred(key: Key) -> tuple[int, Key]:
    text = key[2] or key[1]
    return next(place for place, pattern in enumerate(_STATISTICS) if re.search(pattern, text, re.IGNORECASE)), key


def _line(key: Key, normal: Table, now: Table) -> Line:
    return Line(" ".join(filter(None, key[1:])), normal.get(key, {}), now.get(key, {}))


def _failing(keys: list[Key], normal: Table, now: Table, requests: Line | None) -> Line | None:
    """What tells of success where there is such a metric, as it needs no count beside it; shares before counts."""
    if not keys:
        return None
    key = min(keys, key=lambda k: (not _AVAILABILITY.search(k[1]), not _SHARE.search(k[1]), _preferred(k)))
    line = _line(key, normal, now)
    known = [*line.normal.values(), *line.now.values()]
    top = 100.0 if max(known, default=0.0) > PERCENT_ABOVE else 1.0
    if _AVAILABILITY.search(key[1]):
        return Line(line.metric, _each(line.normal, lambda v: 1 - v / top), _each(line.now, lambda v: 1 - v / top))
    if _SHARE.search(key[1]) or requests is None:
        return Line(line.metric, _each(line.normal, lambda v: v / top), _each(line.now, lambda v: v / top))
    return Line(line.metric, _over(line.normal, requests.normal), _over(line.now, requests.now))


def _each(series: Series, change: Callable[[float], float]) -> Series:
    return {at: max(0.0, min(1.0, change(value))) for at, value in series.items()}


def _over(failed: Series, asked: Series) -> Series:
    return {at: max(0.0, min(1.0, value / asked[at])) for at, value in failed.items() if asked.get(at, 0.0) > 0}


def _coarser(line: Line, step: float, add: bool) -> Line:
    if not step:
        return line
    return Line(line.metric, _together(line.normal, step, add), _together(line.now, step, add))


def _together(series: Series, step: float, add: bool) -> Series:
    found: dict[float, list[float]] = defaultdict(list)
    for at, value in series.items():
        found[at // step * step].append(value)
    return {at: sum(values) if add else sum(values) / len(values) for at, values in found.items()}
