"""Seeded requests for the tests of rollouts, watches and monitors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from prodwise.model.signal import Arm, RequestSeen

Share = Callable[[float, str], float]


def request(
    at: float,
    route: str = "GET /",
    ok: bool = True,
    ms: float = 30.0,
    lane: str = "",
    canary: bool = False,
    share: float = 0.0,
    status: int = 0,
    fell_over: bool = False,
) -> RequestSeen:
    arm = Arm.CANARY if canary else Arm.STABLE
    code = status or (200 if ok else 500)
    return RequestSeen(
        at, "web", "2-b" if canary else "1-a", arm, share, route, code, ms, lane or f"{at}", fell_over=fell_over
    )


def pick_route(rng: Random, routes: int) -> str:
    """Ten routes or fifty; the first ones are busy, the last ones rare."""
    return f"GET /r{min(int(rng.expovariate(0.5 if routes <= 10 else 0.06)), routes - 1)}"


def steady(
    seed: int,
    seconds: float,
    rate: Callable[[float], float],
    errors: Share,
    slower: Callable[[float], float] = lambda t: 1.0,
    burst: float = 1.0,
    missing: float = 0.0,
) -> Iterator[RequestSeen]:
    """Poisson arrivals at rate(t)/s; errors(t, route): share; slower(t): factor on latency; missing: share of 404s."""
    rng, t, bad = Random(seed), 0.0, False
    goes_on = 1 - 1 / burst
    while True:
        t += rng.expovariate(rate(t))
        if t > seconds:
            return
        route = pick_route(rng, 10)
        p = errors(t, route)
        begins = p * (1 - goes_on) / (1 - p) if burst > 1 else p
        bad = rng.random() < (goes_on if bad and burst > 1 else begins)
        status = 500 if bad else (404 if rng.random() < missing else 200)
        yield request(t, route, not bad, rng.lognormvariate(3.5, 0.5) * slower(t), status=status)
