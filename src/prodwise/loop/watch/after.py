"""After 100 %: the new release alone, against what the last verified-good one did."""

from __future__ import annotations

from math import log
from typing import Any

from prodwise.loop.detect.accept import Count, needed_for, not_worse_known, upper_bound
from prodwise.loop.detect.baseline import MAX_ROUTES, Baseline, BaselineBuilder, RouteBaseline
from prodwise.loop.detect.known import KnownErrors
from prodwise.loop.detect.outage import CAP
from prodwise.model.gate import GateResult, Verdict
from prodwise.model.signal import RequestSeen

PARTS = {"errors": 0.5, "routes": 0.35, "latency": 0.15}
SPENT = 0.01
"""Part of its stake below which a test is given up and a new one begins: trouble may start at any time."""
SLOWER, SLOWER_MS, USUALLY_SLOW = 2.0, 100.0, 0.05
UNKNOWN_SHARE = 0.05
"""Error share that is taken as usual where the baseline has too few requests to say."""
SUSPICION = 0.1
ENOUGH_SHARE = 0.02
"""A watch passes when, besides, this error share on top of the usual is ruled out."""


class Restarting:
    """A known-baseline test that begins anew when its stake is spent; the j-th stake is 1/(j·(j+1)), all sum to one."""

    __slots__ = ("_banked", "_continues", "_stake", "_test", "_tests", "cap", "p0", "wealth")

    def __init__(self, p0: float, cap: float, continues: float = CAP) -> None:
        self.p0, self.cap, self._continues = p0, cap, continues
        self._tests, self._banked = 1, 0.0
        self._stake = 0.5
        self._test = KnownErrors(p0, cap, self._stake, continues)
        self.wealth = 0.5

    def observe(self, error: bool) -> None:
        now = self._test.observe(error)
        if error:
            self.wealth = now + self._banked
        elif self._test.chain.n % 64 == 0 and self._test.spent < SPENT:
            self._banked += self._test.wealth
            self._tests += 1
            self._stake = 1 / (self._tests * (self._tests + 1))
            self._test = KnownErrors(self.p0, self.cap, self._stake, self._continues)
            self.wealth = self._banked + self._stake

    @property
    def failed(self) -> bool:
        return self.wealth >= self.cap * (1 - 1e-9)


