"""Is the canary fit for the next stage? Judged live, request by request, from the same tests as `prodwise judge`."""

from __future__ import annotations

from collections import deque
from math import log
from typing import Any

from prodwise.loop.detect.accept import Count, needed_for, upper_bound
from prodwise.loop.detect.baseline import BaselineBuilder, RouteBaseline
from prodwise.loop.detect.known import KnownErrors
from prodwise.loop.detect.outage import CAP
from prodwise.loop.detect.quantile import RunningQuantile
from prodwise.loop.detect.twosample import TwoSample
from prodwise.loop.detect.wager import LabelWager
from prodwise.loop.watch.lanes import MAX_PER_LANE, Lanes
from prodwise.loop.watch.latency import LatencyTest
from prodwise.loop.watch.routes import RouteTests
from prodwise.model.gate import GateResult, Verdict
from prodwise.model.rollout import Stage
from prodwise.model.signal import Arm, RequestSeen

PARTS = {"errors": 0.45, "alone": 0.10, "routes": 0.25, "latency": 0.10, "traffic": 0.05, "replay": 0.05}
"""How alpha, the chance that a good release is ever refused, is shared between the questions. Sums to one."""
MAX_REPLAYS_PER_ROUTE = 60
"""Replays of one route that count towards exposure: the same question again is not new evidence for ever."""
FELT_MS = 10.0
"""An answer is slow when it takes longer than 95 % of stable's by this: half a millisecond more of a page that takes one is the
machine's noise (measured: 0.9 and 1.4 ms at the 95th percentile of the same program), and no reason to take a release back."""
SUSPICION = 0.1
"""Part of a proof above which a stage does not pass: it waits until the suspicion has grown or faded."""


