"""Asked right before a plan is applied: is the world still the one that it was made for, and is it still allowed?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from prodwise.loop.choose import limits
from prodwise.loop.choose.authority import ASK, Authority, authority
from prodwise.loop.choose.revision import revision
from prodwise.loop.choose.situation import Past
from prodwise.model.action import ActionKind
from prodwise.model.autonomy import Autonomy
from prodwise.model.gate import GateResult, Verdict
from prodwise.model.plan import Plan
from prodwise.model.service import Service, SlotName
from prodwise.model.target import TargetSeen

SEEN_MAX_S: Final = 10.0
"""A look older than this says nothing about now."""

_NEUTRAL = frozenset({ActionKind.RESTART})


@dataclass(frozen=True, slots=True)
class Before:
    """What the gates ask about. undo_proven: going back and forth was exercised on this target; approved: a person said yes."""

    seen: TargetSeen
    inventory: tuple[Service, ...]
    past: tuple[Past, ...]
    undo_proven: bool
    frozen: str = ""
    approved: bool = False
    stage: Autonomy = Autonomy.AUTO  # what is allowed now: it may have been lowered since the choice


def gates_before(plan: Plan, before: Before, now: float) -> tuple[GateResult, ...]:
    """One result per gate; anything but PASS means: do not apply. An old look is HOLD, a stale plan FAIL."""
    return (
        _fresh(before, now),
        _gate("not stopped", not before.seen.stopped, "nobody said stop", "stopped by a person"),
        _gate("not frozen", not before.frozen, "not frozen", f"frozen: {before.frozen}"),
        _inventory(plan, before),
        _revision(plan, before),
        _undo(plan, before),
        _approval(plan, before),
        _budget(plan, before, now),
        _in_flight(plan, before),
    )


def _gate(name: str, passed: bool, good: str, bad: str) -> GateResult:
    return GateResult(name, Verdict.PASS if passed else Verdict.FAIL, good if passed else bad)


def _fresh(before: Before, now: float) -> GateResult:
    age = now - before.seen.at
    if abs(age) <= SEEN_MAX_S:
        return GateResult("fresh look", Verdict.PASS, "the app was just looked at")
    return GateResult("fresh look", Verdict.HOLD, f"the last look at the app is {age:.0f} s old")


def _inventory(plan: Plan, before: Before) -> GateResult:
    """Every target id is one that the inventory knows, and there is at least one; restarts name exactly one slot."""
    services = {one.id for one in before.inventory}
    slots = {f"{service}-{slot.value}" for service in services for slot in SlotName}
    restart = plan.action.kind is ActionKind.RESTART
    unknown = sorted(set(plan.action.targets) - (slots if restart else services))
    if not plan.action.targets or unknown or plan.action.service not in services:
        return GateResult(
            "inventory", Verdict.FAIL, f"not in the inventory: {', '.join(unknown) or 'no target at all'}"
        )
    if len(set(plan.action.targets)) > (1 if restart else len(services)):
        return GateResult("inventory", Verdict.FAIL, f"more targets than expected: {len(plan.action.targets)}")
    return GateResult("inventory", Verdict.PASS, f"{len(plan.action.targets)} target(s), all in the inventory")


def _revision(plan: Plan, before: Before) -> GateResult:
    same = revision(plan.action.kind, plan.action.service, before.seen) == plan.revision
    return _gate(
        "revision", same, "the app is as it was when this was planned", "the app has changed since: plan again"
    )


def _undo(plan: Plan, before: Before) -> GateResult:
    if plan.action.kind in _NEUTRAL:
        return GateResult("undo", Verdict.PASS, "a restart changes no state: there is nothing to undo")
    if not plan.action.undo:
        return GateResult("undo", Verdict.FAIL, "it cannot be undone")
    if before.undo_proven or before.approved:
        return GateResult(
            "undo",
            Verdict.PASS,
            "going back was tried out here" if before.undo_proven else "a person allowed it",
        )
    return GateResult("undo", Verdict.FAIL, "going back has never been tried out on this machine")


def _approval(plan: Plan, before: Before) -> GateResult:
    """A yes that was used up for this plan lets it pass at any stage that asks; observe lets nothing pass."""
    allowed = authority(plan, before.stage)
    if allowed is Authority.OBSERVE:
        return GateResult("approval", Verdict.FAIL, f"the stage is {before.stage.value}: a person does it")
    needed = plan.action.param(ASK) or f"the stage is {before.stage.value}"
    passed = before.approved or allowed is Authority.ACT
    return _gate("approval", passed, "allowed", f"needs a person's yes: {needed}")


def _budget(plan: Plan, before: Before, now: float) -> GateResult:
    spent = limits.budget(before.past, plan.action.service, now)
    if spent is None or before.approved:
        return GateResult("budget", Verdict.PASS, "within budget" if spent is None else "a person allowed it")
    return GateResult("budget", Verdict.FAIL, spent.reason)


def _in_flight(plan: Plan, before: Before) -> GateResult:
    """At most one action in flight per neighbourhood; the plan's own has not begun yet."""
    busy = limits.in_flight(before.past, plan.action.service, before.inventory)
    return _gate("in flight", busy is None, "nothing else is under way near it", "another step is under way near it")
