"""One incident: impact, timeline, decision, evidence, and what is not known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from prodwise.model.incident import Incident
from prodwise.model.outcome import Outcome
from prodwise.model.record import EffectState, Entry
from prodwise.server.views.decision import Decision, decision_of, effect_words
from prodwise.server.views.evidence import Fact, fact_of, telling
from prodwise.server.views.facts import Buckets, Case, IncidentFacts
from prodwise.server.views.likely import OF_A_COMMIT, likelihood, likely_commit
from prodwise.server.views.needs import Card, approval_card
from prodwise.server.views.reach import Reaches, reaches
from prodwise.server.views.report import onset
from prodwise.server.views.story import Step, Story, steps_of, story, title_of
from prodwise.server.views.strip import Strip, strip
from prodwise.server.views.words import (
    NOT_YET,
    actor_name,
    duration,
    harm,
    is_person,
    mapping,
    number,
    percent,
    sequence,
    visible,
)

BEFORE_S, AFTER_S = 300.0, 300.0
WHY_MAX = 900
EVIDENCE_SHOWN = 60
CHANGES = frozenset({"change", "effect", "release", "rollout_stage", "rollout_failed", "setting"})
OWN_WORDS = frozenset({"supervisor", "guard"})
"""Those whose entries say it themselves."""
SIGNALS = frozenset({"incident_opened", "symptom", "recovered", "evidence"})


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the timeline. group: people, prodwise, signals or changes."""

    seq: int
    at: float
    who: str
    what: str
    group: str
    times: int = 1  # how often in a row


@dataclass(frozen=True, slots=True)
class Cause:
    """origin: which commit it likely came in with, as a sentence's beginning; "" where none is suspected."""

    text: str
    origin: str
    kind: str
    likelihood: str
    supports: tuple[str, ...]
    contradicts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """A person's word that a diagnosis is wrong. about: the diagnosis, as it stood then."""

    who: str
    at: float
    text: str
    about: str


@dataclass(frozen=True, slots=True)
class Phase:
    """Failed requests before, during and after."""

    name: str
    requests: int
    failed: int
    share: str


@dataclass(frozen=True, slots=True)
class IncidentView:
    id: str
    title: str
    service: str
    state: str
    outcome: str
    outcome_words: str
    began: float
    ended: float | None
    lasted: str
    span: str
    impact: tuple[str, ...]
    symptoms: tuple[str, ...]
    story: Story | None
    steps: tuple[Step, ...]
    causes: tuple[Cause, ...]
    decision: Decision
    timeline: tuple[Moment, ...]
    cut: int
    evidence: tuple[Fact, ...]
    evidence_stored: int
    phases: tuple[Phase, ...]
    strip: Strip
    unknown: tuple[str, ...]
    cards: tuple[Card, ...]
    can_undo: bool
    can_take_over: bool
    taken_over: str
    taken_means: tuple[str, ...]
    notes: tuple[Note, ...]
    reach: Reaches | None


TAKEN_MEANS = (
    "I do nothing more about it: no restart, no rollback, no undo and no question, until it is handed back.",
    "What I had begun already is brought to its end. I keep watching, and close it once all has been well for a while.",
    "Not held by this: the supervisor starts a dead process again, a release on its way goes back if it is worse, and "
    "other services are looked after as before.",
)
"""What taking an incident over means."""


def incident_view(facts: IncidentFacts, now: float) -> IncidentView:
    incident = facts.case.incident
    began, ended = onset(incident), incident.closed_at
    better = recovered_at(facts)
    window = (began - BEFORE_S, min(now, (ended or now) + AFTER_S))
    return IncidentView(
        id=incident.id,
        title=title_of(incident),
        service=incident.service or "the app as a whole",
        state=incident.state.value,
        outcome=incident.outcome.value if incident.outcome else "open",
        outcome_words=outcome_words(incident),
        began=began,
        ended=ended,
        lasted=duration((better or ended or now) - began),
        span=span_words(incident, duration((better or ended or now) - began)),
        impact=harm(incident.users_hit, incident.requests_failed, over=ended is not None),
        symptoms=tuple(visible(symptom.text, 200) for symptom in incident.symptoms[:20]),
        story=story(facts.case, facts.posture, facts.approvals, now) if ended is None else None,
        steps=steps_of(facts.case, now) if facts.case.turn.get("entered") or ended is None else (),
        causes=tuple(_causes(facts)),
        decision=decision_of(facts),
        timeline=joined(moment(entry) for entry in settled(facts.timeline)),
        cut=facts.cut,
        evidence=tuple(fact_of(fact) for fact in telling(facts.case, facts.evidence)[:EVIDENCE_SHOWN]),
        evidence_stored=max(facts.evidence_stored, len(facts.evidence)),
        phases=phases(facts.buckets, began, better or ended, min(window[1], facts.later or now)),
        strip=strip(facts.buckets, facts.marks, *window),
        unknown=_unknown(facts.case),
        cards=() if ended or facts.case.taken_over else tuple(_asked(facts)),
        can_undo=_can_undo(facts),
        can_take_over=ended is None and not facts.case.taken_over and not _of_a_release(incident),
        taken_over=visible(actor_name(facts.case.taken_over), 60) if ended is None and facts.case.taken_over else "",
        taken_means=TAKEN_MEANS if ended is None and facts.case.taken_over else (),
        notes=tuple(_note(told) for told in facts.case.notes),
        reach=reaches(facts.case),
    )


def _asked(facts: IncidentFacts) -> list[Card]:
    """The newest question: an older one is about a plan that is none any more."""
    return [approval_card(asked, title_of(facts.case.incident), facts.case) for asked in facts.approvals[-1:]]