class WatchJudge:
    """`observe` the new release's requests; `verdict` passes only with evidence that it is not `worse` times the baseline.

    alpha: chance (0…1) that a good release is ever refused. The baseline counts with its upper bound, so a thin baseline
    makes the judge slower to refuse, never quicker.
    """

    def __init__(self, baseline: Baseline, alpha: float, worse: float = 2.0) -> None:
        self.baseline, self.alpha, self.worse = baseline, alpha, worse
        self._usual = _usual(baseline.whole)
        self._errors = Restarting(self._usual, 1 / (alpha * PARTS["errors"]), baseline.whole.continues)
        self._routes: dict[str, Restarting] = {}
        known = baseline.whole.known and baseline.whole.p95 > 0
        self._slow_ms = SLOWER * baseline.whole.p95 + SLOWER_MS if known else None
        self._latency = Restarting(USUALLY_SLOW, 1 / (alpha * PARTS["latency"]))
        self._slow = [0, 0]  # answers, of them slow
        self._new = BaselineBuilder(baseline.service)
        self._n = self._bad = self._starts = 0
        self._was_bad = False
        self._route_counts: dict[str, list[int]] = {}

    def observe(self, request: RequestSeen) -> None:
        """One finished request of the new release, in order."""
        error = not request.ok
        self._new.observe(request)
        self._n += 1
        self._bad += error
        self._starts += error and not self._was_bad
        self._was_bad = error
        self._errors.observe(error)
        self._observe_route(request.route, error)
        if not error and self._slow_ms is not None:
            slow = request.ms > self._slow_ms
            self._slow[0] += 1
            self._slow[1] += slow
            self._latency.observe(slow)

    def _observe_route(self, route: str, error: bool) -> None:
        test = self._routes.get(route)
        if test is None:
            k = len(self._routes) + 1
            if k > MAX_ROUTES:
                return
            part = 0.5 / MAX_ROUTES + 0.5 / (k * (k + 1))
            known = self.baseline.route(route)
            usual = _usual(known) if known is not None else max(self._usual, UNKNOWN_SHARE)
            test = self._routes[route] = Restarting(usual, 1 / (self.alpha * PARTS["routes"] * part))
        test.observe(error)
        counts = self._route_counts.setdefault(route, [0, 0])
        counts[0] += 1
        counts[1] += error

    def verdict(self) -> tuple[GateResult, ...]:
        """FAIL as soon as the evidence says so, PASS only with evidence, else HOLD with what is missing.

        Without latencies in the baseline there is no latency gate: it was not asked, so it neither passes nor holds.
        """
        latency = () if self._slow_ms is None else (self._latency_gate(self._slow_ms),)
        return (self._errors_gate(), self._routes_gate(), *latency)

    def _errors_gate(self) -> GateResult:
        facts = f"{self._bad} of {self._n:,} requests failed; up to {self._usual:.2%} is usual"
        test = self._errors
        if test.failed:
            return GateResult("errors", Verdict.FAIL, f"{facts}: chance of that below {1 / test.cap:.2g}")
        if test.wealth >= SUSPICION * test.cap:
            return GateResult("errors", Verdict.HOLD, f"{facts}: suspicious, waiting")
        bar = log(1 / self.alpha)
        have = not_worse_known(self._n, self._bad, self._starts, self._usual, self.worse)
        limit = min(0.98, self._usual + ENOUGH_SHARE)
        if have >= bar or upper_bound(Count(self._n, self._bad), self.alpha) < limit:
            return GateResult(
                "errors", Verdict.PASS, f"{facts}: not worse than {max(limit, self.worse * self._usual):.1%}"
            )
        more = needed_for(Count(self._n, self._bad), self.alpha, limit)
        return GateResult("errors", Verdict.HOLD, f"{facts}: about {more:,} more good requests needed")

    def _routes_gate(self) -> GateResult:
        failed = [route for route, test in self._routes.items() if test.failed]
        if failed:
            shown = "; ".join(self._route_facts(r) for r in failed[:3])
            return GateResult("routes", Verdict.FAIL, f"broken: {shown}")
        suspicious = [r for r, t in self._routes.items() if t.wealth >= SUSPICION * t.cap]
        if suspicious:
            shown = "; ".join(self._route_facts(r) for r in suspicious[:3])
            return GateResult("routes", Verdict.HOLD, f"suspicious, waiting: {shown}")
        missing = self._unseen()
        if missing or not self._routes:
            return GateResult("routes", Verdict.HOLD, f"no answer yet of {', '.join(missing[:3]) or 'any route'}")
        return GateResult("routes", Verdict.PASS, f"{len(self._routes)} routes seen, none worse than usual")

    def _unseen(self) -> list[str]:
        """Routes with a twentieth or more of the usual traffic that were not asked for yet."""
        whole = max(1, self.baseline.whole.n)
        busy = [r.route for r in self.baseline.routes if r.n >= 0.05 * whole]
        return [route for route in busy if route not in self._route_counts]

    def _route_facts(self, route: str) -> str:
        n, bad = self._route_counts[route]
        return f"{route} ({bad} of {n} failed, up to {self._routes[route].p0:.2%} is usual)"

    def _latency_gate(self, slow_ms: float) -> GateResult:
        n, slow = self._slow
        facts = f"{slow} of {n:,} answers took over {slow_ms:.0f} ms"
        if self._latency.failed:
            return GateResult("latency", Verdict.FAIL, f"{facts}: chance of that below {1 / self._latency.cap:.2g}")
        more = needed_for(Count(n, slow), self.alpha, 3 * USUALLY_SLOW)
        if more or self._latency.wealth >= SUSPICION * self._latency.cap:
            return GateResult("latency", Verdict.HOLD, f"{facts}: about {max(1, more):,} more quick answers needed")
        return GateResult("latency", Verdict.PASS, f"{facts}: as usual")

    @property
    def doubt(self) -> float:
        """The e-value of its errors: 1 at the beginning at most."""
        return self._errors.wealth

    def summary(self) -> dict[str, Any]:
        """JSON-ready figures for pages."""
        return {
            "n": self._n,
            "errors": self._bad,
            "usual": round(self._usual, 5),
            "evidence": {
                "errors": {"e": round(self._errors.wealth, 3), "proof": round(self._errors.cap, 1)},
                "latency": {"e": round(self._latency.wealth, 3), "proof": round(self._latency.cap, 1)},
            },
            "slow_ms": self._slow_ms,
            "slow": self._slow[1],
            "upper_bound": round(upper_bound(Count(self._n, self._bad), self.alpha), 5),
        }

    def built(self) -> Baseline:
        """What the new release did: the next baseline, once it is verified-good."""
        return self._new.build()


def _usual(known: RouteBaseline) -> float:
    return min(0.5, known.upper()) if known.known else UNKNOWN_SHARE
