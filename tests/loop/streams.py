"""Seeded streams of outcomes for the judge's tests: independent, in bursts, drifting."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from prodwise.loop.watch.stream import Judged, Outcome, StreamJudge

Rate = Callable[[bool, int], float]


class Bursts:
    """Errors of one arm as a two-state chain: long-run share p, `mean` errors a burst (1 = independent)."""

    def __init__(self, rng: Random, mean: float = 1.0) -> None:
        self.rng, self.mean, self.bad = rng, mean, False

    def ok(self, p: float) -> bool:
        goes_on = 1 - 1 / self.mean
        begins = min(1.0, p * (1 - goes_on) / (1 - p)) if self.mean > 1 and p < 1 else p
        self.bad = self.rng.random() < (goes_on if self.bad and self.mean > 1 else begins)
        return not self.bad


def judge_known(seed: int, p0: float, p1: float, horizon: int, burst: float = 1.0, alpha: float = 0.01) -> Judged:
    """A canary with error share p1 against the known baseline p0."""
    errors = Bursts(Random(seed), burst)
    judge = StreamJudge(alpha, p0, 2.0)
    for _ in range(horizon):
        judged = judge.observe(Outcome(True, errors.ok(p1)))
        if judged is not None:
            return judged
    return judge.end()


def judge_two(
    seed: int,
    rate: Rate,
    horizon: int,
    share: float = 0.5,
    bursts: tuple[float, float] = (1.0, 1.0),
    every: bool = False,
    ms: Callable[[Random, bool], float] | None = None,
) -> Judged:
    """rate(canary, t): error share; share: the canary's; bursts: mean of stable's, of the canary's; every: not by
    chance but every (1/share)-th request is the canary's."""
    rng = Random(seed)
    arms = (Bursts(rng, bursts[0]), Bursts(rng, bursts[1]))
    judge = StreamJudge(0.01, None, 2.0)
    for t in range(horizon):
        canary = t % round(1 / share) == 0 if every else rng.random() < share
        ok = arms[canary].ok(rate(canary, t))
        judged = judge.observe(Outcome(canary, ok, ms(rng, canary) if ms else None))
        if judged is not None:
            return judged
    return judge.end()
