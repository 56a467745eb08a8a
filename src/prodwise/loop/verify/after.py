"""Asked after an action, again and again: are things better? Only evidence says yes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from prodwise.model.gate import GateResult, Verdict, worst

LOOK_MAX_S: Final = 5.0
REQUESTS_MIN: Final = 10
ALLOWED_OVER_USUAL: Final = 0.02  # of requests failing, above twice the usual share
TIMES_USUAL: Final = 2.0
SLOW_TIMES: Final = 2.0
_NEED_REQUESTS = frozenset({"errors", "latency", "traffic_loss"})


@dataclass(frozen=True, slots=True)
class Look:
    """A service at one moment. probed: it has a probe; probe, running: None is unknown; exits: unasked ends since the action.

    requests, failed: over the last seconds (after an action: only what began after it); usual_failed: share 0…1, None unknown.
    """

    at: float
    probed: bool
    probe: bool | None
    running: bool | None
    exits: int = 0
    requests: int = 0
    failed: int = 0
    usual_failed: float | None = None
    p95_ms: float | None = None
    usual_p95_ms: float | None = None


def better(
    before: Look, after: Look, now: float, *, acted_at: float, settle_s: float, symptoms: frozenset[str]
) -> GateResult:
    """PASS needs evidence for each thing that was wrong; unknown is HOLD; what still fails is FAIL once `settle_s` are over.

    symptoms: the kinds that the incident began with. Before `settle_s` seconds a failure is HOLD: it is still coming up.
    """
    if now - after.at > LOOK_MAX_S or after.at < acted_at:
        return GateResult("better", Verdict.HOLD, "no fresh look since the action")
    results = (_process(after), _probe(after), _requests(before, after, symptoms), _latency(after, symptoms))
    verdict = worst(results)
    reason = "; ".join(one.reason for one in results if one.verdict is verdict and one.reason)
    if verdict is Verdict.FAIL and now - acted_at < settle_s:
        return GateResult("better", Verdict.HOLD, f"settling: {reason}")
    return GateResult("better", verdict, reason)


def _process(after: Look) -> GateResult:
    if after.exits:
        return GateResult("process", Verdict.FAIL, f"its process ended again ({after.exits}×)")
    if after.running is None:
        return GateResult("process", Verdict.HOLD, "whether its process runs is not known")
    return GateResult(
        "process", Verdict.PASS if after.running else Verdict.FAIL, "it runs" if after.running else "it does not run"
    )


def _probe(after: Look) -> GateResult:
    if not after.probed:
        return GateResult("probe", Verdict.PASS, "")
    if after.probe is None:
        return GateResult("probe", Verdict.HOLD, "whether it answers its probe is not known")
    text = "it answers its probe" if after.probe else "it fails its probe"
    return GateResult("probe", Verdict.PASS if after.probe else Verdict.FAIL, text)


def _requests(before: Look, after: Look, symptoms: frozenset[str]) -> GateResult:
    needed = bool(symptoms & _NEED_REQUESTS)
    if after.requests < REQUESTS_MIN:
        if needed:
            return GateResult("requests", Verdict.HOLD, f"only {after.requests} requests since: too few to tell")
        return GateResult("requests", Verdict.PASS, "")
    share = after.failed / after.requests
    text = f"{after.failed} of {after.requests} requests failed"
    if share <= TIMES_USUAL * (after.usual_failed or 0.0) + ALLOWED_OVER_USUAL:
        return GateResult("requests", Verdict.PASS, text)
    was = before.failed / before.requests if before.requests else 1.0
    return GateResult("requests", Verdict.FAIL if share > was / 2 or needed else Verdict.HOLD, text)


def _latency(after: Look, symptoms: frozenset[str]) -> GateResult:
    if "latency" not in symptoms:
        return GateResult("latency", Verdict.PASS, "")
    if after.p95_ms is None or after.usual_p95_ms is None or after.requests < REQUESTS_MIN:
        return GateResult("latency", Verdict.HOLD, "how long requests take, or usually took, is not known")
    slow = after.p95_ms > SLOW_TIMES * max(after.usual_p95_ms, 1.0)
    text = f"p95 {after.p95_ms:.0f} ms, usually {after.usual_p95_ms:.0f} ms"
    return GateResult("latency", Verdict.FAIL if slow else Verdict.PASS, text)
