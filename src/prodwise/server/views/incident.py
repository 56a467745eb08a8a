"""One incident: impact, timeline, decision, evidence, and what is not known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from prodwise.model.evidence import Evidence
from prodwise.model.incident import Incident
from prodwise.model.outcome import Outcome
from prodwise.model.record import EffectState, Entry
from prodwise.server.views.facts import Buckets, Case, IncidentFacts
from prodwise.server.views.needs import Card, approval_card, risk_words
from prodwise.server.views.now import Story, story, title_of
from prodwise.server.views.report import onset
from prodwise.server.views.strip import Strip, strip
from prodwise.server.views.words import (
    actor_name,
    duration,
    harm,
    is_person,
    mapping,
    number,
    percent,
    plan_words,
    sequence,
    visible,
)

BEFORE_S, AFTER_S = 300.0, 300.0
EVIDENCE_SHOWN = 60
NOT_YET = "not yet known"
CHANGES = frozenset({"change", "effect", "release", "rollout_stage", "rollout_failed", "setting"})
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
class Rung:
    """One step of the ladder. state: skipped or chosen."""

    action: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Gate:
    name: str
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True)
class Cause:
    text: str
    kind: str
    likelihood: str
    supports: tuple[str, ...]
    contradicts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    rungs: tuple[Rung, ...]
    gates: tuple[Gate, ...]
    why: str
    refusal: tuple[str, ...]
    authority: str
    risk: str
    undo: str
    plan_hash: str


@dataclass(frozen=True, slots=True)
class Fact:
    id: str
    kind: str
    source: str
    since: float
    until: float
    text: str
    figures: tuple[tuple[str, str], ...]


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
    impact: tuple[str, ...]
    symptoms: tuple[str, ...]
    story: Story | None
    causes: tuple[Cause, ...]
    decision: Decision
    timeline: tuple[Moment, ...]
    evidence: tuple[Fact, ...]
    evidence_stored: int
    phases: tuple[Phase, ...]
    strip: Strip
    unknown: tuple[str, ...]
    cards: tuple[Card, ...]
    can_undo: bool


def incident_view(facts: IncidentFacts, now: float) -> IncidentView:
    incident = facts.case.incident
    began, ended = onset(incident), incident.closed_at
    better = recovered_at(facts)
    window = (began - BEFORE_S, min(now, (ended or now) + AFTER_S))
    return IncidentView(
        id=incident.id,
        title=title_of(incident),
        service=incident.service,
        state=incident.state.value,
        outcome=incident.outcome.value if incident.outcome else "open",
        outcome_words=outcome_words(incident),
        began=began,
        ended=ended,
        lasted=duration((better or ended or now) - began),
        impact=harm(incident.users_hit, incident.requests_failed),
        symptoms=tuple(visible(symptom.text, 200) for symptom in incident.symptoms[:20]),
        story=story(facts.case, facts.posture, now) if ended is None else None,
        causes=tuple(_causes(facts)),
        decision=decision_of(facts.case),
        timeline=joined(moment(entry) for entry in facts.timeline),
        evidence=tuple(_fact(fact) for fact in telling(facts.case, facts.evidence)[:EVIDENCE_SHOWN]),
        evidence_stored=len(facts.evidence),
        phases=phases(facts.buckets, began, better or ended, window[1]),
        strip=strip(facts.buckets, facts.marks, *window),
        unknown=_unknown(facts.case),
        cards=tuple(approval_card(asked, title_of(incident)) for asked in facts.approvals),
        can_undo=_can_undo(facts),
    )


def _can_undo(facts: IncidentFacts) -> bool:
    """A release that was taken back on its way to users is shipped again instead: it had never passed its watch."""
    if any(symptom.kind == "release" for symptom in facts.case.incident.symptoms):
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
    for entry in sequence(facts.case.diagnosis.get("hypotheses"))[:8]:
        hypothesis = mapping(entry)
        found.append(
            Cause(
                text=visible(hypothesis.get("text") or NOT_YET, 300),
                kind=visible(hypothesis.get("cause") or "unknown", 40).replace("_", " "),
                likelihood=_likelihood(number(hypothesis.get("weight"))),
                supports=_cited(hypothesis.get("supports"), texts),
                contradicts=_cited(hypothesis.get("contradicts"), texts),
            )
        )
    return found


def _likelihood(weight: float | None) -> str:
    """Log-odds (natural) in words: 3 is about 20 to 1, 1 about 3 to 1."""
    if weight is None:
        return NOT_YET
    return "very likely" if weight >= 3 else "likely" if weight >= 1 else "possible" if weight >= -1 else "unlikely"


def _cited(ids: object, texts: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(texts.get(str(name), visible(name, 60)) for name in sequence(ids)[:8])


def decision_of(case: Case) -> Decision:
    decision, plan = case.decision, case.plan
    skipped = [mapping(entry) for entry in sequence(decision.get("skipped") or plan.get("skipped"))]
    rungs = [
        Rung(visible(s.get("action", ""), 80).replace("_", " "), "skipped", visible(s.get("reason", ""), 240))
        for s in skipped[:12]
    ]
    if plan:
        why = decision.get("why") or plan.get("why") or ""
        rungs.append(Rung(visible(plan_words(plan), 160), "chosen", visible(why, 300)))
    action = mapping(plan.get("action"))
    return Decision(
        rungs=tuple(rungs),
        gates=tuple(gates_of(decision.get("gates"))),
        why=visible(decision.get("why") or plan.get("why") or NOT_YET, 300),
        refusal=tuple(visible(r, 240) for r in sequence(mapping(decision.get("refusal")).get("reasons"))[:10]),
        authority={
            "act": "acts by itself and tells you",
            "ask": "asks you first",
            "observe": "only watches; a person acts",
        }.get(str(decision.get("authority")), NOT_YET),
        risk=risk_words(plan) if plan else "",
        undo=visible(action.get("undo") or ("none needed" if plan else NOT_YET), 200),
        plan_hash=visible(decision.get("plan_hash") or "", 64),
    )


def gates_of(entries: object) -> list[Gate]:
    found = []
    for entry in sequence(entries)[:20]:
        gate = mapping(entry)
        verdict = str(gate.get("verdict", "hold"))
        found.append(
            Gate(
                visible(gate.get("gate", ""), 80).replace("_", " "),
                verdict if verdict in ("pass", "hold", "fail") else "hold",
                visible(gate.get("reason", ""), 300),
            )
        )
    return found


def moment(entry: Entry) -> Moment:
    if is_person(entry.actor):
        group = "people"
    elif entry.kind in CHANGES:
        group = "changes"
    else:
        group = "signals" if entry.kind in SIGNALS else "prodwise"
    return Moment(entry.seq, entry.at, visible(actor_name(entry.actor), 60), _what(entry), group)


def _what(entry: Entry) -> str:
    """The entry's own text; for effects, a sentence that tells an intent from what was done."""
    if entry.kind != "effect":
        return visible(entry.text or entry.kind.replace("_", " "), 400)
    kind, target = str(entry.data.get("kind", "act")).replace("_", " "), entry.data.get("target", "")
    result = f": {entry.data['result']}" if entry.data.get("result") else ""
    state = {"intent": "About to", "done": "Done:", "failed": "Failed:"}.get(str(entry.data.get("state")), "")
    return visible(f"{state} {kind} {target}{result}".strip(), 400)


