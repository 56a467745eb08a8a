"""What the store keeps of stories: ledger entries, outside effects, rollouts, approvals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the audit ledger. seq counts from 1 without gaps; at: Unix seconds; incident: the story it belongs to."""

    seq: int
    at: float
    kind: str
    actor: str
    service: str
    incident: str
    text: str
    data: Mapping[str, Any]


class EffectState(StrEnum):
    INTENT = "intent"  # committed, perhaps begun: observe the target before anything else
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Effect:
    """One outside effect. key: idempotency key; command: the whole order as data; undo: the inverse command, None if neutral."""

    key: str
    story: str
    service: str
    kind: str
    command: Mapping[str, Any]
    undo: Mapping[str, Any] | None
    token: int
    intended_at: float
    state: EffectState = EffectState.INTENT
    settled_at: float | None = None
    result: str = ""

    @property
    def target(self) -> str:
        return str(self.command.get("release") or self.command.get("slot") or self.service)

    @property
    def actor(self) -> str:
        return str(self.command.get("actor", "prodwise"))


class RolloutState(StrEnum):
    QUEUED = "queued"
    BUILDING = "building"
    CHECKING = "checking"
    RAMPING = "ramping"
    WATCHING = "watching"
    VERIFIED_GOOD = "verified_good"
    FAILED = "failed"

    @property
    def settled(self) -> bool:
        return self in (RolloutState.VERIFIED_GOOD, RolloutState.FAILED)


@dataclass(frozen=True, slots=True)
class Rollout:
    """A release's way to its users. gates: [{gate, verdict, reason}] of the present stage; numbers: figures per arm."""

    release: str
    previous: str
    state: RolloutState
    stage: str
    share: float
    began_at: float
    ended_at: float | None = None
    watch_until: float | None = None
    gates: tuple[Mapping[str, str], ...] = ()
    numbers: Mapping[str, Any] = field(default_factory=dict)
    asked_by: str = ""


class ApprovalState(StrEnum):
    OPEN = "open"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    USED = "used"


@dataclass(frozen=True, slots=True)
class Approval:
    """A question to a person, bound to the plan's hash; single use; expires_at: Unix seconds."""

    id: str
    incident: str
    plan_hash: str
    plan: Mapping[str, Any]
    asked_at: float
    expires_at: float
    state: ApprovalState
    decided_at: float | None = None
    decided_by: str = ""
