"""What Prodwise does about one incident: the stepper with its times, the next step and when, and the two lines of why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from prodwise.loop import incident as limits
from prodwise.model.incident import Incident, IncidentState
from prodwise.model.record import Approval
from prodwise.server.views.facts import Case, Posture
from prodwise.server.views.report import onset
from prodwise.server.views.words import actor_name, duration, left, mapping, number, plan_words, sequence, visible

STEPS = (
    IncidentState.SEEN,
    IncidentState.UNDERSTOOD,
    IncidentState.CHOSEN,
    IncidentState.CHECKED,
    IncidentState.APPLYING,
    IncidentState.WATCHING,
)
NEXT: Mapping[IncidentState, tuple[str, float]] = {
    IncidentState.SEEN: ("find out what it is", limits.DIAGNOSE_S),
    IncidentState.UNDERSTOOD: ("choose the smallest step that may help", limits.DECIDE_S),
    IncidentState.CHECKED: ("do it, once its checks pass", limits.CHECK_S),
    IncidentState.APPLYING: ("watch whether it helped", limits.APPLY_S),
}
"""What comes after a phase, and how many seconds the phase has at most before a person is called."""
VERBS = ("runs ", "does ", "answers ")
"""How symptoms begin that go on from their service's name."""


@dataclass(frozen=True, slots=True)
class Step:
    """state: done, now or todo. note: how long it took, or has taken so far and still has."""

    name: str
    state: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """next: the next step and when; waits: what the present one waits for; taken_over: the person who has the incident."""

    incident: str
    title: str
    steps: tuple[Step, ...]
    began: float
    elapsed: str
    action: str
    next: str
    waits: str
    smaller: str
    bigger: str
    taken_over: str


def title_of(incident: Incident) -> str:
    """With the service's name where the text goes on from it."""
    text = incident.title or (incident.symptoms[0].text if incident.symptoms else "")
    service = incident.service
    if not text:
        return visible(f"{service or 'the app'} has a problem", 200)
    if service and text.startswith(VERBS):
        return visible(f"{service} {text}", 200)
    return visible(f"{service}: {text}" if service and text.startswith("the process ") else text, 200)


def whole(seconds: float) -> str:
    """A time that still runs, in whole seconds: tenths would flicker."""
    return duration(float(int(max(0.0, seconds))))


def story(case: Case, posture: Posture, asked: Sequence[Approval], now: float) -> Story:
    """asked: the open questions, of which those of this incident count."""
    began = onset(case.incident)
    return Story(
        incident=case.incident.id,
        title=title_of(case.incident),
        steps=steps_of(case, now),
        began=began,
        elapsed=whole(now - began),
        action=action_line(case, posture),
        next=next_step(case, posture, asked, now),
        waits=visible(case.turn.get("note") or "", 200),
        smaller=why_not_smaller(case),
        bigger=why_not_bigger(case),
        taken_over=visible(actor_name(case.taken_over), 60) if case.taken_over else "",
    )


def steps_of(case: Case, now: float) -> tuple[Step, ...]:
    """The stepper. A step that was not needed has no time; of a closed incident those are done that it came to."""
    state = case.incident.state
    at = STEPS.index(state) if state in STEPS else len(STEPS)
    took, came_to = times_of(case), dict(_entered(case))
    chosen = {IncidentState.CHOSEN.value} if case.plan else set()
    left_out = {step.value for step in STEPS} - came_to.keys() - chosen if came_to and state not in STEPS else set()
    return tuple(
        Step(
            step.value,
            "todo" if step.value in left_out else "done" if index < at else "now" if index == at else "todo",
            took.get(step.value, "") if index < at else _so_far(case, step, now) if index == at else "",
        )
        for index, step in enumerate(STEPS)
    )


def times_of(case: Case) -> dict[str, str]:
    """How long each step took, of those that are over."""
    entered = _entered(case)
    return {name: duration(round(later - at, 1)) for (name, at), (_, later) in pairwise(entered)}


def _entered(case: Case) -> list[tuple[str, float]]:
    """(step, seconds on the story's clock when it was entered); pairs that are none are left out."""
    pairs = [sequence(pair) for pair in sequence(case.turn.get("entered"))[:16]]
    return [(str(pair[0]), at) for pair in pairs if len(pair) == 2 and (at := number(pair[1])) is not None]