def _fact(fact: Evidence) -> Fact:
    return Fact(
        fact.id,
        visible(fact.kind, 40),
        visible(fact.source, 40),
        fact.since,
        fact.until,
        visible(fact.text, 400),
        tuple(_figures(fact.data))[:16],
    )


def _figures(data: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Scalars, one level of nesting, ready to read; lists are cut after eight items."""
    found: list[tuple[str, str]] = []
    for key, value in list(data.items())[:24]:
        name = f"{prefix}{label(str(key))}"
        if isinstance(value, Mapping):
            found.extend(_figures(value, f"{label(str(key))} ") if not prefix else [(name, f"{len(value)} values")])
        elif isinstance(value, list | tuple):
            found.append((name, visible(", ".join(str(item) for item in value[:8]), 200)))
        else:
            found.append((name, figure(str(key), value)))
    return found


LABELS = {
    "p50_ms": "typical",
    "p95_ms": "slowest 5 %",
    "requests_per_s": "requests a second",
    "n": "requests",
    "errors": "failed",
    "lanes": "users",
}


def label(key: str) -> str:
    """A figure's name in words; its unit stands with the value."""
    return LABELS.get(key) or visible(key, 60).replace("_", " ")


def figure(key: str, value: object) -> str:
    """A figure with the unit that its name tells."""
    known = number(value)
    if known is None:
        return "–" if value is None else visible(value, 200)
    if key.endswith(("share", "rate")) and 0 <= known <= 1:
        return percent(known)
    if key.endswith("_ms"):
        return f"{known:.0f} ms"
    if key.endswith(("_s", "seconds")):
        return duration(known)
    return f"{known:,.0f}" if known == int(known) else f"{known:,.3g}"


def phases(buckets: Buckets, began: float, better: float | None, until: float) -> tuple[Phase, ...]:
    """Failed requests before, during and after; phases without requests are left out."""
    if not buckets:
        return ()
    step = buckets[1][0] - buckets[0][0] if len(buckets) > 1 else 0.0
    end = better if better is not None else until
    windows = (
        ("before", float("-inf"), began - step),
        ("during", began - step, end),
        ("after", end, until),
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


def telling(case: Case, evidence: Sequence[Evidence]) -> list[Evidence]:
    """What the diagnosis and the plan cite, and of each thing else that was looked at the newest reading."""
    cited = {str(name) for name in sequence(case.plan.get("evidence"))}
    for entry in sequence(case.diagnosis.get("hypotheses")):
        hypothesis = mapping(entry)
        cited |= {str(n) for n in (*sequence(hypothesis.get("supports")), *sequence(hypothesis.get("contradicts")))}
    newest = {_subject(fact): fact.id for fact in evidence}
    return [fact for fact in evidence if fact.id in cited or newest[_subject(fact)] == fact.id]


def _subject(fact: Evidence) -> tuple[str, ...]:
    named = tuple(str(fact.data.get(name, "")) for name in ("service", "slot", "route", "release", "subject"))
    return (fact.kind, fact.source, *named) if any(named) else (fact.kind, fact.source, fact.text)


def filtered(timeline: Sequence[Moment], group: str) -> tuple[Moment, ...]:
    return tuple(m for m in timeline if m.group == group) if group else tuple(timeline)
