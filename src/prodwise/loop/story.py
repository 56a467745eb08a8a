"""The nouns of an incident's story: what is seen at a turn, what is to be done next, and what is kept between turns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from prodwise.loop.choose.authority import Authority
from prodwise.loop.choose.choose import Choice
from prodwise.loop.choose.situation import PastResult
from prodwise.loop.planning import plan_from_json, plan_to_json
from prodwise.model.action import Action, ActionKind
from prodwise.model.gate import GateResult, Verdict
from prodwise.model.incident import IncidentState
from prodwise.model.outcome import Outcome
from prodwise.model.plan import Plan

NOT_LOOKED = GateResult("better", Verdict.HOLD, "not looked at yet")


class Applied(StrEnum):
    """How far the plan's effects have come."""

    NOT_YET = "not_yet"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Remedied:
    """A remedy that another story, the supervisor or a person carried out for this incident."""

    kind: ActionKind
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Observations:
    """What is known at a turn. Answers (diagnosed … undone) count only when they are of the turn's `round`.

    symptom_gone: positive evidence that what was wrong is well again; None: not known. health: `verify.better` since the remedy.
    """

    round: int = -1
    diagnosed: bool = False
    decision: Choice | None = None
    authority: Authority = Authority.OBSERVE
    asked: bool = False
    approved: bool | None = None
    unanswered: bool = False  # the question's time is over
    gates: tuple[GateResult, ...] = ()
    applied: Applied = Applied.NOT_YET
    failure: str = ""
    undone: bool = False
    undo_failure: str = ""
    health: GateResult = NOT_LOOKED
    symptom_gone: bool | None = None
    remedied: Remedied | None = None
    taken_over: str = ""  # the person who has the incident now
    undone_by: str = ""  # the person who took the remedy back


@dataclass(frozen=True, slots=True)
class Wait:
    seconds: float
    why: str


@dataclass(frozen=True, slots=True)
class Diagnose:
    round: int


@dataclass(frozen=True, slots=True)
class Decide:
    round: int


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask a person about the plan; the same question is not put twice."""

    plan: Plan
    reason: str


@dataclass(frozen=True, slots=True)
class Check:
    plan: Plan


@dataclass(frozen=True, slots=True)
class Apply:
    """May be commanded again for the same round: effects are keyed by incident and round."""

    plan: Plan
    round: int


@dataclass(frozen=True, slots=True)
class Undo:
    action: Action
    round: int


@dataclass(frozen=True, slots=True)
class Watch:
    """left_s: seconds of good evidence still needed."""

    left_s: float
    why: str


@dataclass(frozen=True, slots=True)
class Escalate:
    """Tell a person, with the reason in a few words and in full; the incident is closed with it."""

    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Close:
    outcome: Outcome
    why: str


Command = Wait | Diagnose | Decide | Ask | Check | Apply | Undo | Watch | Escalate | Close


@dataclass(frozen=True, slots=True)
class Remedy:
    """at: seconds on the story's clock."""

    kind: ActionKind
    by: str
    at: float
    result: PastResult = PastResult.RUNNING
    reason: str = ""


@dataclass(frozen=True, slots=True)
class IncidentTurn:
    """What is kept between turns. wall: Unix seconds of the last turn; all other times are seconds on the story's own clock.

    That clock starts at 0 when the story begins, never goes back, and counts at most 30 s for a gap in which nobody looked,
    so that neither a clock set wrong nor a healer that was down makes a good remedy look like a failed one.
    """

    incident: str
    phase: IncidentState
    wall: float
    watch_s: float
    clock: float = 0.0
    since: float = 0.0  # when the phase was entered
    undecided_since: float | None = None
    good_since: float | None = None
    bad_since: float | None = None
    gone_since: float | None = None
    round: int = 0
    stale: int = 0  # plans that could not be applied as planned
    plan: Plan | None = None
    remedies: tuple[Remedy, ...] = ()
    undoing: bool = False
    outcome: Outcome | None = None
    reason: str = ""
    text: str = ""
    entered: tuple[tuple[str, float], ...] = ()

    @property
    def failed(self) -> int:
        return sum(one.result in (PastResult.FAILED, PastResult.UNDONE) for one in self.remedies)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "plan": plan_to_json(self.plan) if self.plan is not None else None}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> IncidentTurn:
        return cls(
            **{
                **data,
                "phase": IncidentState(data["phase"]),
                "plan": plan_from_json(data["plan"]) if data["plan"] is not None else None,
                "outcome": Outcome(data["outcome"]) if data["outcome"] is not None else None,
                "remedies": tuple(_remedy(one) for one in data["remedies"]),
                "entered": tuple((str(phase), float(at)) for phase, at in data.get("entered", ())),
            }
        )


def _remedy(data: Mapping[str, Any]) -> Remedy:
    return Remedy(**{**data, "kind": ActionKind(data["kind"]), "result": PastResult(data["result"])})


def settled(turn: IncidentTurn, result: PastResult) -> IncidentTurn:
    """The last remedy with its result."""
    return replace(turn, remedies=(*turn.remedies[:-1], replace(turn.remedies[-1], result=result)))
