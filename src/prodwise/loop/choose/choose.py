"""The smallest step that is allowed and may help, with the reason of each smaller one; or why a person is needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from prodwise.loop.choose import advice, limits, trust
from prodwise.loop.choose.revision import revision
from prodwise.loop.choose.situation import Situation
from prodwise.loop.choose.steps import LADDER, Rung, asking, smallest_first
from prodwise.model.action import ActionKind
from prodwise.model.diagnosis import Cause
from prodwise.model.plan import Plan, Refusal, Skipped

POLICY: Final = "ladder-4"
"""Changes with every change of these rules, so that a decision can be replayed with the rules that made it."""

GATES: Final = ("not stopped", "not frozen", "inventory", "revision", "undo", "budget")


RESPAWN_S: Final = 3.0
"""So long a dead process is left to the supervisor, which has it back in about a tenth of a second when all is well."""


UNDERSTAND_S: Final = 10.0
LOOK_AGAIN_S: Final = 1.0
"""So long, so often, what is not understood yet is looked at again before a person is called: facts still come in, and what
hits the whole service shows on one of its routes first."""
EARLY: Final = (Cause.UNKNOWN, Cause.NOTHING, Cause.SLOW, Cause.ERRORS)
DIED: Final = (Cause.CRASH, Cause.MEMORY)
"""What a dead process is put down to that the supervisor replaces by itself."""


@dataclass(frozen=True, slots=True)
class AlreadyDone:
    """The smallest step was taken before we came, by the supervisor: record it and watch. at: Unix seconds.

    times: how often that was the answer in the last day, this time included; from three on it needs a real fix.
    """

    kind: ActionKind
    reason: str
    at: float
    times: int = 1


Choice = Plan | Refusal | AlreadyDone


def choose(situation: Situation) -> Choice:
    """One decision.

    1. Holds: stop, freeze, a diagnosis that a person called wrong, stale inputs, mass failure, flapping, an action in flight,
       too many failures, not ours to heal.
    2. What the supervisor has done already, or is just doing, is not done again.
    3. What rests on the word of others alone is drafted and told, and never done.
    4. The ladder, smallest footprint first: the first eligible step; else the first that a person may allow; else a person.
    """
    held = _held(situation)
    if held is not None:
        return held
    done = _already_done(situation)
    if done is not None:
        return done
    coming = _coming_up(situation)
    if coming is not None:
        return coming
    rungs = smallest_first([rung(situation) for rung in LADDER])
    if why := trust.hearsay(situation.symptoms):
        return _draft(situation, rungs, why)
    skipped: list[Skipped] = []
    for rung in rungs:
        if rung.action is not None and not rung.ask:
            return _plan(situation, rung, tuple(skipped))
        skipped.append(Skipped(rung.kind.value, rung.ask or rung.no))
    for place, rung in enumerate(rungs):
        if rung.action is not None:
            return _plan(situation, rung, tuple(skipped[:place]))
    return _hand_over(situation, rungs, tuple(skipped))


def _held(situation: Situation) -> Refusal | None:
    """Why nothing may be done at all just now, if so."""
    if not situation.service:
        return Refusal(("it is about the app as a whole: there is nothing that could be acted on",))
    service = situation.find(situation.service)
    if service is None or situation.seen.service(situation.service) is None:
        return Refusal((f"there is no service {situation.service!r} in prodwise.toml",))
    if service.upstream:
        return Refusal((f"{service.id} stands for something outside our control: it is never acted on",))
    if situation.seen.stopped:
        return Refusal(("stopped by a person",))
    if situation.frozen:
        return Refusal((f"frozen: {situation.frozen}",))
    if situation.doubted:
        return Refusal((f"the diagnosis was called wrong: {situation.doubted}",))
    if not situation.fresh:
        return Refusal(("what Prodwise sees of the app may be old: nothing is done on that",), wait_s=5.0)
    if why := limits.brake(situation.health):
        return Refusal((why,))
    if situation.flaps >= limits.FLAPS_MAX:
        return Refusal((f"it goes up and down: {situation.flaps} changes in 10 minutes",))
    busy = limits.in_flight(situation.past, situation.service, situation.inventory)
    if busy is not None:
        return Refusal(
            (f"a {busy.kind.value} of {busy.service or 'the app'} is under way: one step at a time",), wait_s=5.0
        )
    return _people_only(situation)


def _people_only(situation: Situation) -> Refusal | None:
    failed = limits.failed_in(situation.past, situation.incident)
    if len(failed) < limits.FAILED_REMEDIES_MAX:
        return None
    ordered = sorted(failed, key=lambda one: (one.at, one.kind.value))
    told = tuple(Skipped(one.kind.value, f"did not help at {limits.clock(one.at)}") for one in ordered)
    return Refusal((f"{len(failed)} steps did not help: from here on only a person acts",), told)


def _already_done(situation: Situation) -> AlreadyDone | None:
    """A process that died and was replaced, and whose service answers again; nobody knows better than its probe."""
    at = situation.respawned_at
    leading = situation.diagnosis.leading
    if leading.cause not in DIED or at is None or situation.serving is not True:
        return None
    if leading.cause is Cause.MEMORY and not any(one.kind == "crash" for one in situation.symptoms):
        return None  # it lives, and uses too much
    if any(one.kind is ActionKind.RESTART for one in limits.failed_in(situation.past, situation.incident)):
        return None
    earlier = [
        one
        for one in situation.past
        if one.actor == "supervisor"
        and one.service == situation.service
        and one.incident != situation.incident
        and one.kind is ActionKind.RESTART
        and situation.now - one.at < limits.THIRD_TIME_WINDOW_S
    ]
    reason = f"the supervisor restarted it at {limits.clock(at)}, and it answers again"
    if leading.cause is Cause.MEMORY:
        reason += f": {advice.why(leading)}"
    return AlreadyDone(ActionKind.RESTART, reason, at, len(earlier) + 1)


def _coming_up(situation: Situation) -> Refusal | None:
    """A process that just died is the supervisor's for a moment, and what it started may still be booting."""
    replaced = situation.respawned_at is not None  # else an answer that says it serves is older than its death
    if situation.diagnosis.leading.cause not in DIED or (situation.serving is True and replaced):
        return None
    if all(one.kind != "crash" for one in situation.symptoms) and situation.diagnosis.leading.cause is Cause.MEMORY:
        return None
    service = situation.find(situation.service)
    boot_s = service.start_s if service is not None else 0.0
    if any(
        one.kind in ("hang", "probe") and one.seen_at > (situation.respawned_at or 0.0) for one in situation.symptoms
    ):
        return None  # it came up, and then stopped answering
    if situation.respawned_at is not None:
        waited_s, limit_s = situation.now - situation.respawned_at, boot_s
    else:
        ended = max((one.seen_at for one in situation.symptoms if one.kind == "crash"), default=0.0)
        waited_s, limit_s = situation.now - ended, RESPAWN_S
    if waited_s >= limit_s:  # below 0: it was started again while we looked
        return None
    return Refusal((f"the supervisor is starting {situation.service} again",), wait_s=0.5)


