"""Ranked hypotheses that cite evidence, plus what is not known."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Cause(StrEnum):
    RELEASE = "release"  # began with a release
    DEPENDENCY = "dependency"  # a package that a release changed
    CONFIG = "config"
    CRASH = "crash"  # the process died
    CRASH_LOOP = "crash_loop"
    HANG = "hang"  # the process lives, does not answer
    OVERLOAD = "overload"
    UPSTREAM = "upstream"
    MEMORY = "memory"  # it runs out, or is used more and more
    DISK = "disk"
    DESCRIPTORS = "descriptors"  # open files and connections, against their limit
    CERTIFICATE = "certificate"  # or a token: its time is over
    INPUT = "input"  # one input fails, and all others work
    CLOCK = "clock"
    SLOW = "slow"
    ERRORS = "errors"  # own errors without a nearer cause
    NOTHING = "nothing"  # others say so, and our own eyes see that all is well
    UNKNOWN = "unknown"


BY_RELEASE: Final = (Cause.RELEASE, Cause.DEPENDENCY)
"""What a release brought: its subject is that release."""


def alike(one: str, other: str) -> bool:
    """A package that a release changed is that release's fault, told more closely."""
    return one == other or (one in BY_RELEASE and other in BY_RELEASE)


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """weight: log-odds (natural) summed from the evidence's documented weights; evidence ids for and against.

    share: how likely it is among all that are named, 0…1, None where that was not worked out; hearsay: it rests on what
    programs report alone, so that nothing is done for it.
    """

    cause: Cause
    text: str
    weight: float
    supports: tuple[str, ...]
    contradicts: tuple[str, ...] = ()
    subject: str = ""  # a release id, a service id
    share: float | None = None
    hearsay: bool = False


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """hypotheses: likeliest first, never empty (UNKNOWN is allowed); unknown: what was not known, in plain words."""

    hypotheses: tuple[Hypothesis, ...]
    unknown: tuple[str, ...]

    @property
    def leading(self) -> Hypothesis:
        return self.hypotheses[0]
