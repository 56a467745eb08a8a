"""A service in steady state: errors, latency and lost traffic, for the whole and for each route.

Average run length without cause: at threshold H = 15 nats at least e^15 ≈ 3 million requests for the whole service and as
many for all its routes together, for a usual rate that is known exactly; about 3.5 days at 10 requests a second. As the
usual rate leans upwards and errors are lumpy, simulated runs of an app with 1 % errors stay quiet several times longer
(see the bench). Found in exchange: an outage in 5–7 requests, 30 % errors of one route in 10–20 of its requests.
"""

from __future__ import annotations

from prodwise.loop.detect.baseline import MAX_ROUTES, Baseline, RouteBaseline
from prodwise.loop.detect.change import ChangeDetector, Usual
from prodwise.loop.detect.quantile import RunningQuantile
from prodwise.loop.detect.traffic import TrafficDetector
from prodwise.model.incident import Symptom
from prodwise.model.signal import RequestSeen

H = 15.0
FRESH_S = 10.0
"""Two intervals of 5 s: without a request for so long nothing is known."""
MIN_REQUESTS = 10
"""Before it is called healthy."""
SLOWER = 3.0
"""× usual 95th percentile, plus SLOWER_MS: only what users feel counts as slow."""
SLOWER_MS = 100.0
SLOW_LASTS_S = 5.0
"""Slowness is told once it has lasted so long: a build, a backup or a neighbour takes the machine for a moment."""
COLD_ERRORS = 0.05
COLD_SLOW = 0.05
MIN_MS = 50
_RENEW = 32


class _Stream:
    """The whole service or one route: its errors and its latency."""

    __slots__ = ("_limit", "_ms", "_stale", "errors", "latency", "n", "slow_at")

    def __init__(self, h: float, errors: Usual, slow: Usual, window: int, known: RouteBaseline | None) -> None:
        self.errors = ChangeDetector(h, errors)
        self.latency = ChangeDetector(h, slow)
        self._ms = RunningQuantile(window)
        self._limit: float | None = None
        self._stale = self.n = 0
        self.slow_at = 0.0  # when the newest slow answer was seen
        if known is not None and known.known:
            part = min(1.0, 5_000 / known.n)
            starts = known.starts * part
            errors.bad_after_good, errors.bad_after_bad = starts, known.errors * part - starts
            errors.good_after_bad, errors.good_after_good = starts, (known.n - known.errors) * part - starts
            if known.p95 > 0:
                self._limit = SLOWER * known.p95 + SLOWER_MS

    def observe(self, request: RequestSeen) -> None:
        self.n += 1
        self.errors.observe(not request.ok, request.at)
        if not request.ok:
            return
        if self._limit is not None:
            slow = request.ms > self._limit
            self.latency.observe(slow, request.at)
            self.slow_at = request.at if slow else self.slow_at
        if not self.latency.on and self.latency.score < 1.0:
            self._learn(request.ms)

    def _learn(self, ms: float) -> None:
        self._ms.add(ms)
        self._stale += 1
        if len(self._ms) >= MIN_MS and (self._limit is None or self._stale >= _RENEW):
            self._limit = SLOWER * (self._ms.at(0.95) or 0.0) + SLOWER_MS
            self._stale = 0

    @property
    def limit_ms(self) -> float:
        return self._limit or 0.0


class ServiceMonitor:
    """Feed it one service's requests in the order in which they finished, and `tick` it about once a second.

    baseline: what a verified-good release did; without one, normal is learned from the first requests on.
    """

    def __init__(self, service: str, baseline: Baseline | None = None, fresh_s: float = FRESH_S) -> None:
        self.service, self.fresh_s = service, fresh_s
        self._baseline = baseline
        self._whole = _Stream(H, Usual(COLD_ERRORS), Usual(COLD_SLOW), 2000, baseline.whole if baseline else None)
        self._routes: dict[str, _Stream] = {}
        self._traffic = TrafficDetector(H)
        self._last_at: float | None = None
        self._release = ""

    def observe(self, request: RequestSeen) -> None:
        """One finished request; requests of another service are a caller's mistake (ValueError)."""
        if request.service != self.service:
            raise ValueError(f"request of {request.service!r} given to the monitor of {self.service!r}")
        self._last_at = request.at if self._last_at is None else max(self._last_at, request.at)
        self._release = request.release
        self._traffic.observe()
        route = self._route(request.route)
        if route is not None:
            route.errors.usual.prior = self._whole.errors.usual.p
            route.observe(request)
        self._whole.observe(request)

    def _route(self, name: str) -> _Stream | None:
        route = self._routes.get(name)
        if route is None and len(self._routes) < MAX_ROUTES:
            known = self._baseline.route(name) if self._baseline else None
            h = H + 5.3  # ln(200): all routes together alarm as rarely as the whole
            route = _Stream(h, Usual(self._whole.errors.usual.p), Usual(COLD_SLOW), 200, known)
            self._routes[name] = route
        return route

    def tick(self, now: float) -> None:
        """Time passes also without requests. now: Unix seconds."""
        self._traffic.tick(now)

    def symptoms(self, now: float) -> tuple[Symptom, ...]:
        """What is wrong at `now`: the whole service first. A symptom lasts until evidence takes it back."""
        found = [*self._of(self._whole, "", now)]
        if self._traffic.on:
            text = f"traffic stopped: usually {self._traffic.rate:.1f} requests a second"
            found.append(Symptom("traffic_loss", self.service, text, self._traffic.since, now, "", self._release))
        for name, route in self._routes.items():
            found.extend(self._of(route, name, now))
        return tuple(found)

    def _of(self, stream: _Stream, route: str, now: float) -> list[Symptom]:
        weight = stream.n / max(1, self._whole.n)
        where = f" on {route}" if route else ""
        found = []
        if stream.errors.on:
            d = stream.errors
            text = f"{d.bad_since} of {d.n_since} requests{where} failed; usual is {d.usual.p:.2%}"
            found.append(self._symptom("errors", text, d, route, now, weight))
        if stream.latency.on and stream.slow_at - stream.latency.since >= SLOW_LASTS_S:
            d = stream.latency
            text = f"{d.bad_since} of {d.n_since} answers{where} took over {stream.limit_ms:.0f} ms"
            found.append(self._symptom("latency", text, d, route, now, weight))
        return found

    def _symptom(self, kind: str, text: str, d: ChangeDetector, route: str, now: float, weight: float) -> Symptom:
        severity = min(1.0, weight * d.bad_since / max(1, d.n_since))
        return Symptom(kind, self.service, text, d.since, now, route, self._release, severity)

    def healthy(self, now: float) -> bool | None:
        """None = unknown: too few requests, or none for `fresh_s` seconds."""
        if self.symptoms(now) or self._whole.latency.on:
            return False
        if self._last_at is None or now - self._last_at > self.fresh_s or self._whole.n < MIN_REQUESTS:
            return None
        return True
