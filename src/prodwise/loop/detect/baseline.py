"""What is normal: counts of a verified-good release, per service and per route, small enough to be stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from prodwise.loop.detect.accept import Count, upper_bound
from prodwise.loop.detect.outage import CAP
from prodwise.loop.detect.quantile import RunningQuantile
from prodwise.model.signal import RequestSeen

MAX_ROUTES = 200
FLOOR = 0.0005
"""No error share is known to be smaller: below 1 in 2,000 the errors of a bad minute are within the usual."""
MIN_N = 100
"""Requests before a baseline says anything."""


@dataclass(frozen=True, slots=True)
class RouteBaseline:
    """n requests, errors among them, starts of error runs; p50, p95, p99: latency in ms (0 = none seen).

    route "" is the whole service.
    """

    route: str
    n: int = 0
    errors: int = 0
    starts: int = 0
    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0

    @property
    def known(self) -> bool:
        return self.n >= MIN_N

    def upper(self, alpha: float = 0.05) -> float:
        """Conservative error share: its time-uniform upper bound, with the errors of one burst counted as one proof."""
        burst = max(1.0, (self.errors + 1) / (self.starts + 1))
        return max(FLOOR, upper_bound(Count(self.n / burst, self.errors / burst), alpha))

    @property
    def continues(self) -> float:
        """Conservative chance that an error follows an error; the general cap while fewer than ten bursts were seen."""
        if self.starts < 10:
            return CAP
        return min(0.95, max(0.2, upper_bound(Count(self.errors, self.errors - self.starts), 0.01)))

    def merge(self, other: RouteBaseline) -> RouteBaseline:
        """Both counts; quantiles weighted by n (an approximation that is exact for equal distributions)."""
        total = max(1, self.n + other.n)

        def mean(a: float, b: float) -> float:
            return (a * self.n + b * other.n) / total

        return RouteBaseline(
            self.route,
            self.n + other.n,
            self.errors + other.errors,
            self.starts + other.starts,
            mean(self.p50, other.p50),
            mean(self.p95, other.p95),
            mean(self.p99, other.p99),
        )


@dataclass(frozen=True, slots=True)
class Baseline:
    """Of one service: the whole and its routes, busiest first."""

    service: str
    whole: RouteBaseline
    routes: tuple[RouteBaseline, ...] = ()

    def route(self, name: str) -> RouteBaseline | None:
        """None = this route was never seen."""
        return next((r for r in self.routes if r.route == name), None)

    def merge(self, other: Baseline) -> Baseline:
        """Raises ValueError for another service's baseline."""
        if other.service != self.service:
            raise ValueError(f"baseline of {other.service!r} cannot be merged into that of {self.service!r}")
        routes = {r.route: r for r in self.routes}
        for theirs in other.routes:
            ours = routes.get(theirs.route)
            routes[theirs.route] = ours.merge(theirs) if ours else theirs
        return Baseline(self.service, self.whole.merge(other.whole), _busiest(list(routes.values())))

    def to_json(self) -> dict[str, Any]:
        return {"version": 1, **asdict(self), "routes": [asdict(r) for r in self.routes]}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Baseline:
        """Raises ValueError for another version, KeyError or TypeError for a broken record."""
        if data["version"] != 1:
            raise ValueError(f"baseline of version {data['version']!r}; this one reads 1")
        routes = tuple(RouteBaseline(**r) for r in data["routes"])
        return Baseline(str(data["service"]), RouteBaseline(**data["whole"]), routes)


def _busiest(routes: list[RouteBaseline]) -> tuple[RouteBaseline, ...]:
    return tuple(sorted(routes, key=lambda r: (-r.n, r.route))[:MAX_ROUTES])


class _Tally:
    __slots__ = ("bad", "errors", "ms", "n", "starts")

    def __init__(self, window: int) -> None:
        self.n = self.errors = self.starts = 0
        self.bad = False
        self.ms = RunningQuantile(window)

    def observe(self, ok: bool, ms: float) -> None:
        self.n += 1
        if not ok:
            self.errors += 1
            self.starts += not self.bad
        else:
            self.ms.add(ms)
        self.bad = not ok

    def built(self, route: str) -> RouteBaseline:
        p50, p95, p99 = ((self.ms.at(p) or 0.0) for p in (0.5, 0.95, 0.99))
        return RouteBaseline(route, self.n, self.errors, self.starts, p50, p95, p99)


class BaselineBuilder:
    """Counts one service's requests; latencies of good answers only. At most MAX_ROUTES routes: later ones count in the
    whole only."""

    def __init__(self, service: str) -> None:
        self.service = service
        self._whole = _Tally(2000)
        self._routes: dict[str, _Tally] = {}

    def observe(self, request: RequestSeen) -> None:
        self._whole.observe(request.ok, request.ms)
        tally = self._routes.get(request.route)
        if tally is None and len(self._routes) < MAX_ROUTES:
            tally = self._routes[request.route] = _Tally(200)
        if tally is not None:
            tally.observe(request.ok, request.ms)

    def build(self) -> Baseline:
        routes = [tally.built(route) for route, tally in self._routes.items()]
        return Baseline(self.service, self._whole.built(""), _busiest(routes))
