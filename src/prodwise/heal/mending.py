"""A lasting fix for an incident: what is asked of the repairers, and what their answer says to people."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from prodwise.heal.parts import ReportsIn
from prodwise.heal.reported import fault_of, release_of
from prodwise.loop.diagnose.blamed import event_of
from prodwise.loop.diagnose.dependencies import PACKAGE, fact_in
from prodwise.model.action import ActionKind
from prodwise.model.breakage import Moved
from prodwise.model.digest import KeptEvent
from prodwise.model.errors import UsageError
from prodwise.model.gate import GateResult, Verdict
from prodwise.model.outcome import Outcome
from prodwise.model.patch import Proposal
from prodwise.model.pull import Cause, HealingPull, Proof
from prodwise.model.release import Release, ReleaseState
from prodwise.ports import Records

UNDO = "Revert the merge commit. Until that has shipped, `prodwise rollback` puts the release before it back."
_HELD: Final = (ReleaseState.VERIFIED_GOOD, ReleaseState.RETIRED)
AFTER = (
    "The release that has it is ramped and watched like any other, and goes back by itself if it is worse. Once it holds, the "
    "fault counts as over; if it does not hold, a person is told, and a draft takes it back."
)


@dataclass(frozen=True, slots=True)
class Mending:
    """release: whose code has the fault; event: how it showed; calm: users are served again without the fix;
    packages: that the diagnosis blames, likeliest first; since: the commit of the release before, "" when there was none."""

    incident: str
    service: str
    title: str
    release: Release
    event: KeptEvent
    calm: bool
    packages: tuple[Moved, ...] = ()
    since: str = ""

    @property
    def trace(self) -> str:
        """The event as JSON, as the repairers take it."""
        return json.dumps(self.event.detail)


def mending(records: Records, reporting: ReportsIn, incident: str, serving: Callable[[], str]) -> Mending:
    """Raises UsageError, saying what is missing."""
    row = records.incidents.row(incident)
    release = release_of(records, row, serving)
    hint = "give the error itself: prodwise fix --trace FILE, or a failing test: --test CMD"
    if release is None:
        raise UsageError(f"it is not known which release {incident} is about", hint)
    event = fault_of(reporting, row, release)
    if event is None:
        raise UsageError(f"no program reported an error of {release.id}, with its calls, for {incident}", hint)
    calm = row["closed_at"] is not None and row["outcome"] in (Outcome.HEALED.value, Outcome.ABANDONED.value)
    packages, since = _packages(records, incident), _since(records, release)
    return Mending(incident, str(row["service"]), str(row["title"]), release, event, calm, packages, since)


def _since(records: Records, release: Release) -> str:
    """What the newest release before it that held was made of."""
    held = (one for one in records.releases.list(100) if one.number < release.number and one.state in _HELD)
    return next((one.commit for one in held), "")


def _packages(records: Records, incident: str) -> tuple[Moved, ...]:
    facts = [fact_in(one.data) for one in records.incidents.evidence(incident) if one.kind == PACKAGE]
    return tuple(one.moved for one in sorted(facts, key=lambda one: not one.sure) if one.moved is not None)


@dataclass(frozen=True, slots=True)
class Answer:
    """What `prodwise fix --json` says. status: fixed, no_fix or refused; check: the failing test as text, "" for none."""

    status: str
    reason: str
    proposal: Proposal | None = None
    gates: tuple[GateResult, ...] = ()
    unchecked: tuple[str, ...] = ()
    check: str = ""


def answer_from(told: Mapping[str, Any]) -> Answer:
    """Raises ValueError, KeyError or TypeError for what is no such answer."""
    gates = tuple(GateResult(one["name"], Verdict(one["verdict"]), one["reason"]) for one in told["gates"])
    proposal = None
    if told["status"] == "fixed":
        proposal = Proposal(told["repairer"], ActionKind(told["kind"]), told["diff"], told["reason"])
    return Answer(
        told["status"], told["reason"], proposal, gates, tuple(told["not_checked"]), str(told.get("reproducer", ""))
    )


def pull_of(asked: Mending, answer: Answer, serving: str, at: float) -> HealingPull:
    """Raises ValueError for an answer without a fix."""
    if answer.proposal is None:
        raise ValueError("there is no fix to propose")
    return HealingPull(
        key=asked.event.group,
        base=asked.release.commit,
        proposal=answer.proposal,
        gates=answer.gates,
        broke=f"{asked.title} ({asked.incident})",
        serving=serving,
        calm=asked.calm and serving != asked.release.id,
        undo=UNDO,
        after=AFTER,
        at=at,
        cause=_cause(asked),
        proof=tuple(proof_of(answer.gates)),
        unchecked=answer.unchecked,
        check=answer.check,
    )


def _cause(asked: Mending) -> Cause | None:
    event = event_of(asked.event)
    frames = event.chain[-1].frames if event is not None and event.chain else ()
    own = [one for one in frames if one.in_app] or list(frames)
    return Cause(own[-1].file, own[-1].line, asked.release.id) if own else None


def proof_of(gates: Sequence[GateResult]) -> list[Proof]:
    """What was run before and after; the other gates are listed by themselves."""
    asked = {"reproducer": ("the failing check", "fails"), "suite": ("the tests that were there", "as told")}
    return [Proof(asked[one.gate][0], asked[one.gate][1], one.reason) for one in gates if one.gate in asked]
