"""Which of the edits that pass are believed, and how far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log2

from prodwise.repair.localise import Spectrum
from prodwise.repair.pool import Candidate

# What fits by accident more often than other kinds: it adds a way around, or takes something away.
RISK = {
    "guard": 0.3,
    "condition": 0.15,
    "condition dropped": 0.25,
    "operand dropped": 0.1,
    "call dropped": 0.1,
    "index dropped": 0.1,
    "piece": 0.1,
    "part": 0.1,
    "variable": 0.1,
    "statement missing": 0.05,
    "none": 0.1,
    "index": 0.1,
}
RIVALS_WITHIN = 0.5
RIVAL_COST = 0.07
# Least confidence by how many tests run the edited line: one alone is easily satisfied by accident.
LEAST = {0: 0.65, 1: 0.6, 2: 0.5}
LEAST_OF_MANY = 0.4
MOST = 2
# Ways to say the same: one place, one limit moved by one.
_ONE_FAMILY = frozenset(("comparison", "limit", "constant"))


@dataclass(frozen=True, slots=True)
class Survivor:
    """confidence: 0 to 1."""

    candidate: Candidate
    confidence: float


def chosen(standing: Sequence[Candidate], answers: Sequence[tuple[str, ...]], spectrum: Spectrum) -> list[Survivor]:
    """1. What stands, likeliest first, with the number of rivals: others, elsewhere or of another kind, that fit nearly as well
    and answer otherwise beyond the tests. 2. Tests that ran the edited line speak for an edit; rivals, unusual edits and those that
    go around the work against it. 3. Nothing is proposed below the least confidence."""
    judged = [Survivor(one, confidence(one, _others(at, standing, answers), spectrum)) for at, one in enumerate(standing[:MOST])]
    return [one for one in judged if one.confidence >= LEAST.get(witnesses(one.candidate, spectrum), LEAST_OF_MANY)]


def _others(at: int, standing: Sequence[Candidate], answers: Sequence[tuple[str, ...]]) -> list[Candidate]:
    return [one for one, said in zip(standing, answers, strict=True) if not said or said != answers[at]]


def confidence(one: Candidate, standing: Sequence[Candidate], spectrum: Spectrum) -> float:
    rivals = sum(1 for other in standing if other is not one and _rival(one, other))
    ran = witnesses(one, spectrum)
    value = (
        0.85 - 0.12 * one.score - RIVAL_COST * rivals - RISK.get(one.edit.kind, 0.0) + min(0.15, 0.05 * log2(1 + ran))
    )
    return max(0.0, min(0.99, value))


def _rival(one: Candidate, other: Candidate) -> bool:
    if other.score > one.score + RIVALS_WITHIN:
        return False
    near = one.edit.path == other.edit.path and abs(one.edit.line - other.edit.line) <= 1
    return not (near and {one.edit.kind, other.edit.kind} <= _ONE_FAMILY)


def witnesses(one: Candidate, spectrum: Spectrum) -> int:
    """How many tests run the edited line."""
    return sum(one.edit.line in test.get(one.edit.path, frozenset()) for test in (*spectrum.failing, *spectrum.passing))