class RolloutJudge:
    """Watches canary and stable side by side. `observe` each request in order; ask `verdict` as often as you like.

    alpha: chance (0…1) that a good release is ever refused, whatever the number of looks; worse: so many
    times stable's error share is not acceptable, where that is more than the stage's own limit. Memory is bounded: lanes,
    routes and latencies are all capped. Errors of the canary that go on while stable answers are taken for an outage sooner
    than in a stream of unknown source: here each one is a user's, and stable is there to go back to.
    usual: what is known of the service from before, for where stable answered too little beside the canary.
    """

    def __init__(self, alpha: float, worse: float, max_routes: int = 200, usual: RouteBaseline | None = None) -> None:
        self.alpha, self.worse, self._usual = alpha, worse, usual
        self._caps = {part: 1 / (alpha * share) for part, share in PARTS.items()}
        self._lanes = Lanes()
        self._errors = TwoSample(self._caps["errors"], longest=CAP)
        self._alone: KnownErrors | None = None  # at 100 %, where stable no longer answers
        self._routes = RouteTests(alpha * PARTS["routes"], max_routes)
        self._latency = LatencyTest(self._caps["latency"], 1.0, min_stable=20, felt_ms=FELT_MS)
        self._traffic = LabelWager(1.0, self._caps["traffic"], centre=0.4, low=0.05, high=0.8)
        self._replay = LabelWager(1.0, self._caps["replay"], centre=12.0)
        self._replays: dict[str, int] = {}
        self._stable = BaselineBuilder("")
        self._ms = {arm: RunningQuantile(1000) for arm in Arm}
        self._n = dict.fromkeys(Arm, 0)
        self._bad = dict.fromkeys(Arm, 0)
        self._lane_count = dict.fromkeys(Arm, 0)
        self._fell_over = 0
        self._exposed = [0, 0]  # canary's counted outcomes, of them bad
        self._last: deque[bool] = deque(maxlen=3)

    def observe(self, request: RequestSeen) -> None:
        """One finished request. Requests of a lane after its first error there say nothing new and are only totalled."""
        canary, error = request.arm is Arm.CANARY, not request.ok
        lane, new = self._lanes.see(request.lane)
        self._total(request, canary, error)
        if new:
            self._lane_count[request.arm] += 1
            self._traffic.event(canary, request.share)
        if canary and lane.counted < MAX_PER_LANE:
            lane.counted += 1
            self._exposed[0] += 1
            self._exposed[1] += error
        self._observe_route(request, canary, error, lane.routes)
        if error and request.route not in lane.routes and len(lane.routes) < 8:
            lane.routes += (request.route,)
        if not (error and lane.erred):
            self._observe_error(canary, error, request.share)
        lane.erred = lane.erred or error
        if not error and not lane.slow:
            lane.slow = self._latency.observe(canary, request.ms, request.share)

    def _total(self, request: RequestSeen, canary: bool, error: bool) -> None:
        self._n[request.arm] += 1
        self._bad[request.arm] += error
        self._fell_over += request.fell_over
        if not error:
            self._ms[request.arm].add(request.ms)
        if canary:
            self._last.append(error)
        else:
            self._stable.observe(request)

    def _observe_route(self, request: RequestSeen, canary: bool, error: bool, counted: tuple[str, ...]) -> None:
        if not (error and request.route in counted):
            self._routes.observe(request.route, canary, error, request.share)

    def _observe_error(self, canary: bool, error: bool, w: float) -> None:
        self._errors.observe(canary, error, w)
        if canary and w >= 0.999:
            if self._alone is None:
                usual = self._usually()
                self._alone = KnownErrors(min(0.5, usual.upper()), self._caps["alone"], continues=usual.continues)
            self._alone.observe(error)

    def _usually(self) -> RouteBaseline:
        """Of few answers the bound on the usual share of errors is a wide one, and not none: a ramp that was quick must not end
        where nothing is judged any more."""
        seen = self._stable.build().whole
        return seen if seen.known or self._usual is None else seen.merge(self._usual)

    def observe_pair(
        self,
        route: str,
        stable_ok: bool,
        canary_ok: bool,
        stable_ms: float | None = None,
        canary_ms: float | None = None,
    ) -> None:
        """The same safe request was sent to both. Where both agree on failing, nothing is learned of the canary."""
        if stable_ok != canary_ok:
            self._replay.event(not canary_ok, 0.5)
        count = self._replays[route] = self._replays.get(route, 0) + 1
        if stable_ok and count <= MAX_REPLAYS_PER_ROUTE:
            self._exposed[0] += 1
            self._exposed[1] += not canary_ok
            self._last.append(not canary_ok)
        if stable_ok and canary_ok and stable_ms is not None and canary_ms is not None:
            self._latency.observe(False, stable_ms, 0.5)
            self._latency.observe(True, canary_ms, 0.5)

    # -- verdicts ------------------------------------------------------------------------------------------------------

    def verdict(self, stage: Stage) -> tuple[GateResult, ...]:
        """Every gate of this stage. FAIL as soon as the evidence says so, PASS only with evidence, else HOLD."""
        return (
            self._exposure(stage),
            self._errors_gate(stage),
            self._routes_gate(stage),
            self._latency_gate(stage),
            self._traffic_gate(stage),
            self._outage_gate(),
            *self._replay_gate(),
        )

    def _limit(self, stage: Stage) -> float:
        """Error share that has to be ruled out: on top of stable's own, the stage's or what `worse` adds to stable's."""
        usual = self._bad[Arm.STABLE] / max(1, self._n[Arm.STABLE])
        return min(0.98, usual + max(stage.max_bad_share, (self.worse - 1) * usual))

    def _more(self, stage: Stage) -> int:
        return needed_for(Count(*self._exposed), self.alpha, self._limit(stage))

    def _exposure(self, stage: Stage) -> GateResult:
        n, bad = self._exposed
        limit = self._limit(stage)
        more = self._more(stage)
        if more:
            return GateResult(
                "exposure",
                Verdict.HOLD,
                f"{n:,} answers of the new release, {bad} of them bad, do not yet rule out that {limit:.1%} fail: "
                f"{_about(more)} more good ones needed",
            )
        bound = upper_bound(Count(n, bad), self.alpha)
        text = f"{n:,} answers of the new release, {bad} of them bad: at most {bound:.1%} fail, below this stage's {limit:.1%}"
        return GateResult("exposure", Verdict.PASS, text)

    def _judged(self, gate: str, part: str, wealth: float, facts: str, more: int) -> GateResult:
        """FAIL at proof; HOLD under suspicion or while too few answers are in; else PASS."""
        cap = self._caps[part]
        if wealth >= cap * (1 - 1e-9):
            return GateResult(gate, Verdict.FAIL, f"{facts}: chance of that in a good release below {1 / cap:.2g}")
        if wealth >= SUSPICION * cap:
            return GateResult(
                gate,
                Verdict.HOLD,
                f"{facts}: suspicious: waiting for more (evidence {wealth:.0f} of {cap:.0f})",
            )
        if more:
            return GateResult(gate, Verdict.HOLD, f"{facts}: {_about(more)} more good answers of it needed")
        return GateResult(gate, Verdict.PASS, f"{facts}: no sign that it is worse (evidence {wealth:.1f} of {cap:.0f})")

    def _errors_gate(self, stage: Stage) -> GateResult:
        canary, stable = Arm.CANARY, Arm.STABLE
        was = f"the one before {self._bad[stable]} of {self._n[stable]:,}"
        facts = f"the new release failed {self._bad[canary]} of {self._n[canary]:,}, {was}"
        alone = self._alone
        if (
            alone is not None
            and alone.wealth_now / self._caps["alone"] > self._errors.wealth_now / self._caps["errors"]
        ):
            return self._judged("errors", "alone", alone.wealth_now, facts, self._more(stage))
        return self._judged("errors", "errors", self._errors.wealth_now, facts, self._more(stage))

    def _routes_gate(self, stage: Stage) -> GateResult:
        failed = self._routes.failed()
        if failed:
            shown = "; ".join(self._route_facts(route) for route in failed[:3])
            return GateResult("routes", Verdict.FAIL, f"broken on the new release: {shown}")
        suspicious = self._routes.suspicious()
        if suspicious:
            shown = "; ".join(self._route_facts(route) for route in suspicious[:3])
            return GateResult("routes", Verdict.HOLD, f"suspicious, waiting: {shown}")
        unseen = [r for r in self._routes.unseen(stage.max_bad_share) if not self._replays.get(r)]
        if unseen or not (len(self._routes) or self._replays):
            shown = ", ".join(unseen[:3]) or "any route"
            return GateResult("routes", Verdict.HOLD, f"no good answer of the new release yet for {shown}")
        return GateResult(
            "routes",
            Verdict.PASS,
            f"{max(len(self._routes), len(self._replays))} routes seen, none worse on the new release",
        )

    def _route_facts(self, route: str) -> str:
        test = dict(self._routes.items())[route]
        return f"{route} ({test.canary[0]} of {sum(test.canary)} failed, on the one before {test.stable[0]} of {sum(test.stable)})"

    def _latency_gate(self, stage: Stage) -> GateResult:
        counts, p95 = self._latency.test.canary, self._latency.p95
        if p95 is None:
            return GateResult("latency", Verdict.HOLD, "too few answers of the one before to know what is slow")
        limit_ms = f"{p95 + FELT_MS:.0f} ms; 95 % of the one before take at most {p95:.0f} ms"
        facts = f"{counts.errors} of {counts.n:,} answers of the new release took over {limit_ms}"
        limit = min(0.98, 0.05 + max(stage.max_bad_share, 0.1))
        more = needed_for(Count(counts.n, counts.errors), self.alpha, limit)
        return self._judged("latency", "latency", self._latency.test.wealth_now, facts, more)

    def _traffic_gate(self, stage: Stage) -> GateResult:
        lanes, total = self._lane_count[Arm.CANARY], sum(self._lane_count.values())
        facts = (
            f"{lanes:,} of {total:,} users on the new release; {self._fell_over} requests fell over to the one before"
        )
        more = 0 if self._n[Arm.CANARY] or self._replays else 1
        return self._judged("traffic", "traffic", self._traffic.wealth, facts, more)

    def _outage_gate(self) -> GateResult:
        if not self._last:
            return GateResult("outage", Verdict.HOLD, "the new release has not answered yet")
        if self._errors.failed_by_outage:
            return GateResult(
                "outage", Verdict.FAIL, "the new release's errors do not stop, while the one before answers"
            )
        if all(self._last):
            return GateResult("outage", Verdict.HOLD, f"the new release's last {len(self._last)} answers were all bad")
        return GateResult("outage", Verdict.PASS, "the new release answers")

    def _replay_gate(self) -> tuple[GateResult, ...]:
        if not self._replays:
            return ()
        facts = (
            f"{sum(self._replays.values()):,} safe requests sent to both, {self._replay.events} answered differently"
        )
        return (self._judged("replay", "replay", self._replay.wealth, facts, 0),)

    @property
    def doubt(self) -> float:
        """The largest e-value of what may fail it: 1 at the beginning, in a good release 20 or more once in seven times at most."""
        alone = self._alone.wealth_now if self._alone else 0.0
        return max(self._errors.wealth_now, alone, self._replay.wealth)

    # -- for pages -----------------------------------------------------------------------------------------------------

    def summary(self) -> dict[str, Any]:
        """JSON-ready figures: counts, latencies in ms, e-values with the value that counts as proof."""
        wealth = {
            "errors": self._errors.wealth_now,
            "alone": self._alone.wealth_now if self._alone else 1.0,
            "latency": self._latency.test.wealth_now,
            "traffic": self._traffic.wealth,
            "replay": self._replay.wealth,
        }
        return {
            "arms": {arm.value: self._arm(arm) for arm in Arm},
            "fell_over": self._fell_over,
            "replays": sum(self._replays.values()),
            "evidence": {
                part: {"e": round(e, 3), "proof": round(self._caps[part], 1), "done": _done(e, self._caps[part])}
                for part, e in wealth.items()
            },
            "routes": self._route_rows(),
            "exposure": {
                "n": self._exposed[0],
                "errors": self._exposed[1],
                "upper_bound": round(upper_bound(Count(*self._exposed), self.alpha), 5),
            },
        }

    def _arm(self, arm: Arm) -> dict[str, Any]:
        ms = self._ms[arm]
        return {
            "n": self._n[arm],
            "errors": self._bad[arm],
            "lanes": self._lane_count[arm],
            "p50_ms": ms.at(0.5),
            "p95_ms": ms.at(0.95),
        }

    def _route_rows(self) -> list[dict[str, Any]]:
        rows = [
            {
                "route": route,
                "canary_n": sum(test.canary),
                "canary_errors": test.canary[0],
                "stable_n": sum(test.stable),
                "stable_errors": test.stable[0],
                "done": _done(test.wealth, test.cap),
            }
            for route, test in self._routes.items()
        ]
        return sorted(rows, key=lambda row: (-float(str(row["done"])), -int(str(row["stable_n"]))))[:20]


def _done(e: float, proof: float) -> float:
    """How far the evidence against the canary is, 0…1 on the logarithmic scale on which it grows."""
    return round(min(1.0, max(0.0, log(max(e, 1e-300)) / log(proof))), 3)


def _about(count: int) -> str:
    return f"{count:,}" if count < 100 else f"about {round(count, -1):,}"
