"""Which commit to test next, given what tests said so far: a weighted bisection that bears flaky tests. Pure.

Without noise each answer halves what is left, and the prior only chooses among tests that keep the worst case within
ceil(log2 k) + 1 runs of k commits. With noise it is the Bayesian learner for a noisy binary search: each answer moves the
weights by its likelihood, and the next test is the one that is expected to tell most (M. Ben-Or, A. Hassidim, "The Bayesian
learner is optimal for noisy binary search", FOCS 2008; after M. Horstein, 1963). In a history with branches a test speaks
of a commit and of all that it rests on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Final

from prodwise.model.commit import Commit

SURE: Final = 0.95
FLAKY_ERROR: Final = 0.1
"""Taken for the chance that an answer is wrong, once answers contradict each other."""
LEAST_PRIOR: Final = 0.02
"""Of the even share, for a commit that the ranking holds for innocent: rankings err."""


class Answer(StrEnum):
    GOOD = "good"
    BAD = "bad"
    FLAKY = "flaky"  # both, in one trial
    UNTESTABLE = "untestable"


@dataclass(frozen=True, slots=True)
class Noise:
    """passes: the chance that a bad commit's test passes; fails: that a good one's fails."""

    passes: float = 0.0
    fails: float = 0.0


@dataclass(frozen=True)
class Bisection:
    """commits: the candidates; the base that they rest on is good, and all of them together are bad. prior: by id, of any
    scale; without it all are alike. answers: in the order in which they came."""

    commits: tuple[Commit, ...]
    prior: Mapping[str, float] = field(default_factory=dict)
    noise: Noise = Noise()
    answers: tuple[tuple[str, Answer], ...] = ()

    def told(self, sha: str, answer: Answer) -> Bisection:
        return Bisection(self.commits, self.prior, self.noise, (*self.answers, (sha, answer)))

    @cached_property
    def rests_on(self) -> Mapping[str, frozenset[str]]:
        """Each candidate → itself and the candidates that it holds."""
        known = {one.sha: one for one in self.commits}
        found: dict[str, frozenset[str]] = {}
        todo = sorted(known, reverse=True)
        while todo:
            sha = todo[-1]
            missing = [one for one in known[sha].parents if one in known and one not in found]
            if missing and len(todo) <= len(known) * len(known) + 1:
                todo += missing
                continue
            todo.pop()
            held = [found[one] for one in known[sha].parents if one in found]
            found[sha] = frozenset({sha}).union(*held)
        return found

    @cached_property
    def noise_now(self) -> Noise:
        """As given; with more of it once answers contradict each other."""
        if self._weights(self.noise):
            return self.noise
        return Noise(max(self.noise.passes, FLAKY_ERROR), max(self.noise.fails, FLAKY_ERROR))

    @cached_property
    def shares(self) -> Mapping[str, float]:
        """How likely each candidate is the first bad one, in the order of their ids."""
        return self._weights(self.noise_now)

    def _weights(self, noise: Noise) -> dict[str, float]:
        """Empty when the answers cannot all be right."""
        even = 1.0 / max(1, len(self.commits))
        total = sum(max(0.0, self.prior.get(sha, 0.0)) for sha in self.rests_on) or 1.0
        weights = {}
        for sha in sorted(self.rests_on):
            share = self.prior.get(sha, 0.0) / total if self.prior else even
            weights[sha] = max(share, LEAST_PRIOR * even)
            for tested, answer in self.answers:
                weights[sha] *= self._likelihood(sha, tested, answer, noise)
        whole = sum(weights.values())
        return {sha: weight / whole for sha, weight in weights.items()} if whole > 0 else {}

    def _likelihood(self, guilty: str, tested: str, answer: Answer, noise: Noise) -> float:
        bad = guilty in self.rests_on.get(tested, frozenset())
        fails = 1.0 - noise.passes if bad else noise.fails
        if answer is Answer.FLAKY:
            return fails * (1.0 - fails)
        return {Answer.BAD: fails, Answer.GOOD: 1.0 - fails}.get(answer, 1.0)


@dataclass(frozen=True, slots=True)
class Try:
    """Test this commit next."""

    sha: str


@dataclass(frozen=True, slots=True)
class Found:
    """The first bad commit, and how sure that is."""

    sha: str
    share: float


@dataclass(frozen=True, slots=True)
class Unresolved:
    """What it lies between, the likeliest first; why it cannot be told further."""

    among: tuple[str, ...]
    reason: str


def runs_max(many: int) -> int:
    """Runs that are enough without noise, if every commit can be tested."""
    return math.ceil(math.log2(many)) + 1 if many > 1 else 0


def next_step(bisection: Bisection, runs: int | None = None, sure: float = SURE) -> Try | Found | Unresolved:
    """1. Done, when one commit is left or is likely enough. 2. Else the test that is expected to tell most, of those that
    keep within the runs. 3. Else what is left. runs: at most so many in all; without noise `runs_max` of them by default."""
    shares = bisection.shares
    if not shares:
        return Unresolved((), "there is no commit to suspect")
    ranked = sorted(shares, key=lambda sha: (-shares[sha], sha))
    left = [sha for sha in ranked if shares[sha] > 0]
    exact = bisection.noise_now == Noise()
    if len(left) == 1 or (not exact and shares[ranked[0]] >= sure):
        return Found(ranked[0], shares[ranked[0]])
    used = sum(answer is not Answer.UNTESTABLE for _, answer in bisection.answers)
    if runs is not None and len(bisection.answers) >= runs:
        return Unresolved(tuple(left), f"{len(bisection.answers)} runs were not enough to tell")
    found = _most_telling(bisection, left, runs_max(len(shares)) - used if exact else None)
    return Try(found) if found else Unresolved(tuple(left), "what is left between them cannot be tested")


def _most_telling(bisection: Bisection, left: Sequence[str], budget: int | None) -> str:
    """ "" when no test tells anything. budget: runs that are left without noise."""
    skipped = {sha for sha, answer in bisection.answers if answer is Answer.UNTESTABLE}
    shares, choices = bisection.shares, []
    for sha in sorted(bisection.rests_on.keys() - skipped):
        held = bisection.rests_on[sha]
        inside = sum(1 for one in left if one in held)
        gain = _gain(sum(shares[one] for one in left if one in held), bisection.noise_now)
        if 0 < inside < len(left) and gain > 1e-9:
            choices.append((sha, max(inside, len(left) - inside), gain * _clear(bisection, sha, skipped)))
    if budget is not None and choices:
        within = [one for one in choices if one[1] <= 2 ** max(0, budget - 1)]
        fewest = min(one[1] for one in choices)
        choices = within or [one for one in choices if one[1] == fewest]
    return max(choices, key=lambda one: (one[2], -one[1], one[0]), default=("", 0, 0.0))[0]


def _gain(bad: float, noise: Noise) -> float:
    """Bits that a test is expected to tell of a commit that is bad with this chance."""
    fails = bad * (1.0 - noise.passes) + (1.0 - bad) * noise.fails
    return _entropy(fails) - bad * _entropy(noise.passes) - (1.0 - bad) * _entropy(noise.fails)


def _entropy(chance: float) -> float:
    if not 0.0 < chance < 1.0:
        return 0.0
    return -chance * math.log2(chance) - (1.0 - chance) * math.log2(1.0 - chance)


def _clear(bisection: Bisection, sha: str, skipped: set[str]) -> float:
    """Less near commits that could not be tested: what breaks one breaks its neighbours."""
    size = len(bisection.rests_on[sha])
    near = min((abs(size - len(bisection.rests_on[one])) for one in skipped if one in bisection.rests_on), default=None)
    return 1.0 if near is None else 1.0 - 0.5 ** max(1, near)
