"""What Prodwise needs from a person, as cards: question, default, deadline, risk, and where to press."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from prodwise.loop.choose.authority import ASK
from prodwise.model.action import ActionKind
from prodwise.model.incident import Incident
from prodwise.model.outcome import Outcome
from prodwise.model.record import Approval
from prodwise.server.views.certificates import asked as asked_certificates
from prodwise.server.views.facts import Case, NowFacts
from prodwise.server.views.reach import reaches
from prodwise.server.views.story import title_of
from prodwise.server.views.words import actor_name, mapping, percent, plan_words, sequence, visible

HANDOVER_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    href: str


@dataclass(frozen=True, slots=True)
class Card:
    """kind: approval, proposal, taken, handover, certificate or stopped. deadline: Unix seconds, 0 = none;
    id, plan_hash: of an approval."""

    kind: str
    question: str
    impact: str
    default: str
    deadline: float
    risk: str
    id: str
    plan_hash: str
    links: tuple[Link, ...]


def needs(facts: NowFacts, now: float) -> tuple[Card, ...]:
    """Questions first, then what was handed over, then what a person holds back."""
    ours = {case.incident.id for case in facts.open if not case.taken_over}
    asked = {
        approval.incident: approval for approval in facts.approvals if approval.incident in ours
    }  # the newest of each
    cases = {case.incident.id: case for case in facts.open}
    cards = [approval_card(approval, title_of(cases[name].incident), cases[name]) for name, approval in asked.items()]
    for case in facts.open:
        if case.taken_over:
            cards.append(_taken(case))
        elif case.incident.id not in asked:
            cards.extend(_own_hands(case, facts))
    cards.extend(_handed_over(facts, now))
    cards.extend(_card("certificate", said, todo, ()) for said, todo in asked_certificates(facts.credentials, now))
    if facts.posture.stop.on:
        cards.append(_stopped(facts))
    return tuple(cards)


def approval_card(asked: Approval, impact: str, case: Case | None = None) -> Card:
    """case: whose question it is; tells the measured reach of this very plan."""
    found = reaches(case) if case is not None and case.decision.get("plan_hash") == asked.plan_hash else None
    far = f"Reaches: {found.chosen.text}." if found is not None and found.chosen is not None else risk_words(asked.plan)
    return Card(
        kind="approval",
        question=f"May I {visible(plan_words(asked.plan), 160)}?",
        impact=impact,
        default="If nobody answers, I do nothing.",
        deadline=asked.expires_at,
        risk=f"{far} {undo_words(asked.plan)} {ask_words(asked.plan)}".strip(),
        id=asked.id,
        plan_hash=asked.plan_hash,
        links=(Link("Look closer", f"/approve/{asked.id}"),),
    )


def risk_words(plan: Mapping[str, Any]) -> str:
    """How far the plan's action reaches, from its footprint."""
    action = mapping(plan.get("action"))
    footprint = mapping(action.get("footprint"))
    reach = []
    share = footprint.get("traffic_share")
    if isinstance(share, int | float):
        reach.append(f"reaches {percent(share)} of traffic")
    reach.append("touches data" if footprint.get("data_touched") else "touches no data")
    if footprint.get("code_changed"):
        reach.append("changes code")
    text = ", ".join(reach)
    return text[:1].upper() + text[1:] + "."


def undo_words(plan: Mapping[str, Any]) -> str:
    undo = visible(mapping(plan.get("action")).get("undo") or "", 120)
    return f"Undo: {undo}." if undo else "Needs no undo."


def ask_words(plan: Mapping[str, Any]) -> str:
    """Why a person must decide, where the plan says so."""
    pairs = [sequence(pair) for pair in sequence(mapping(plan.get("action")).get("params"))]
    told = next((pair[1] for pair in pairs if len(pair) == 2 and pair[0] == ASK), "")
    return f"I ask because {visible(told)}." if told else ""


def _own_hands(case: Case, facts: NowFacts) -> Iterator[Card]:
    """What a person can do about an open incident where Prodwise has a plan and may not act.

    A refusal alone asks nothing of a person: it may pass (a cool-down, say), and if it does not, the incident is handed over.
    """
    if case.plan and (case.decision.get("authority") == "observe" or facts.posture.stop.on):
        yield _proposal(case)


def _proposal(case: Case) -> Card:
    look = Link("Look closer", f"/incidents/{case.incident.id}")
    question = f"I would {visible(plan_words(case.plan), 160)}, but I may not. Do you want to?"
    return _card("proposal", question, title_of(case.incident), (*_levers(case), look), risk_words(case.plan))


def _taken(case: Case) -> Card:
    """Whoever looks must see that automation waits for somebody."""
    incident = case.incident.id
    links = (Link("Hand it back", f"/confirm/handback/{incident}"), Link("Look closer", f"/incidents/{incident}"))
    who = visible(actor_name(case.taken_over), 60)
    return _card("taken", f"{who} has this one. I only watch.", title_of(case.incident), links)


def _levers(case: Case) -> tuple[Link, ...]:
    action = mapping(case.plan.get("action"))
    if action.get("kind") == ActionKind.ROLLBACK:
        return (Link("Roll back", "/confirm/rollback"),)
    if action.get("kind") == ActionKind.RESTART:
        return (Link(f"Restart {case.incident.service}", f"/confirm/restart/{case.incident.service}"),)
    return ()


def _handed_over(facts: NowFacts, now: float) -> Iterator[Card]:
    """A step that was only not allowed is one press away while its service is not well."""
    for incident in handed_over(facts, now):
        case = facts.handed.get(incident.id)
        observed = case is not None and case.decision.get("authority") == "observe"
        if case is not None and observed and _levers(case) and facts.health.get(incident.service) is False:
            yield _proposal(case)
            continue
        asked = "Others say so, and I see nothing of it myself." if _hearsay(incident) else "I could not fix this."
        links = (Link("Look closer", f"/incidents/{incident.id}"),)
        yield _card("handover", f"{asked} It needs a person.", title_of(incident), links)


def handed_over(facts: NowFacts, now: float) -> Iterator[Incident]:
    """Incidents that ended with a person, while their service is not known to be well again; or that only others told of. Newest
    first; of those that are alike the newest."""
    told: set[tuple[str, str]] = set()
    for incident in facts.recent:
        recent = incident.closed_at is not None and incident.closed_at > now - HANDOVER_S
        doubtful = _hearsay(incident) or facts.health.get(incident.service) is not True
        name = (incident.service, title_of(incident))
        if incident.outcome is Outcome.ESCALATED and recent and doubtful and name not in told:
            told.add(name)
            yield incident


def _hearsay(incident: Incident) -> bool:
    return bool(incident.symptoms) and not any(one.ours for one in incident.symptoms)


def _stopped(facts: NowFacts) -> Card:
    stop = facts.posture.stop
    told = visible(stop.reason, 240) or "A person stopped me"
    return _card("stopped", "Shall I start again?", told, (Link("Start again", "/confirm/start"),))


def _card(kind: str, question: str, impact: str, links: tuple[Link, ...], risk: str = "") -> Card:
    return Card(kind, question, impact, "", 0.0, risk, "", "", links)
