"""One broken route out of fifty: a small test per route, with explicit shares of the false-alarm budget."""

from __future__ import annotations

from collections.abc import Iterator

from prodwise.loop.detect.accept import Count, upper_bound
from prodwise.loop.detect.markov import two_rates
from prodwise.loop.detect.wager import LabelWager, RateWager

_LABELS, _RATES, _ALONE = 0.3, 0.3, 0.4
_QUIET = 6.0
MIN_BOUND = 0.03
"""No route is expected to fail less often than this by the test of the canary alone."""
KNOWN_N = 100
"""Requests of stable before its error share is known; routes fail unequally, hence half as much again on top."""
STABLE_QUIET = 20
"""Requests of stable without an error before an error of the canary is its own."""


def route_share(k: int, max_routes: int) -> float:
    """Part of the routes' budget for the k-th route (1, 2, …): half shared alike, half by appearance; sums to ≤ 1."""
    return 0.5 / max_routes + 0.5 / (k * (k + 1))


class RouteTest:
    """Three questions of one route, each with a part of its unit:

    * labels: are errors the canary's more often than its share? Exact under drift.
    * rates: does the canary fail more often than stable within one stage? Counts of different stages do not mix, else a
      failure that both share would count against the arm that grew; a new stage begins with half of what was left.
    * alone: does the canary fail here more often than a generous bound on what the service usually does? Works also at
      100 %, where stable is silent. Errors while stable fails, too, do not count; if stable fails here, it is given up.
    """

    __slots__ = ("_alone", "_labels", "_rates", "_stage", "_stake", "_w", "bound", "canary", "cap", "stable")

    def __init__(self, cap: float) -> None:
        self.cap = cap
        self.bound = 1.0
        self._labels = LabelWager(_LABELS, cap, centre=8.0)
        self._alone: RateWager | None = None
        self._stake = self._rates = _RATES / 2
        self._w = -1.0
        self._stage = [0, 0, 0, 0]  # canary bad, ok; stable bad, ok
        self.canary, self.stable = [0, 0], [0, 0]  # bad, ok

    def begin_alone(self, bound: float) -> None:
        """Once the service's usual error share is known: `bound` is generously above it."""
        if self.bound == 1.0:
            self.bound = bound
            if bound < 0.5 and not self._gives_up():
                self._alone = RateWager(bound, _ALONE, self.cap, centre=0.6 / bound)

    def _gives_up(self) -> bool:
        bad, ok = self.stable
        return bad > 1 and bad > 0.5 * self.bound * (bad + ok)

    def observe(self, canary: bool, error: bool, w: float, stable_fails: bool) -> None:
        """One lane's first error here, or an ok answer."""
        (self.canary if canary else self.stable)[not error] += 1
        self._observe_alone(canary, error, stable_fails)
        if w != self._w:
            self._w, self._stage, self._stake = w, [0, 0, 0, 0], self._stake / 2
        stage = self._stage
        stage[(0 if canary else 2) + (not error)] += 1
        if error:
            self._labels.event(canary, w)
            now = two_rates(stage[0], stage[1], stage[2], stage[3], _QUIET) if 0 < w < 1 else 0.0
            self._rates = self._stake * now

    def _observe_alone(self, canary: bool, error: bool, stable_fails: bool) -> None:
        if not canary:
            if self._gives_up():
                self._alone = None
        elif self._alone is not None and not (error and stable_fails):
            if error:
                self._alone.happened()
            else:
                self._alone.quiet()

    @property
    def wealth(self) -> float:
        return self._labels.wealth + self._rates + (self._alone.wealth if self._alone is not None else 0.0)

    @property
    def failed(self) -> bool:
        return self.wealth >= self.cap * (1 - 1e-9)

    @property
    def suspicious(self) -> bool:
        """A tenth of a proof, or failing more often than not where stable answers."""
        (bad, ok), (stable_bad, stable_ok) = self.canary, self.stable
        mostly = bad >= 2 and bad > ok and stable_bad <= 0.2 * (stable_bad + stable_ok)
        return mostly or self.wealth >= 0.1 * self.cap


class RouteTests:
    """Routes by first appearance, at most `max_routes`; further ones are judged with the whole service only."""

    def __init__(self, alpha: float, max_routes: int) -> None:
        self.alpha, self.max_routes = alpha, max_routes
        self._tests: dict[str, RouteTest] = {}
        self._since_stable_error = STABLE_QUIET
        self._stable = [0, 0]  # bad, ok
        self.left_out = 0

    def __len__(self) -> int:
        return len(self._tests)

    def observe(self, route: str, canary: bool, error: bool, w: float) -> None:
        if not canary:
            self._stable[not error] += 1
            self._since_stable_error = 0 if error else self._since_stable_error + 1
        test = self._tests.get(route)
        if test is None:
            if len(self._tests) >= self.max_routes:
                self.left_out += 1
                return
            part = route_share(len(self._tests) + 1, self.max_routes)
            test = self._tests[route] = RouteTest(1 / (self.alpha * part))
        if canary and test.bound == 1.0 and sum(self._stable) >= KNOWN_N:
            usual = upper_bound(Count(sum(self._stable), self._stable[0]), 0.01)
            test.begin_alone(max(MIN_BOUND, 1.5 * usual))
        test.observe(canary, error, w, self._since_stable_error < STABLE_QUIET)

    def items(self) -> Iterator[tuple[str, RouteTest]]:
        return iter(self._tests.items())

    def failed(self) -> list[str]:
        return [route for route, test in self._tests.items() if test.failed]

    def suspicious(self) -> list[str]:
        return [route for route, test in self._tests.items() if test.suspicious]

    def unseen(self, share: float) -> list[str]:
        """Routes that carry at least `share` (0…1) of the requests and that the canary has not yet answered well."""
        totals = {route: sum(test.canary) + sum(test.stable) for route, test in self._tests.items()}
        whole = max(1, sum(totals.values()))
        return [r for r, t in self._tests.items() if totals[r] >= max(1.0, share * whole) and not t.canary[1]]
