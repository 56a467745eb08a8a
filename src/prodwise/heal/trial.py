"""A release on trial: one judge per service, fed with what users and made evidence show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from prodwise.loop.detect.baseline import Baseline
from prodwise.loop.watch.after import WatchJudge
from prodwise.loop.watch.rollout import RolloutJudge
from prodwise.model.gate import GateResult, Verdict
from prodwise.model.rollout import Stage
from prodwise.model.signal import Arm, RequestSeen
from prodwise.model.target import TargetSeen

RESTARTS_MAX = 1
"""One respawn of a release on trial may be chance; a second one is not."""


class Trial:
    """Judges of one release. alpha is shared equally over the services, and again over ramp and watch."""

    def __init__(
        self, release: str, services: Sequence[str], alpha: float, worse: float, usual: Mapping[str, Baseline]
    ) -> None:
        """usual: of each service, before the release."""
        self.release = release
        self._alpha = alpha / (2 * max(1, len(services)))
        self._ramp = {
            service: RolloutJudge(self._alpha, worse, usual=usual[service].whole if service in usual else None)
            for service in services
        }
        self._watch: dict[str, WatchJudge] = {}

    def observe(self, request: RequestSeen) -> None:
        judge = self._ramp.get(request.service)
        if judge is not None and request.share > 0:
            judge.observe(request)
        watch = self._watch.get(request.service)
        if watch is not None and request.arm is Arm.CANARY and request.release == self.release:
            watch.observe(request)

    def pair(
        self, service: str, route: str, stable_ok: bool, canary_ok: bool, stable_ms: float, canary_ms: float
    ) -> None:
        if service in self._ramp:
            self._ramp[service].observe_pair(route, stable_ok, canary_ok, stable_ms, canary_ms)

    def begin_watch(self, baselines: Mapping[str, Baseline]) -> None:
        if not self._watch:
            self._watch = {
                service: WatchJudge(baselines[service], self._alpha) for service in self._ramp if service in baselines
            }

    @property
    def watching(self) -> bool:
        return bool(self._watch)

    def made(self, request: RequestSeen) -> None:
        watch = self._watch.get(request.service)
        if watch is not None:
            watch.observe(request)

    def ramp_gates(self, stage: Stage) -> tuple[GateResult, ...]:
        return tuple(_named(service, g) for service, judge in self._ramp.items() for g in judge.verdict(stage))

    def watch_gates(self) -> tuple[GateResult, ...]:
        return tuple(_named(service, g) for service, judge in self._watch.items() for g in judge.verdict())

    def doubt(self, service: str) -> float:
        """How much our own eyes suspect the release there: an e-value."""
        judges = (self._ramp.get(service), self._watch.get(service))
        return max((judge.doubt for judge in judges if judge is not None), default=0.0)

    def numbers(self) -> dict[str, Any]:
        return {service: judge.summary() for service, judge in self._ramp.items()}


def process_gates(seen: TargetSeen, release: str) -> tuple[GateResult, ...]:
    """Whether the release's processes stay up."""
    results = []
    for at in seen.services:
        for process in at.slots:
            if process.release != release or process.state == "stopped":
                continue
            bad = process.restarts > RESTARTS_MAX
            reason = f"ended {process.restarts} times" if process.restarts else "stays up"
            results.append(GateResult(f"{at.service}: process", Verdict.FAIL if bad else Verdict.PASS, reason))
    return tuple(results)


def _named(service: str, gate: GateResult) -> GateResult:
    return GateResult(f"{service}: {gate.gate}", gate.verdict, gate.reason)