def _so_far(case: Case, step: IncidentState, now: float) -> str:
    at, clock = dict(_entered(case)).get(step.value), _clock(case, now)
    spent = whole(clock - at) if at is not None and clock is not None else ""
    until = number(case.turn.get("until"))
    rest = f"{left(until - now)} left" if until is not None and until > now else ""
    return ", ".join(filter(None, (spent, rest)))


def _clock(case: Case, now: float) -> float | None:
    """The story's clock by now, in seconds."""
    clock, wall = number(case.turn.get("clock")), number(case.turn.get("wall"))
    return None if clock is None or wall is None else clock + max(0.0, now - wall)


def next_step(case: Case, posture: Posture, asked: Sequence[Approval], now: float) -> str:
    """What comes next, and when at the latest."""
    state, turn = case.incident.state, case.turn
    if case.taken_over:
        return "Nothing, until it is handed back. It is closed once all has been well for a while."
    if posture.stop.on and state is not IncidentState.WATCHING:
        return "Nothing, until a person starts me again."
    if any(symptom.kind == "release" for symptom in case.incident.symptoms):
        return "It ends once all users are back on the release before."
    if state is IncidentState.CHOSEN:
        open_until = max((one.expires_at for one in asked if one.incident == case.incident.id), default=0.0)
        return f"Nothing until you answer: {left(open_until - now)} left, then it is a person’s." if open_until else ""
    if state is IncidentState.WATCHING:
        until = number(turn.get("until"))
        when = f"in {left(until - now)}" if until is not None and until > now else "once it has been well long enough"
        return f"Close it {when}, if it stays well; else take the step back or call a person."
    if state not in NEXT:
        return ""
    what, limit_s = NEXT[state]
    since, clock = number(turn.get("since")), _clock(case, now)
    if since is None or clock is None:
        return f"{what[:1].upper()}{what[1:]}."
    return f"{what[:1].upper()}{what[1:]}, in {left(max(1.0, limit_s - (clock - since)))} at most; else a person is called."


def action_line(case: Case, posture: Posture) -> str:
    words = visible(plan_words(case.plan), 160) if case.plan else ""
    reasons = [visible(r, 160) for r in sequence(mapping(case.decision.get("refusal")).get("reasons"))]
    if case.taken_over:
        return f"Only watching: {visible(actor_name(case.taken_over), 60)} took over."
    if reasons:
        return f"Not acting for now: {reasons[0]}"
    if not words:
        why = visible(case.decision.get("why") or "", 200)
        return f"{why[:1].upper()}{why[1:]}." if why else "Finding out what it is."
    if case.incident.state is IncidentState.APPLYING:
        return f"Doing it now: {words}."
    if case.incident.state is IncidentState.WATCHING:
        return f"Done: {words}. Watching that it holds."
    authority = str(case.decision.get("authority", ""))
    if authority == "ask":
        return f"Waiting for your yes to {words}."
    if authority == "observe" or posture.stage == "observe":
        return f"Only watching (stage: {posture.stage.value}). I would {words}."
    return f"About to {words}."


def why_not_smaller(case: Case) -> str:
    skipped = [mapping(entry) for entry in sequence(case.decision.get("skipped") or case.plan.get("skipped"))]
    if not skipped and mapping(case.decision.get("refusal")).get("reasons"):
        return "No step is taken for now."
    if not skipped:
        return "Nothing smaller would do: this is the smallest step there is." if _stepped(case) else "Not yet known."
    first = skipped[-1]
    action = str(first.get("action", "")).replace("_", " ")
    return visible(f"{action}: {first.get('reason', 'no reason given')}", 200)


def why_not_bigger(case: Case) -> str:
    if mapping(case.decision.get("refusal")).get("reasons"):
        return "Nothing bigger is called for while this holds it back."
    return "A bigger step is only taken once this one has failed." if _stepped(case) else "Not yet known."


def _stepped(case: Case) -> bool:
    """There is a step: a plan's, or one that was taken before we came."""
    return bool(case.plan or case.decision.get("done"))
