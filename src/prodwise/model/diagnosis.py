"""Ranked hypotheses that cite evidence, plus what is not known."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    RELEASE = "release"  # began with a release
    CONFIG = "config"
    CRASH = "crash"  # the process died
    CRASH_LOOP = "crash_loop"
    HANG = "hang"  # the process lives, does not answer
    OVERLOAD = "overload"
    UPSTREAM = "upstream"
    SLOW = "slow"
    ERRORS = "errors"  # own errors without a nearer cause
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """weight: log-odds (natural) summed from the evidence's documented weights; evidence ids for and against."""

    cause: Cause
    text: str
    weight: float
    supports: tuple[str, ...]
    contradicts: tuple[str, ...] = ()
    subject: str = ""  # a release id, a service id


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """hypotheses: likeliest first, never empty (UNKNOWN is allowed); unknown: what was not known, in plain words."""

    hypotheses: tuple[Hypothesis, ...]
    unknown: tuple[str, ...]

    @property
    def leading(self) -> Hypothesis:
        return self.hypotheses[0]
