"""One stream of outcomes, judged: the function behind `prodwise judge`, built from the tests that ship releases."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import NamedTuple

from prodwise.loop.detect.accept import NotWorse, burst_length, not_worse_known
from prodwise.loop.detect.known import KnownErrors
from prodwise.loop.detect.share import RunningShare
from prodwise.loop.detect.twosample import TwoSample
from prodwise.loop.watch.latency import LatencyTest
from prodwise.model.gate import Verdict

LATENCY_SHARE = 0.1
"""Part of the wealth that moves to latency when the first `ms` is seen; without `ms` errors keep it all."""


class Outcome(NamedTuple):
    """One request (a tuple: a million of them are made in seconds).

    share: the canary's share of assignments where known; ms: latency where known."""

    canary: bool
    ok: bool
    ms: float | None = None
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    verdict: Verdict
    n_canary: int
    n_stable: int
    reason: str


class StreamJudge:
    """Feed it requests in order; it answers as soon as the evidence does.

    baseline: the known error share (then stable's errors do not matter), or None for canary against stable.
    FAIL at wealth 1/alpha; PASS at 1/alpha against "worse times the baseline"; otherwise HOLD.
    """

    __slots__ = ("_bar", "_cap", "_errors", "_kept", "_latency", "_next_pass", "_pass", "_share", "alpha", "n", "worse")

    def __init__(self, alpha: float, baseline: float | None, worse: float) -> None:
        self.alpha, self.worse = alpha, worse
        self._cap = 1 / alpha
        self._bar = log(1 / alpha)
        self._errors = TwoSample(self._cap) if baseline is None else KnownErrors(baseline, self._cap)
        self._pass = NotWorse(worse)
        self._latency: LatencyTest | None = None
        self._kept = 1.0  # part of the errors' wealth that has not moved to latency
        self._share = RunningShare()
        self.n = [0, 0]  # stable, canary
        self._next_pass = 32

    def observe(self, seen: Outcome) -> Judged | None:
        """One request; a Judged as soon as it is decided (feed no more then), else None."""
        canary, ok, ms, share = seen
        error = not ok
        w = self._share.value if share is None else share
        self.n[canary] += 1
        errors = self._errors
        if isinstance(errors, TwoSample):
            errors.observe(canary, error, w)
            if error:
                self._pass.event(canary, w)
        elif canary:
            errors.observe(error)
        slow = ms is not None and self._slow(canary, ms, w)
        self._share.observe(canary)
        if error or slow or self.n[1] >= self._next_pass:
            return self._decide(error)
        return None

    def _slow(self, canary: bool, ms: float, w: float) -> bool:
        if self._latency is None:
            moved = LATENCY_SHARE * self._errors.wealth
            self._kept = 1 - LATENCY_SHARE
            self._errors.raise_cap(self._cap / self._kept)
            self._latency = LatencyTest(self._cap, moved)
        return self._latency.observe(canary, ms, w)

    def _decide(self, error: bool) -> Judged | None:
        slow = self._latency.test.wealth_now if self._latency is not None else 0.0
        total = self._errors.wealth_now * self._kept + slow
        if total >= self._cap * (1 - 1e-9):
            return self._judged(Verdict.FAIL, self._why_failed(slow > total / 2))
        if slow < 0.1 * self._cap and (error or self.n[1] >= self._next_pass):
            self._next_pass = self.n[1] + max(8, self.n[1] // 64)
            if self.evidence() >= self._bar:
                return self._judged(Verdict.PASS, self._why_passed())
        return None

    def evidence(self) -> float:
        """Nats that speak for "not worse than `worse` times the baseline"."""
        errors = self._errors
        if isinstance(errors, KnownErrors):
            chain = errors.chain
            return not_worse_known(chain.n, chain.errors, chain.broke, errors.p0, self.worse)
        arms = (errors.canary, errors.stable)
        return self._pass.evidence(max(burst_length(arm.errors, arm.broke) for arm in arms))

    def end(self) -> Judged:
        """The input ended undecided."""
        return self._judged(Verdict.HOLD, self._why_held())

    def _judged(self, verdict: Verdict, reason: str) -> Judged:
        return Judged(verdict, self.n[1], self.n[0], reason)

    def _canary_errors(self) -> int:
        chain = self._errors.chain if isinstance(self._errors, KnownErrors) else self._errors.canary
        return chain.errors

    def _reference(self) -> str:
        errors = self._errors
        if isinstance(errors, KnownErrors):
            return f"the baseline of {errors.p0:.3%}"
        return f"stable's {errors.stable.errors} of {errors.stable.n:,}"

    def _why_failed(self, slow: bool) -> str:
        level = f"chance of a false alarm at most {self.alpha:g}, however long one looks"
        if slow and self._latency is not None and self._latency.p95 is not None:
            counts = self._latency.test.canary
            return (
                f"latency: {counts.errors} of the canary's {counts.n:,} requests took longer than stable's "
                f"95th percentile ({self._latency.p95:.0f} ms); {level}"
            )
        return f"errors: {self._canary_errors()} of the canary's {self.n[1]:,} against {self._reference()}; {level}"

    def _why_passed(self) -> str:
        return (
            f"errors: {self._canary_errors()} of the canary's {self.n[1]:,} against {self._reference()}; "
            f"{self.worse:g} times the baseline or more is ruled out (error of that at most {self.alpha:g})"
        )

    def _why_held(self) -> str:
        if not self.n[1]:
            return "no canary request was seen: nothing is known of it"
        if isinstance(self._errors, TwoSample) and not self.n[0]:
            return "no stable request was seen and no baseline was given: nothing to compare the canary with"
        against = max(self._errors.wealth * self._kept, 1e-9)
        return (
            f"undecided: {self._canary_errors()} of the canary's {self.n[1]:,} failed, against {self._reference()}; "
            f"evidence for worse {max(0.0, log(against)):.1f}, for not {self.worse:g} times worse "
            f"{max(0.0, self.evidence()):.1f}, of {self._bar:.1f} needed"
        )
