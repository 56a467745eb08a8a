"""Immutable, complete, tied to the state that it was made from; or the named reasons why not."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from prodwise.model.action import Action
from prodwise.model.evidence import digest


@dataclass(frozen=True, slots=True)
class Skipped:
    """A smaller step that was not taken, and why."""

    action: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """revision: fingerprint of the target's state it was made from; evidence: ids that it rests on; cost: budget units."""

    action: Action
    gates: tuple[str, ...]
    revision: str
    evidence: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    policy: str  # policy version
    why: str
    watch_s: float
    cost: int = 1

    @property
    def hash(self) -> str:
        return digest(asdict(self))


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing is done by automation. Never without reasons; `wait_s` > 0 when asking again later may help."""

    reasons: tuple[str, ...]
    skipped: tuple[Skipped, ...] = ()
    wait_s: float = 0.0

    def __post_init__(self) -> None:
        if not self.reasons:
            raise ValueError("a refusal names at least one reason")
