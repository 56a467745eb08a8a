"""Facts for diagnosis: too much traffic, or a fault? Pure functions of two windows of requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from prodwise.model.signal import RequestSeen

MORE_TRAFFIC = 1.5
SLOWER = 1.5
MIN_PER_ROUTE = 5


@dataclass(frozen=True, slots=True)
class Window:
    """Requests that finished within `seconds`."""

    requests: Sequence[RequestSeen]
    seconds: float

    @property
    def rate(self) -> float:
        """Requests per second."""
        return len(self.requests) / self.seconds if self.seconds > 0 else 0.0

    @property
    def busy(self) -> float:
        """Requests in flight on average (Little's law): Σ latency / time."""
        return sum(r.ms for r in self.requests) / 1000 / self.seconds if self.seconds > 0 else 0.0


@dataclass(frozen=True, slots=True)
class LoadFacts:
    """rate_ratio: traffic now ÷ usual; routes_slower of routes_compared: median latency up by SLOWER or more;
    busy, busy_usual: requests in flight on average; None = not known (an empty window)."""

    rate_ratio: float | None
    routes_slower: int
    routes_compared: int
    busy: float
    busy_usual: float
    errors_share: float

    @property
    def more_traffic(self) -> bool:
        return self.rate_ratio is not None and self.rate_ratio >= MORE_TRAFFIC

    @property
    def all_slower(self) -> bool:
        """At least two routes could be compared, and four of five are slower."""
        return self.routes_compared >= 2 and self.routes_slower >= 0.8 * self.routes_compared

    @property
    def overloaded(self) -> bool:
        """Traffic well above usual *and* slow everywhere: both, or it is something else."""
        return self.more_traffic and self.all_slower and self.busy > self.busy_usual


def load_facts(now: Window, usual: Window) -> LoadFacts:
    """Compare the window that is being explained with an earlier, good one. Order within a window does not matter."""
    ours, theirs = _medians(now), _medians(usual)
    compared = [route for route in ours if route in theirs]
    slower = [route for route in compared if ours[route] >= SLOWER * max(theirs[route], 1.0)]
    errors = sum(not r.ok for r in now.requests)
    return LoadFacts(
        now.rate / usual.rate if usual.rate > 0 and now.seconds > 0 else None,
        len(slower),
        len(compared),
        now.busy,
        usual.busy,
        errors / len(now.requests) if now.requests else 0.0,
    )


def _medians(window: Window) -> dict[str, float]:
    by_route: dict[str, list[float]] = {}
    for request in window.requests:
        by_route.setdefault(request.route, []).append(request.ms)
    return {route: sorted(ms)[len(ms) // 2] for route, ms in by_route.items() if len(ms) >= MIN_PER_ROUTE}