def _note(told: Mapping[str, Any]) -> Note:
    who, about = visible(actor_name(str(told.get("who", ""))), 60), visible(told.get("text") or "no diagnosis yet", 300)
    return Note(who, number(told.get("at")) or 0.0, visible(told.get("note", ""), 500), about)


def _of_a_release(incident: Incident) -> bool:
    return any(symptom.kind == "release" for symptom in incident.symptoms)


def _can_undo(facts: IncidentFacts) -> bool:
    """A release that was taken back on its way to users is shipped again instead: it had never passed its watch."""
    if _of_a_release(facts.case.incident):
        return False
    return any(effect.state is EffectState.DONE and effect.undo for effect in facts.effects)


def outcome_words(incident: Incident) -> str:
    return {
        None: "Open",
        Outcome.HEALED: "Healed",
        Outcome.UNDONE: "Undone: things were not better, so it was put back",
        Outcome.ESCALATED: "Handed to a person",
        Outcome.ABANDONED: "Closed without a result",
    }.get(incident.outcome, "Closed")


def span_words(incident: Incident, lasted: str) -> str:
    """How long, and of what: where nobody was hit nobody is said to have been, and what a person was given may go on."""
    if incident.closed_at is None:
        return f"going on for {lasted}"
    if incident.outcome is Outcome.ESCALATED:
        return f"handed to a person after {lasted}"
    return f"{'users were hit for' if incident.requests_failed else 'it lasted'} {lasted}"


def recovered_at(facts: IncidentFacts) -> float | None:
    """When users were served again: the ledger's word for it, else the last effect that was done."""
    told = [entry.at for entry in facts.timeline if entry.kind == "recovered"]
    done = [effect.settled_at for effect in facts.effects if effect.state is EffectState.DONE and effect.settled_at]
    if told or facts.case.incident.outcome is not Outcome.HEALED:
        return max(told, default=None)
    return max(done, default=None)


def _causes(facts: IncidentFacts) -> list[Cause]:
    texts = {fact.id: visible(fact.text, 200) for fact in facts.evidence}
    found = []
    for place, entry in enumerate(sequence(facts.case.diagnosis.get("hypotheses"))[:8]):
        hypothesis = mapping(entry)
        kind = str(hypothesis.get("cause") or "unknown")
        found.append(
            Cause(
                text=visible(hypothesis.get("text") or NOT_YET, 300),
                origin=likely_commit(facts.evidence) if place == 0 and kind in OF_A_COMMIT else "",
                kind=visible(kind, 40).replace("_", " "),
                likelihood=likelihood(hypothesis),
                supports=_cited(hypothesis.get("supports"), texts),
                contradicts=_cited(hypothesis.get("contradicts"), texts),
            )
        )
    return found


def _cited(ids: object, texts: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(texts.get(str(name), visible(name, 60)) for name in sequence(ids)[:8])


def moment(entry: Entry) -> Moment:
    if is_person(entry.actor):
        group = "people"
    elif entry.kind in CHANGES:
        group = "changes"
    else:
        group = "signals" if entry.kind in SIGNALS else "prodwise"
    return Moment(entry.seq, entry.at, visible(actor_name(entry.actor), 60), _what(entry), group)


def _what(entry: Entry) -> str:
    """The entry's own text; for effects, a sentence that tells what is about to be from what was done."""
    if entry.kind != "effect" or entry.actor in OWN_WORDS:
        return visible(entry.text or entry.kind.replace("_", " "), 400)
    return effect_words(entry.data, entry.service)


def settled(timeline: Sequence[Entry]) -> list[Entry]:
    """Without the intents whose end is known: the end says it all."""
    ended = {
        str(entry.data.get("key"))
        for entry in timeline
        if entry.kind == "effect" and entry.data.get("state") != "intent"
    }
    return [
        entry
        for entry in timeline
        if not (entry.kind == "effect" and entry.data.get("state") == "intent" and str(entry.data.get("key")) in ended)
    ]


def phases(buckets: Buckets, began: float, better: float | None, until: float) -> tuple[Phase, ...]:
    """Failed requests before, during and after; phases without requests are left out."""
    if not buckets:
        return ()
    step = buckets[1][0] - buckets[0][0] if len(buckets) > 1 else 0.0
    end = better if better is not None else until
    windows = (
        ("before", float("-inf"), began - step),
        ("during", began - step, end),
        ("after", end, until - step),
    )
    found = []
    for name, since, to in windows:
        inside = [b for b in buckets if since < b[0] <= to]
        requests, failed = sum(b[1] for b in inside), sum(b[2] for b in inside)
        if requests:
            found.append(Phase(name, requests, failed, percent(failed / requests)))
    return tuple(found)


def _unknown(case: Case) -> tuple[str, ...]:
    told = tuple(visible(text, 300) for text in sequence(case.diagnosis.get("unknown"))[:20])
    if told:
        return told
    return ("Nothing was noted as unknown.",) if case.diagnosis else ("The cause is not yet known.",)


def joined(moments: Iterable[Moment]) -> tuple[Moment, ...]:
    """The same thing by the same actor several times in a row is one line, at its first time, with the count."""
    found: list[Moment] = []
    for moment in moments:
        last = found[-1] if found else None
        if last is not None and (last.who, last.what) == (moment.who, moment.what):
            found[-1] = replace(last, times=last.times + 1)
        else:
            found.append(moment)
    return tuple(found)


def filtered(timeline: Sequence[Moment], group: str) -> tuple[Moment, ...]:
    return tuple(m for m in timeline if m.group == group) if group else tuple(timeline)
