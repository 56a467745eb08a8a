"""What the views are made from: records and observations of one moment, gathered elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from prodwise.config import Config
from prodwise.model.autonomy import Autonomy
from prodwise.model.certificate import Credential
from prodwise.model.evidence import Evidence
from prodwise.model.incident import Incident
from prodwise.model.record import Approval, Effect, Entry, Rollout
from prodwise.model.release import Release
from prodwise.model.service import Service
from prodwise.model.target import TargetSeen
from prodwise.model.unmet import Unmet
from prodwise.server.views.report import Report
from prodwise.server.views.words import mapping

Buckets = Sequence[tuple[float, int, int]]


@dataclass(frozen=True, slots=True)
class Case:
    """An incident with what its story wrote beside it; each part may be missing or incomplete.

    taken_over: the person who has it; notes: what people said about wrong diagnoses ({who, at, note, text, …}), oldest first.
    """

    incident: Incident
    turn: Mapping[str, Any] = field(default_factory=dict)
    diagnosis: Mapping[str, Any] = field(default_factory=dict)
    decision: Mapping[str, Any] = field(default_factory=dict)
    taken_over: str = ""
    notes: Sequence[Mapping[str, Any]] = ()

    @property
    def plan(self) -> Mapping[str, Any]:
        return mapping(self.decision.get("plan"))

    @property
    def recovered(self) -> bool:
        """Users are served again; it is watched a while before it is closed."""
        return self.turn.get("good_since") is not None


@dataclass(frozen=True, slots=True)
class Brake:
    """Stop or freeze. until: Unix seconds, None = until a person ends it; since: 0 = unknown."""

    on: bool = False
    reason: str = ""
    who: str = ""
    since: float = 0.0
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Posture:
    """How much Prodwise may do now, and who holds it back. held: why the stage is lower than what a person allowed."""

    stage: Autonomy
    held: str
    stop: Brake
    freeze: Brake


@dataclass(frozen=True, slots=True)
class Way:
    """A rollout's way. stages: the names of its shares, in order; entries: what the ledger has about it, oldest first."""

    stages: Sequence[str] = ()
    entries: Sequence[Entry] = ()


@dataclass(frozen=True, slots=True)
class NowFacts:
    app: str
    address: str
    services: Sequence[Service]
    target: TargetSeen | None
    target_error: str
    health: Mapping[str, bool | None]
    numbers: Mapping[str, Mapping[str, float]]
    day: Buckets
    quarter: Buckets
    marks: Sequence[Entry]
    open: Sequence[Case]
    recent: Sequence[Incident]  # the last ones that were closed, newest first
    rollout: Rollout | None
    way: Way
    releases: Sequence[Release]
    approvals: Sequence[Approval]
    posture: Posture
    self_test: Mapping[str, Any]
    report: Report
    credentials: Sequence[Credential] = ()
    unmet: Unmet | None = None  # the newest release, where it was refused before any user met it
    fix: str = ""  # what came of looking for its fix
    handed: Mapping[str, Case] = field(default_factory=dict)  # of those that a person has, what their stories wrote


@dataclass(frozen=True, slots=True)
class IncidentFacts:
    """later: when the next incident of all began after this one had ended; None without one. evidence, timeline: where there is too
    much of it, its beginning and its end; evidence_stored: how much there is; cut: after which entry some are left out, 0 = none."""

    case: Case
    evidence: Sequence[Evidence]
    timeline: Sequence[Entry]
    effects: Sequence[Effect]
    approvals: Sequence[Approval]
    buckets: Buckets
    marks: Sequence[Entry]
    posture: Posture
    later: float | None = None
    evidence_stored: int = 0
    cut: int = 0


@dataclass(frozen=True, slots=True)
class ReleasesFacts:
    services: Sequence[Service]
    target: TargetSeen | None
    target_error: str
    releases: Sequence[Release]
    rollouts: Sequence[Rollout]
    way: Way
    posture: Posture
    release_line: bool
    fixes: Mapping[str, str] = field(default_factory=dict)  # of those that no user met, what came of looking for one


def stage_of(config: Config, allowed: object) -> tuple[Autonomy, str]:
    """The stage in force, and why it is lower than allowed ("" if not).

    allowed: what a person set on this instance. The repository's file can only lower it.
    """
    person = Autonomy(allowed) if isinstance(allowed, str) and allowed in list(Autonomy) else Autonomy.OBSERVE
    capped = person.capped(config.stage)
    return capped, "" if capped is person else f"prodwise.toml holds it at {capped.value}"
