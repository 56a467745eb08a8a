"""One broken route out of fifty: a small test per route, with explicit shares of the false-alarm budget."""

from __future__ import annotations

from collections.abc import Iterator

from prodwise.loop.detect.markov import two_rates
from prodwise.loop.detect.wager import LabelWager

_LABELS, _RATES = 0.4, 0.6
_QUIET = 6.0


def route_share(k: int, max_routes: int) -> float:
    """Part of the routes' budget for the k-th route (1, 2, …): half shared alike, half by appearance; sums to ≤ 1."""
    return 0.5 / max_routes + 0.5 / (k * (k + 1))


class RouteTest:
    """Labels of errors (exact under drift) and the two arms' rates within one share (fast when the route is broken).

    Rates start afresh when the share changes, with half of what was left: counts of different stages do not mix, else a
    failure that both arms share would count against the arm that grew.
    """

    __slots__ = ("_labels", "_rates", "_stage", "_stake", "_w", "canary", "cap", "stable")

    def __init__(self, cap: float) -> None:
        self.cap = cap
        self._labels = LabelWager(_LABELS, cap, centre=8.0)
        self._stake = self._rates = _RATES / 2
        self._w = -1.0
        self._stage = [0, 0, 0, 0]  # canary bad, ok; stable bad, ok
        self.canary, self.stable = [0, 0], [0, 0]  # bad, ok

    def observe(self, canary: bool, error: bool, w: float) -> None:
        """One lane's first error here, or an ok answer."""
        (self.canary if canary else self.stable)[not error] += 1
        if w != self._w:
            self._w, self._stage, self._stake = w, [0, 0, 0, 0], self._stake / 2
        stage = self._stage
        stage[(0 if canary else 2) + (not error)] += 1
        if error:
            self._labels.event(canary, w)
            self._rates = self._stake * two_rates(stage[0], stage[1], stage[2], stage[3], _QUIET) if 0 < w < 1 else 0.0

    @property
    def wealth(self) -> float:
        return self._labels.wealth + self._rates

    @property
    def failed(self) -> bool:
        return self.wealth >= self.cap * (1 - 1e-9)


class RouteTests:
    """Routes by first appearance, at most `max_routes`; further ones are judged with the whole service only."""

    def __init__(self, alpha: float, max_routes: int) -> None:
        self.alpha, self.max_routes = alpha, max_routes
        self._tests: dict[str, RouteTest] = {}
        self.left_out = 0

    def __len__(self) -> int:
        return len(self._tests)

    def observe(self, route: str, canary: bool, error: bool, w: float) -> None:
        test = self._tests.get(route)
        if test is None:
            if len(self._tests) >= self.max_routes:
                self.left_out += 1
                return
            part = route_share(len(self._tests) + 1, self.max_routes)
            test = self._tests[route] = RouteTest(1 / (self.alpha * part))
        test.observe(canary, error, w)

    def items(self) -> Iterator[tuple[str, RouteTest]]:
        return iter(self._tests.items())

    def failed(self) -> list[str]:
        return [route for route, test in self._tests.items() if test.failed]

    def suspicious(self) -> list[str]:
        """More than a tenth of a proof."""
        return [route for route, test in self._tests.items() if test.wealth >= 0.1 * test.cap]

    def unseen(self, share: float) -> list[str]:
        """Routes that carry at least `share` (0…1) of the requests and that the canary has not yet answered well."""
        totals = {route: sum(test.canary) + sum(test.stable) for route, test in self._tests.items()}
        whole = max(1, sum(totals.values()))
        return [r for r, t in self._tests.items() if totals[r] >= max(1.0, share * whole) and not t.canary[1]]
