"""The rungs of the ladder: each says whether it may be taken now, must be asked about, or why it is not eligible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from prodwise.loop.choose import limits, reached, schema
from prodwise.loop.choose.authority import ASK
from prodwise.loop.choose.situation import Situation
from prodwise.model.action import Action, ActionKind
from prodwise.model.diagnosis import BY_RELEASE, Cause, Hypothesis
from prodwise.model.service import SlotName
from prodwise.model.target import ServiceSeen

WIDE_SEVERITY: Final = 0.2
"""Slowness or errors that hit a smaller share of requests are in the code, not in the process's state."""

ROLLBACK_WEIGHT_MIN: Final = 0.0
"""Going back needs a release hypothesis that is likelier than not."""

_NO_RESTART = {
    Cause.RELEASE: "it most likely began with a release: a restart would hide it for a while",
    Cause.DEPENDENCY: "a package that a release changed most likely brought it: a restart would hide it for a while",
    Cause.CONFIG: "something outside the app most likely changed: after a restart it is still so",
    Cause.CRASH_LOOP: "it keeps crashing: the supervisor restarts it already, and that does not help",
    Cause.OVERLOAD: "overload is never answered by a restart: it takes capacity away",
    Cause.UPSTREAM: "a fault of something it needs is never answered by a restart",
    Cause.DISK: "a full disk is still full after a restart",
    Cause.CERTIFICATE: "what has run out stays so after a restart",
    Cause.INPUT: "the same input fails again after a restart",
    Cause.CLOCK: "a restart does not set the clock",
    Cause.NOTHING: "nothing is wrong that we can see",
    Cause.UNKNOWN: "the cause is not known",
}
_NO_ROLLBACK = {
    Cause.OVERLOAD: "overload does not come from the release",
    Cause.UPSTREAM: "what it needs is at fault, not its release",
    Cause.CONFIG: "what changed is not part of a release of ours: going back would not change it",
    Cause.DISK: "an older release finds the same full disk",
    Cause.CERTIFICATE: "what has run out does not come back with an older release",
    Cause.INPUT: "one input fails, and all others work: that is not the release",
    Cause.CLOCK: "an older release has the same clock",
    Cause.NOTHING: "nothing is wrong that we can see",
    Cause.UNKNOWN: "the cause is not known",
}
_USED_UP = (Cause.MEMORY, Cause.DESCRIPTORS)


@dataclass(frozen=True, slots=True)
class Rung:
    """A step with its verdict. No `no`: eligible; `ask`: a person must decide; wait_s: asking again then may help."""

    kind: ActionKind
    action: Action | None
    no: str = ""
    ask: str = ""
    wait_s: float = 0.0
    because: Hypothesis | None = None


def restart(situation: Situation) -> Rung:
    """Ends the process that serves, so that the supervisor starts a fresh one of the same release."""
    leading = situation.diagnosis.leading
    no = _NO_RESTART.get(leading.cause, "") or _too_narrow(situation, leading.cause) or _would_hide(situation, leading)
    at, slot = _serving(situation)
    process = at.slot(slot) if at is not None and slot is not None else None
    if no or process is None or slot is None:
        return Rung(ActionKind.RESTART, None, no or "it has no process that could be restarted")
    if process.pid <= 0:
        return Rung(ActionKind.RESTART, None, "its process is gone: the supervisor starts another", wait_s=5.0)
    target = f"{situation.service}-{process.slot}"
    footprint = reached.step(situation, ActionKind.RESTART).footprint
    params = (("pid", str(process.pid)), ("release", process.release), ("slot", process.slot))
    action = Action(ActionKind.RESTART, situation.service, (target,), params, footprint, undo="")
    return _limited(situation, action, leading, process.release)


