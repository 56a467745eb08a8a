"""Errors that come in bursts: judged as a two-state chain (ok, error), so that one long burst is one piece of evidence.

Both tests are *universal inference* (Wasserman, Ramdas & Balakrishnan 2020): the likelihood averaged over alternatives
divided by the largest likelihood that the null can reach. The quotient is at most an e-value, at any stopping time.
"""

from __future__ import annotations

from math import exp, inf, lgamma, log, sqrt

_SECTIONS = 16
_RARE = 30.0


def log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def _entropy(yes: float, no: float) -> float:
    """Largest log-likelihood of `yes` and `no` outcomes at one constant rate."""
    total = yes + no
    return (yes * log(yes / total) if yes else 0.0) + (no * log(no / total) if no else 0.0)


class ChainCounts:
    """Transitions of one arm; the request before the first counts as ok."""

    __slots__ = ("bad", "broke", "healed", "stayed_bad", "stayed_ok")

    def __init__(self) -> None:
        self.bad = False
        self.stayed_ok = self.broke = self.healed = self.stayed_bad = 0

    def observe(self, bad: bool) -> None:
        if self.bad:
            if bad:
                self.stayed_bad += 1
            else:
                self.healed += 1
        elif bad:
            self.broke += 1
        else:
            self.stayed_ok += 1
        self.bad = bad

    @property
    def continues(self) -> float:
        """Share of errors that were followed by another, in bursts that are over; 0 while fewer than two are."""
        return self.stayed_bad / (self.stayed_bad + self.healed) if self.healed >= 2 else 0.0

    @property
    def n(self) -> int:
        return self.stayed_ok + self.broke + self.healed + self.stayed_bad

    @property
    def errors(self) -> int:
        return self.broke + self.stayed_bad


def known_chain(c: ChainCounts, p0: float) -> float:
    """E-value that a chain's long-run error share is above `p0`, whatever the length of its bursts.

    Null: P(error|ok) = a, P(error|error) = k with a / (a + 1 − k) ≤ p0. On its border a = κ·d with κ = p0/(1−p0) and
    d = 1 − k; the border's best d solves a quadratic.
    """
    if c.errors <= p0 * c.n or not c.broke:
        return 0.0
    a_yes, b_yes = 0.5, 1.5
    a_no = a_yes * (1 - p0) / p0
    b_no = 0.5
    up = log_beta(c.broke + a_yes, c.stayed_ok + a_no) - log_beta(a_yes, a_no)
    up += log_beta(c.stayed_bad + b_yes, c.healed + b_no) - log_beta(b_yes, b_no)
    return exp(min(600.0, up - _chain_null(c, p0)))


def _chain_null(c: ChainCounts, p0: float) -> float:
    free_a = c.broke / max(1, c.broke + c.stayed_ok)
    free_d = c.healed / max(1, c.healed + c.stayed_bad)
    if free_a * (1 - p0) <= p0 * free_d:
        return _entropy(c.broke, c.stayed_ok) + _entropy(c.stayed_bad, c.healed)
    kappa = p0 / (1 - p0)
    moves = c.broke + c.healed
    qa = kappa * (moves + c.stayed_ok + c.stayed_bad)
    qb = moves * (1 + kappa) + kappa * c.stayed_ok + c.stayed_bad
    d = 2 * moves / (qb + sqrt(max(0.0, qb * qb - 4 * qa * moves)))  # the smaller root, without cancellation
    d = min(max(d, 1e-12), 1.0)
    value = c.broke * log(kappa * d) + c.healed * log(d)
    value += c.stayed_ok * log(1 - kappa * d) if kappa * d < 1 else (-inf if c.stayed_ok else 0.0)
    value += c.stayed_bad * log(1 - d) if c.stayed_bad else 0.0
    return value


def two_chains(canary: ChainCounts, stable: ChainCounts) -> float:
    """E-value that the canary's long-run error share is above stable's, each a chain of its own, bursts of any length.

    The null's best common border lies between the two shares that were seen; its likelihood has one maximum there.
    """
    if canary.errors * stable.n <= stable.errors * canary.n:
        return 0.0
    up = _chain_mixture(canary, 1.5, 0.5) + _chain_mixture(stable, 0.4, 0.8)
    low, high = _share_seen(stable), _share_seen(canary)
    value = -inf
    for _ in range(_SECTIONS):
        third = (high - low) / 3
        left, right = low + third, high - third
        a, b = (_chain_null(canary, p) + _chain_null_above(stable, p) for p in (left, right))
        value = max(value, a, b)
        low, high = (left, high) if a < b else (low, right)
    return exp(min(600.0, up - value))


def _share_seen(c: ChainCounts) -> float:
    """Long-run error share of the likeliest chain, within (0, 1)."""
    begins = (c.broke + 1e-3) / (c.broke + c.stayed_ok + 2e-3)
    ends = (c.healed + 1e-3) / (c.healed + c.stayed_bad + 2e-3)
    return begins / (begins + ends)


def _chain_mixture(c: ChainCounts, goes_on: float, ends: float) -> float:
    """Log-likelihood averaged over chains whose errors begin rarely; goes_on, ends: how they are weighed afterwards."""
    value = log_beta(c.broke + 0.5, c.stayed_ok + _RARE) - log_beta(0.5, _RARE)
    return value + log_beta(c.stayed_bad + goes_on, c.healed + ends) - log_beta(goes_on, ends)


def _chain_null_above(c: ChainCounts, p: float) -> float:
    """Largest log-likelihood of a chain whose long-run error share is at least p: of its mirror image at most 1 − p."""
    mirror = ChainCounts()
    mirror.stayed_ok, mirror.broke, mirror.healed, mirror.stayed_bad = c.stayed_bad, c.healed, c.broke, c.stayed_ok
    return _chain_null(mirror, 1 - p)


def continuation(canary: ChainCounts, stable: ChainCounts) -> float:
    """E-value that the canary's errors go on (an error follows an error) more than stable's do."""
    if canary.stayed_bad < 2 or stable.stayed_bad + stable.healed == 0:
        return 0.0
    return two_rates(canary.stayed_bad, canary.healed, stable.stayed_bad, stable.healed, 1.5)


def two_rates(up_c: int, down_c: int, up_s: int, down_s: int, quiet: float) -> float:
    """E-value that the canary's rate up/(up+down) is above stable's, each constant; quiet ≥ 1: how rare it is on stable."""
    if up_c * (up_s + down_s) <= up_s * (up_c + down_c):
        return 0.0
    value = log_beta(up_c + 1.5, down_c + 0.5) - log_beta(1.5, 0.5)
    value += log_beta(up_s + 0.3, down_s + quiet) - log_beta(0.3, quiet)
    return exp(min(600.0, value - _entropy(up_c + up_s, down_c + down_s)))
