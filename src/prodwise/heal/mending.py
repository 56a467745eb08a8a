"""A lasting fix, of an incident or for a release that no user met: what is asked of the repairers, and what their answer says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from prodwise.heal import unmet
from prodwise.heal.parts import ReportsIn
from prodwise.heal.reported import fault_before_users, fault_of, release_of
from prodwise.loop.diagnose.blamed import event_of
from prodwise.loop.diagnose.dependencies import PACKAGE, fact_in
from prodwise.loop.watch.unmet import key
from prodwise.model.action import ActionKind
from prodwise.model.breakage import Moved
from prodwise.model.digest import KeptEvent
from prodwise.model.errors import UsageError
from prodwise.model.gate import GateResult, Verdict
from prodwise.model.outcome import Outcome
from prodwise.model.patch import Proposal
from prodwise.model.pull import Cause, HealingPull, Proof
from prodwise.model.release import Release, ReleaseState
from prodwise.model.unmet import Unmet
from prodwise.ports import Records

UNDO: Final = "Revert the merge commit. Until that has shipped, `prodwise rollback` puts the release before it back."
_HELD: Final = (ReleaseState.VERIFIED_GOOD, ReleaseState.RETIRED)
AFTER: Final = (
    "The release that has it is ramped and watched like any other, and goes back by itself if it is worse. Once it holds, the "
    "fault counts as over; if it does not hold, a person is told, and a draft takes it back."
)


@dataclass(frozen=True, slots=True)
class Mending:
    """incident: or the release that no user met, by its id; release: whose code has the fault; event: how it showed, None where
    nothing was reported; calm: users are served without the fix; packages: that the diagnosis blames, likeliest first; since: the
    commit of the release before, "" when there was none; unmet: why it was refused, where it was before any user met it. Either
    that or an event is there."""

    incident: str
    service: str
    title: str
    release: Release
    event: KeptEvent | None
    calm: bool
    packages: tuple[Moved, ...] = ()
    since: str = ""
    unmet: Unmet | None = None

    @property
    def trace(self) -> str:
        """The event as JSON, as the repairers take it; "" without one."""
        return json.dumps(self.event.detail) if self.event is not None else ""

    @property
    def key(self) -> str:
        """Of the fault, the same each time that it shows."""
        if self.unmet is not None:
            return key(self.unmet)
        return self.event.group if self.event is not None else ""

    @property
    def subject(self) -> str:
        """For people."""
        return f"release {self.incident}" if self.unmet is not None else self.incident


def mending(records: Records, reporting: ReportsIn | None, incident: str, serving: Callable[[], str]) -> Mending:
    """incident: or a release that no user met. Raises UsageError, saying what is missing."""
    refused = unmet.found(records, incident)
    if refused is not None:
        return _of_release(records, reporting, refused, serving)
    if reporting is None:
        raise UsageError(
            "no program can report here: signals.receivers is 0", "a failing test says it, too: --test CMD"
        )
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


def _of_release(records: Records, reporting: ReportsIn | None, refused: Unmet, serving: Callable[[], str]) -> Mending:
    release = records.releases.load(refused.release)
    event = fault_before_users(reporting, refused.service, release) if reporting is not None else None
    blamed, since = unmet.packages(records, release.id), _since(records, release)
    calm = serving() != release.id
    return Mending(release.id, refused.service, refused.title, release, event, calm, blamed, since, refused)


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
        key=asked.key,
        base=asked.release.commit,
        proposal=answer.proposal,
        gates=answer.gates,
        broke=asked.title if asked.unmet is not None else f"{asked.title} ({asked.incident})",
        serving=serving,
        calm=asked.calm and serving != asked.release.id,
        undo=UNDO,
        after=AFTER,
        at=at,
        cause=_cause(asked),
        proof=tuple(proof_of(answer.gates)),
        unchecked=answer.unchecked,
        check=answer.check,
        met=asked.unmet is None,
    )


def _cause(asked: Mending) -> Cause | None:
    event = event_of(asked.event) if asked.event is not None else None
    frames = event.chain[-1].frames if event is not None and event.chain else ()
    own = [one for one in frames if one.in_app] or list(frames)
    return Cause(own[-1].file, own[-1].line, asked.release.id) if own else None


def proof_of(gates: Sequence[GateResult]) -> list[Proof]:
    """What was run before and after; the other gates are listed by themselves."""
    asked = {"reproducer": ("the failing check", "fails"), "suite": ("the tests that were there", "as told")}
    return [Proof(asked[one.gate][0], asked[one.gate][1], one.reason) for one in gates if one.gate in asked]