def _plan(situation: Situation, rung: Rung, skipped: tuple[Skipped, ...]) -> Plan:
    because = rung.because or situation.diagnosis.leading
    if rung.action is None:
        raise ValueError("a plan needs an action")
    action = asking(rung.action, rung.ask) if rung.ask else rung.action
    return Plan(
        action=action,
        gates=GATES,
        revision=revision(action.kind, situation.service, situation.seen),
        evidence=because.supports,
        skipped=skipped,
        policy=POLICY,
        why=advice.why(because),
        watch_s=situation.watch_s,
    )


def _draft(situation: Situation, rungs: list[Rung], why: str) -> Refusal:
    """What a person may do if they know more than we: the smallest step that would fit, or why none does."""
    fits = next((rung for rung in rungs if rung.action is not None), None)
    leading = situation.diagnosis.leading.text
    drafted = f"a person may {fits.kind.value} {situation.service}: {leading}" if fits else f"no step fits: {leading}"
    skipped = tuple(Skipped(rung.kind.value, rung.no or rung.ask or why) for rung in rungs)
    waits = LOOK_AGAIN_S if trust.left_to_agree_s(situation.symptoms, situation.now) > 0 else 0.0
    return Refusal((why, drafted), skipped, waits)


def _hand_over(situation: Situation, rungs: list[Rung], skipped: tuple[Skipped, ...]) -> Refusal:
    waits = [rung.wait_s for rung in rungs if rung.wait_s > 0]
    onset = min((one.onset_at for one in situation.symptoms), default=0.0)
    if situation.diagnosis.leading.cause in EARLY and situation.now - onset < UNDERSTAND_S:
        waits.append(LOOK_AGAIN_S)
    reason = f"no step of ours fits: {situation.diagnosis.leading.text}"
    todo = advice.nearest(situation)
    told = (f"{one.action}: {one.reason}" for one in skipped)
    return Refusal((reason, *([f"what to do: {todo}"] if todo else ()), *told), skipped, min(waits, default=0.0))