def rollback(situation: Situation) -> Rung:
    """The earlier verified-good release serves again, in all services, since a release is one build of the whole app."""
    kind, back = ActionKind.ROLLBACK, situation.way_back
    blamed = _of_a_release(situation)
    running = situation.running_release(situation.service)
    no = _NO_ROLLBACK.get(situation.diagnosis.leading.cause, "")
    if not no and (blamed is None or blamed.weight <= ROLLBACK_WEIGHT_MIN):
        no = "nothing points at the release"
    if not no and blamed is not None and blamed.subject != running:
        no = f"the release in question, {blamed.subject}, serves no users any more"
    if not no and (back is None or back.release == running):
        no = "there is no earlier release that is known to be good"
    if not no and situation.rollout:
        no = f"the rollout of {situation.rollout} is under way and goes back by itself"
        return Rung(kind, None, no, wait_s=10.0)
    if no or back is None or blamed is None:
        return Rung(kind, None, no)
    services = tuple(sorted(one.service for one in situation.seen.services))
    params = (("from", running), ("to", back.release), ("warm", "yes" if back.warm else "no"))
    footprint = reached.step(situation, kind).footprint
    action = Action(kind, situation.service, services, params, footprint, undo=f"switch back to {running}")
    asks = []
    if situation.kept_by:
        asks.append(f"{situation.kept_by} took going back from {running} back: only a person does it again")
    if why := schema.asks(back.schema):
        asks.append(why)
    if not back.proven:
        asks.append("going back has never been tried out on this machine")
    return _limited(situation, action, blamed, running, "; ".join(asks))


LADDER = (restart, rollback)


def smallest_first(rungs: Sequence[Rung]) -> list[Rung]:
    """Steps that may be taken change places, so that the smaller one comes first; those that may not keep theirs."""
    may = iter(sorted((one.action.footprint, place) for place, one in enumerate(rungs) if one.action is not None))
    return [one if one.action is None else rungs[next(may)[1]] for one in rungs]


def asking(action: Action, reason: str) -> Action:
    """The same action, for a person to decide about."""
    return Action(
        action.kind,
        action.service,
        action.targets,
        tuple(sorted((*action.params, (ASK, reason)))),
        action.footprint,
        action.undo,
    )


def _limited(situation: Situation, action: Action, because: Hypothesis, release: str, ask: str = "") -> Rung:
    """What holds for every step: not again what did not help, cool-down, third time, budget."""
    kind, now = action.kind, situation.now
    failed = [one for one in limits.failed_in(situation.past, situation.incident) if one.kind is kind]
    if failed:
        return Rung(kind, None, f"did not help at {limits.clock(failed[-1].at)}")
    cause = situation.diagnosis.leading.cause
    resting = limits.cooldown(situation.past, kind, situation.service, cause, release, now)
    if resting is not None:
        return Rung(kind, None, resting.reason, wait_s=resting.at - now)
    third = limits.third_time(situation.past, kind, situation.service, cause, now)
    spent = limits.budget(situation.past, situation.service, now)
    asks = [one for one in (ask, third, spent.reason if spent is not None else "") if one]
    return Rung(kind, action, ask="; ".join(asks), because=because)


def _too_narrow(situation: Situation, cause: Cause) -> str:
    if cause not in (Cause.ERRORS, Cause.SLOW, *_USED_UP):
        return ""
    worst = max((one.severity for one in situation.symptoms if one.ours and not one.route), default=0.0)
    if worst >= WIDE_SEVERITY:
        return ""
    return "only part of its requests is hit: that is in its code or data, which a restart does not change"


def _would_hide(situation: Situation, leading: Hypothesis) -> str:
    """What programs say alone is no reason to act; and what a release uses up it uses up again."""
    if leading.hearsay:
        return "only programs say so: nothing that Prodwise sees itself agrees"
    blamed = _of_a_release(situation)
    if leading.cause in _USED_UP and blamed is not None and blamed.weight > ROLLBACK_WEIGHT_MIN:
        return "a release that is likelier than not began it: a restart would hide it for a while"
    return ""


def _of_a_release(situation: Situation) -> Hypothesis | None:
    """What blames a release most: all that it brought, or one package of it."""
    return next((one for one in situation.diagnosis.hypotheses if one.cause in BY_RELEASE), None)


def _serving(situation: Situation) -> tuple[ServiceSeen | None, SlotName | None]:
    """The service and the slot that users reach."""
    at = situation.seen.service(situation.service)
    slot = at.active if at is not None else None
    if at is not None and slot is not None and at.switch is not None and at.switch.share >= 1.0:
        slot = slot.other
    return at, slot
