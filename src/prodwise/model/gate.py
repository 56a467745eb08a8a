"""A question asked before or after, and its answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """Unknown is HOLD; hold runs out into FAIL, never into PASS."""

    PASS = "pass"
    HOLD = "hold"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class GateResult:
    gate: str
    verdict: Verdict
    reason: str


def worst(results: tuple[GateResult, ...]) -> Verdict:
    """FAIL before HOLD before PASS; no results at all is HOLD (nothing was asked, so nothing is known)."""
    verdicts = {result.verdict for result in results}
    for verdict in (Verdict.FAIL, Verdict.HOLD):
        if verdict in verdicts:
            return verdict
    return Verdict.PASS if results else Verdict.HOLD
