"""Evidence *for* a release: passing needs its own proof, never the mere absence of failure."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf, log, log1p

from prodwise.loop.detect.markov import log_beta

BURST = 5.0
"""Errors per burst that is assumed until the data show shorter ones; without it a lucky quiet start would prove too much."""
_GOOD = (0.1, 0.35, 0.55, 0.75, 0.9, 1.0, 1.15, 1.35, 1.6)  # × baseline: what a good release's rate may be
_WEIGHT = (0.06, 0.08, 0.12, 0.16, 0.16, 0.16, 0.12, 0.08, 0.06)


def burst_length(errors: int, starts: int) -> float:
    """Errors per start, leaning to BURST while few were seen. ≥ 1."""
    return max(1.0, (errors + BURST) / (starts + 1))


def _log_mean(logs: list[float], weights: list[float]) -> float:
    top = max(logs)
    return top + log(sum(w * exp(v - top) for v, w in zip(logs, weights, strict=True)) / sum(weights))


def not_worse_known(n: int, errors: int, starts: int, p0: float, worse: float) -> float:
    """Log-evidence (nats) against "error share ≥ worse·p0"; compare with ln(1/α).

    A mixture of good rates against the border of the null, divided by the burst length: ten errors of one burst are one.
    """
    bad = worse * p0
    if bad >= 1:
        return -inf
    logs, weights = [], []
    for good, weight in zip(_GOOD, _WEIGHT, strict=True):
        q = good * p0
        if q < 0.95 * bad:
            logs.append(errors * log(q / bad) + (n - errors) * (log1p(-q) - log1p(-bad)))
            weights.append(weight)
    return _log_mean(logs, weights) / burst_length(errors, starts) if logs else -inf


class NotWorse:
    """Two-sample: log-evidence against "the canary fails ≥ worse times as often as stable", from the labels of errors.

    Under that null an error is the canary's with odds ≥ worse·w/(1−w). All errors count (starts alone would hide long
    bursts); the sum is divided by the burst length of the arm that has the longer ones.
    """

    __slots__ = ("_logs", "_ratios", "worse")

    def __init__(self, worse: float) -> None:
        self.worse = worse
        pairs = [(g, w) for g, w in zip(_GOOD, _WEIGHT, strict=True) if g < 0.95 * worse]
        self._ratios = [g for g, _ in pairs]
        self._logs = [(0.0, w) for _, w in pairs]

    def event(self, canary: bool, w: float) -> None:
        """One error; w: the canary's share at that moment."""
        if not 0.0 < w < 1.0:
            return
        null = self.worse * w + 1 - w
        self._logs = [
            (value + log(null / (g * w + 1 - w)) + (log(g / self.worse) if canary else 0.0), weight)
            for g, (value, weight) in zip(self._ratios, self._logs, strict=True)
        ]

    def evidence(self, burst: float) -> float:
        """Nats; burst ≥ 1: errors that count as one."""
        if not self._logs:
            return -inf
        return _log_mean([v for v, _ in self._logs], [w for _, w in self._logs]) / burst


@dataclass(frozen=True, slots=True)
class Count:
    """n outcomes, of them k bad. Fractions are allowed: outcomes that are not independent count in part."""

    n: float
    k: float


def upper_bound(count: Count, alpha: float, a: float = 0.5, b: float = 2.0) -> float:
    """Time-uniform upper bound (0…1) on a rate: true for all n at once with probability ≥ 1 − alpha.

    Every q whose beta-mixture e-value reaches 1/alpha is ruled out (Robbins 1970); the bound is the largest that is not.
    """
    n, k = count.n, count.k
    if n <= 0 or k >= n:
        return 1.0
    top = log_beta(k + a, n - k + b) - log_beta(a, b) - log(1 / alpha)
    low, high = k / n, 1.0
    for _ in range(40):
        q = 0.5 * (low + high)
        if top > (k * log(q) if k else 0.0) + (n - k) * log1p(-q):
            high = q
        else:
            low = q
    return high


def needed_for(count: Count, alpha: float, below: float) -> int:
    """How many more good outcomes (and none bad) would bring `upper_bound` below `below`. 0 = it is; capped at 10^6."""
    if upper_bound(count, alpha) < below:
        return 0
    step = 1
    while step < 1_000_000 and upper_bound(Count(count.n + step, count.k), alpha) >= below:
        step *= 2
    low, high = step // 2, step
    while high - low > max(1, high // 50):
        middle = (low + high) // 2
        if upper_bound(Count(count.n + middle, count.k), alpha) < below:
            high = middle
        else:
            low = middle
    return high
