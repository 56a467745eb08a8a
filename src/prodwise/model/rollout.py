"""A release's way to its users: stages with verdicts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stage:
    """share: canary's share of lanes, 0…1. max_bad_share: the error share that evidence must rule out before going on."""

    name: str
    share: float
    max_bad_share: float


DEFAULT_RAMP = (
    Stage("5 %", 0.05, 0.40),
    Stage("25 %", 0.25, 0.20),
    Stage("50 %", 0.50, 0.10),
    Stage("100 %", 1.00, 0.02),
)
"""Each stage rules out what would hurt at the next share: about a tenth of all requests failing, at worst."""
