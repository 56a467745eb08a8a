"""Who uses a service: requests and different browsers, by route, in half hours. Bounded: two of them, 200 routes each."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable

from prodwise.model.reach import RouteUse, Use
from prodwise.model.signal import RequestSeen
from prodwise.model.users import Users

HALF_S = 1800.0
HALVES_KEPT = 2
ROUTES_KEPT = 200
OTHER = "other"


class _Met:
    __slots__ = ("requests", "users")

    def __init__(self) -> None:
        self.requests = 0
        self.users = Users()


class Crowd:
    """A browser is known by the lane that it brought along, of which only a keyed hash is kept, in memory."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(16)
        self._halves: dict[int, dict[str, _Met]] = {}
        self.began = float("inf")  # when the first came, Unix seconds

    def observe(self, request: RequestSeen) -> None:
        self.began = min(self.began, request.at)
        half = self._halves.setdefault(int(request.at // HALF_S), {})
        if len(self._halves) > HALVES_KEPT:
            del self._halves[min(self._halves)]
        met = half.get(request.route)
        if met is None:
            route = request.route if len(half) < ROUTES_KEPT else OTHER
            met = half.setdefault(route, _Met())
        met.requests += 1
        if request.returning:
            met.users.add(hashlib.blake2b(request.lane.encode(), digest_size=8, key=self._key).hexdigest())

    def use(self, service: str, at: float) -> Use | None:
        """Over the half hour that `at` lies in and the one before; None when nobody came. Any thread may ask."""
        since = int(at // HALF_S) - 1
        halves = [dict(half) for number, half in list(self._halves.items()) if number >= since]
        routes = sorted({route for half in halves for route in half})
        uses = [(route, [half[route] for half in halves if route in half]) for route in routes]
        if not uses:
            return None
        every = [met for _, found in uses for met in found]
        return Use(
            service,
            sum(met.requests for met in every),
            _people(every),
            tuple(RouteUse(route, sum(met.requests for met in found), _people(found)) for route, found in uses),
        )


def _people(found: Iterable[_Met]) -> int | None:
    """None when all came without a lane: they may be anyone."""
    return Users.union(met.users.pack() for met in found).count() or None
