"""The pure turn of an incident's story: seen, understood, chosen, checked, applying, watching, closed.

Every phase has a deadline, so that each story ends, with exactly one outcome. Nothing here knows how a command is carried out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from prodwise.loop.choose.authority import ASK, Authority
from prodwise.loop.choose.choose import AlreadyDone
from prodwise.loop.choose.limits import FAILED_REMEDIES_MAX
from prodwise.loop.choose.situation import PastResult
from prodwise.loop.story import (
    Applied,
    Apply,
    Ask,
    Check,
    Close,
    Command,
    Decide,
    Diagnose,
    Escalate,
    IncidentTurn,
    Observations,
    Remedied,
    Remedy,
    Undo,
    Wait,
    Watch,
    settled,
)
from prodwise.model.gate import Verdict, worst
from prodwise.model.incident import IncidentState
from prodwise.model.outcome import Outcome
from prodwise.model.plan import Plan, Refusal

DIAGNOSE_S: Final = 30.0
DECIDE_S: Final = 30.0
UNDECIDED_S: Final = 120.0  # how long a refusal that may pass is waited out before a person is told
APPROVAL_MAX_S: Final = 86_400.0  # no question stands longer; the configuration says how long one does
CHECK_S: Final = 30.0
APPLY_S: Final = 300.0
UNDO_S: Final = 300.0
HOLD_S: Final = 120.0  # a watch without good evidence for this long has failed: hold runs out
GONE_S: Final = 10.0  # a symptom is gone when it stayed away this long
GAP_S: Final = 30.0  # longer without a look: good evidence is not continuous, and no deadline runs meanwhile
STALE_MAX: Final = 5
WATCHES: Final = 3.0  # a watch that is not passed within this many times its length has failed
POLL_S: Final = 1.0
SUGGEST: Final = "at stage suggest Prodwise asks before it acts"

Step = tuple[IncidentTurn, Command]


def begin(incident: str, now: float, watch_s: float) -> IncidentTurn:
    return IncidentTurn(
        incident, IncidentState.SEEN, wall=now, watch_s=watch_s, entered=((IncidentState.SEEN.value, 0.0),)
    )


def deadline_s(watch_s: float) -> float:
    """No story lasts longer, in seconds on its clock: two failed remedies, each asked about, applied, watched and undone."""
    waits = DIAGNOSE_S + DECIDE_S + UNDECIDED_S + CHECK_S
    return 3 * (APPROVAL_MAX_S + APPLY_S + UNDO_S + HOLD_S + WATCHES * watch_s) + (STALE_MAX + 3) * waits


def step(turn: IncidentTurn, seen: Observations, now: float) -> Step:
    """One turn.

    1. A closed story stays closed. The story's clock goes on with the wall clock, never back, at most 30 s a turn.
    2. A person's undo comes first; then the deadline of the whole story.
    3. While a person has it, what was begun is brought to its end, and nothing else is; then remedies that others carried out.
    4. The phase decides: it waits with a reason, commands one thing, or moves on.
    """
    if turn.outcome is not None:
        return turn, _closing(turn)
    turn = _tick(turn, seen, now)
    if seen.undone_by:
        return _close(turn, Outcome.UNDONE, f"taken back by {seen.undone_by}")
    if turn.clock >= deadline_s(turn.watch_s):
        return _escalate(turn, "it took too long")
    if seen.round != turn.round:
        seen = Observations(health=seen.health, symptom_gone=seen.symptom_gone, remedied=seen.remedied,
                            taken_over=seen.taken_over)  # fmt: skip
    if seen.taken_over and turn.phase is not IncidentState.APPLYING and not turn.undoing:
        return _held(turn, seen)
    if seen.remedied is not None and turn.phase in _BEFORE_APPLYING:
        return _record(turn, seen.remedied)
    return _PHASES[turn.phase](turn, seen)


def _tick(turn: IncidentTurn, seen: Observations, now: float) -> IncidentTurn:
    passed_s = max(0.0, now - turn.wall)
    clock = turn.clock + min(passed_s, GAP_S)
    gone = (turn.gone_since if turn.gone_since is not None else clock) if seen.symptom_gone else None
    good = turn.good_since if passed_s <= GAP_S else None
    return replace(turn, wall=now, clock=clock, gone_since=gone, good_since=good)


def _held(turn: IncidentTurn, seen: Observations) -> Step:
    """A person has it: a remedy that was applied is watched on, the rest waits. Handed back, the phase begins anew."""
    why = f"{seen.taken_over} took over"
    if turn.phase is IncidentState.WATCHING:
        if seen.health.verdict is Verdict.PASS:
            return _watching(turn, seen)
        return replace(turn, since=turn.clock, good_since=None, bad_since=None), Wait(POLL_S, why)
    if turn.gone_since is not None and turn.clock - turn.gone_since >= GONE_S:
        return _close(turn, Outcome.ESCALATED, f"{why}, and it is well again")
    waiting = turn if turn.phase is IncidentState.SEEN else _again(turn)
    return replace(waiting, since=turn.clock, undecided_since=None), Wait(POLL_S, why)


def _seen(turn: IncidentTurn, seen: Observations) -> Step:
    if seen.diagnosed:
        return _enter(turn, IncidentState.UNDERSTOOD), Decide(turn.round)
    if _spent(turn) >= DIAGNOSE_S:
        return _escalate(turn, "the cause was not found in time")
    return turn, Diagnose(turn.round)


def _understood(turn: IncidentTurn, seen: Observations) -> Step:
    undecided = turn.undecided_since if turn.undecided_since is not None else turn.clock
    turn = replace(turn, undecided_since=undecided)
    match seen.decision:
        case None if _spent(turn) >= DECIDE_S:
            return _escalate(turn, "what to do was not decided in time")
        case None:
            return turn, Decide(turn.round)
        case AlreadyDone() as done:
            return _record(turn, Remedied(done.kind, "supervisor", done.reason))
        case Refusal() as refusal:
            return _refused(turn, refusal)
        case plan:
            return _planned(replace(turn, plan=plan), plan, seen)


def _refused(turn: IncidentTurn, refusal: Refusal) -> Step:
    """Waits for what may pass, and for a symptom that seems gone to stay away; else a person is told."""
    if turn.gone_since is not None:
        return _maybe_gone(turn)
    waited_s = turn.clock - (turn.undecided_since or 0.0)
    if refusal.wait_s > 0 and waited_s + refusal.wait_s <= UNDECIDED_S:
        return _again(turn), Wait(max(POLL_S, min(refusal.wait_s, 10.0)), refusal.reasons[0])
    return _escalate(turn, refusal.reasons[0], "; ".join(refusal.reasons))


def _planned(turn: IncidentTurn, plan: Plan, seen: Observations) -> Step:
    if seen.authority is Authority.ACT:
        return _enter(turn, IncidentState.CHECKED), Check(plan)
    if seen.authority is Authority.ASK:
        return _enter(turn, IncidentState.CHOSEN), Ask(plan, plan.action.param(ASK) or SUGGEST)
    if turn.gone_since is not None:
        return _maybe_gone(turn)
    asked = plan.action.param(ASK)
    text = f"I would {plan.action.words}: {plan.why}. At stage observe I only watch, so a person does it."
    text += f" First think of this: {asked}." if asked else ""
    return _escalate(turn, "at stage observe Prodwise only watches", text)


def _chosen(turn: IncidentTurn, seen: Observations) -> Step:
    plan = _plan(turn)
    if seen.approved is True:
        return _enter(turn, IncidentState.CHECKED), Check(plan)
    if seen.approved is False:
        return _escalate(turn, "a person said no")
    if seen.unanswered or _spent(turn) >= APPROVAL_MAX_S:
        return _escalate(turn, "nobody answered in time")
    if turn.gone_since is not None and turn.clock - turn.gone_since >= GONE_S:
        return _maybe_gone(turn)
    if not seen.asked:
        return turn, Ask(plan, plan.action.param(ASK) or SUGGEST)
    return turn, Wait(POLL_S, "waiting for a person's answer")


def _checked(turn: IncidentTurn, seen: Observations) -> Step:
    plan, verdict = _plan(turn), worst(seen.gates)
    if verdict is Verdict.PASS:
        applying = replace(_enter(turn, IncidentState.APPLYING), undecided_since=None)
        return replace(applying, remedies=(*turn.remedies, Remedy(plan.action.kind, "prodwise", turn.clock))), Apply(
            plan, turn.round
        )
    reasons = "; ".join(one.reason for one in seen.gates if one.verdict is not Verdict.PASS)
    if verdict is Verdict.FAIL or _spent(turn) >= CHECK_S:
        if turn.stale + 1 >= STALE_MAX:
            return _escalate(turn, "the step could not be begun", reasons or "the checks before it gave no answer")
        return replace(_again(turn), stale=turn.stale + 1), Wait(
            POLL_S, reasons or "the checks before it gave no answer"
        )
    return turn, Check(plan)


def _applying(turn: IncidentTurn, seen: Observations) -> Step:
    if seen.applied is Applied.DONE:
        return _watch(turn)
    if seen.applied is Applied.FAILED:
        return _not_better(turn, f"it could not be carried out: {seen.failure}")
    if _spent(turn) >= APPLY_S:
        return _escalate(turn, "whether the step took effect is not known")
    if seen.applied is Applied.NOT_YET:
        return turn, Apply(_plan(turn), turn.round)
    return turn, Wait(POLL_S, "applying")


def _watching(turn: IncidentTurn, seen: Observations) -> Step:
    if turn.undoing:
        return _undoing(turn, seen)
    verdict, reason = seen.health.verdict, seen.health.reason
    if verdict is Verdict.FAIL:
        return _not_better(turn, reason)
    if verdict is Verdict.HOLD:
        bad = turn.bad_since if turn.bad_since is not None else turn.clock
        if turn.clock - bad >= HOLD_S or _spent(turn) >= WATCHES * turn.watch_s + HOLD_S:
            return _not_better(turn, f"no good evidence in time: {reason}")
        return replace(turn, good_since=None, bad_since=bad), Watch(turn.watch_s, reason)
    good = turn.good_since if turn.good_since is not None else turn.clock
    turn = replace(turn, good_since=good, bad_since=None)
    left_s = turn.watch_s - (turn.clock - good)
    if left_s <= 0:
        return _close(
            settled(turn, PastResult.HELPED), Outcome.HEALED, f"{_by(turn)}; well for {turn.watch_s:.0f} s since"
        )
    if _spent(turn) >= WATCHES * turn.watch_s + HOLD_S:
        return _not_better(turn, "it was never well for long enough")
    return turn, Watch(left_s, reason)


def _undoing(turn: IncidentTurn, seen: Observations) -> Step:
    if seen.undone:
        return _next(settled(replace(turn, undoing=False), PastResult.UNDONE))
    if seen.undo_failure or _spent(turn) >= UNDO_S:
        text = "the step did not help, and could not be undone"
        return _escalate(settled(turn, PastResult.FAILED), text, f"{text}: {seen.undo_failure or 'no end in time'}")
    return turn, Undo(_plan(turn).action, turn.round)


def _not_better(turn: IncidentTurn, reason: str) -> Step:
    """The remedy did not help: it is taken back if it can be; then the next one, or a person."""
    turn = replace(turn, remedies=(*turn.remedies[:-1], replace(turn.remedies[-1], reason=reason)))
    if turn.plan is not None and turn.plan.action.undo:
        undoing = replace(_enter(turn, IncidentState.WATCHING), undoing=True)
        return undoing, Undo(turn.plan.action, turn.round)
    return _next(settled(turn, PastResult.FAILED))


def _next(turn: IncidentTurn) -> Step:
    if turn.failed >= FAILED_REMEDIES_MAX:
        told = "; ".join(f"{one.kind.value}: {one.reason}" for one in turn.remedies)
        return _escalate(turn, f"{turn.failed} steps did not help", told)
    again = replace(_again(turn), undecided_since=None)
    return again, Diagnose(again.round)


def _record(turn: IncidentTurn, done: Remedied) -> Step:
    """A remedy that others carried out is watched like one of ours; there is no plan of ours to undo."""
    remedy = Remedy(done.kind, done.by, turn.clock, reason=done.reason)
    return _watch(replace(turn, plan=None, undecided_since=None, remedies=(*turn.remedies, remedy)))


def _watch(turn: IncidentTurn) -> Step:
    watching = replace(_enter(turn, IncidentState.WATCHING), good_since=None, bad_since=None)
    return watching, Watch(turn.watch_s, "watching")


def _maybe_gone(turn: IncidentTurn) -> Step:
    """Went away without a remedy of this story that helped."""
    left_s = GONE_S - (turn.clock - (turn.gone_since if turn.gone_since is not None else turn.clock))
    if left_s <= 0:
        return _close(turn, Outcome.ABANDONED, "went away by itself")
    return turn, Wait(min(POLL_S, left_s), "it seems to be over: making sure")


def _again(turn: IncidentTurn) -> IncidentTurn:
    """A new round: facts have changed, so diagnosis and choice are made afresh."""
    return replace(_enter(turn, IncidentState.SEEN), round=turn.round + 1, plan=None)


def _enter(turn: IncidentTurn, phase: IncidentState) -> IncidentTurn:
    order = list(IncidentState)
    before = (one for one in turn.entered if order.index(IncidentState(one[0])) < order.index(phase))
    return replace(turn, phase=phase, since=turn.clock, entered=(*before, (phase.value, turn.clock)))


def _spent(turn: IncidentTurn) -> float:
    return turn.clock - turn.since


def _plan(turn: IncidentTurn) -> Plan:
    if turn.plan is None:
        raise ValueError(f"{turn.incident} is {turn.phase.value} without a plan")
    return turn.plan


def _by(turn: IncidentTurn) -> str:
    last = turn.remedies[-1]
    return f"{last.kind.value} by {last.by}"


def _close(turn: IncidentTurn, outcome: Outcome, why: str) -> Step:
    return replace(_enter(turn, IncidentState.CLOSED), outcome=outcome, reason=why), Close(outcome, why)


def _escalate(turn: IncidentTurn, reason: str, text: str = "") -> Step:
    closed = replace(_enter(turn, IncidentState.CLOSED), outcome=Outcome.ESCALATED, reason=reason, text=text or reason)
    return closed, Escalate(reason, text or reason)


def _closing(turn: IncidentTurn) -> Command:
    """What a closed story answers, however often it is asked."""
    if turn.outcome is None or turn.text:
        return Escalate(turn.reason, turn.text)
    return Close(turn.outcome, turn.reason)


_BEFORE_APPLYING = (IncidentState.SEEN, IncidentState.UNDERSTOOD, IncidentState.CHOSEN, IncidentState.CHECKED)

_PHASES: dict[IncidentState, Callable[[IncidentTurn, Observations], Step]] = {
    IncidentState.SEEN: _seen,
    IncidentState.UNDERSTOOD: _understood,
    IncidentState.CHOSEN: _chosen,
    IncidentState.CHECKED: _checked,
    IncidentState.APPLYING: _applying,
    IncidentState.WATCHING: _watching,
}
