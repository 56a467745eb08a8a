"""What was decided and done about an incident, why nothing smaller or bigger, and what was asked before: for page, terminal and
report alike, so that they say it in the same words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from prodwise.model.incident import IncidentState
from prodwise.model.outcome import Outcome
from prodwise.model.record import Effect, EffectState
from prodwise.server.views.facts import Case, IncidentFacts
from prodwise.server.views.needs import risk_words
from prodwise.server.views.story import why_not_bigger, why_not_smaller
from prodwise.server.views.words import (
    NOT_YET,
    action_words,
    gate_reason,
    mapping,
    number,
    percent,
    plan_words,
    sequence,
    visible,
)

WHY_MAX: Final = 900
AUTHORITY: Final = {
    "act": "acts by itself and tells you",
    "ask": "asks you first",
    "observe": "only watches; a person acts",
    "person": "a person asked for it",
}
TITLES: Final = {
    "done": "What was done, and why",
    "undone": "What was done, and taken back",
    "failed": "What was tried, and why",
    "chosen": "What was chosen, and why",
    "refused": "Why nothing is done automatically",
    "": "What is to be done",
}

ORDER: Final = ("fail", "hold", "pass")
BEFORE: Final = (IncidentState.SEEN, IncidentState.UNDERSTOOD, IncidentState.CHOSEN, IncidentState.CHECKED)


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
class Decision:
    """rungs: smallest first, the chosen one last. state: how far that one is (a key of TITLES). gates: asked before it was done;
    verdicts: what led to it, where a release was judged; smallest: said where no rung is smaller."""

    title: str
    state: str
    rungs: tuple[Rung, ...]
    gates: tuple[Gate, ...]
    verdicts: tuple[Gate, ...]
    why: str
    smallest: str
    bigger: str
    refusal: tuple[str, ...]
    authority: str
    risk: str
    undo: str
    plan_hash: str

    @property
    def chosen(self) -> Rung | None:
        return next((rung for rung in self.rungs if rung.state == "chosen"), None)

    @property
    def smaller(self) -> tuple[Rung, ...]:
        return tuple(rung for rung in self.rungs if rung.state == "skipped")


def decision_of(facts: IncidentFacts) -> Decision:
    case = facts.case
    decision, plan = case.decision, case.plan
    skipped = [mapping(entry) for entry in sequence(decision.get("skipped") or plan.get("skipped"))]
    rungs = [
        Rung(visible(s.get("action", ""), 80).replace("_", " "), "skipped", visible(s.get("reason", ""), 240))
        for s in skipped[:12]
    ]
    chosen = _chosen(case)
    state = _state(facts, chosen)
    return Decision(
        title=TITLES[state],
        state=state,
        rungs=(*rungs, chosen) if chosen else tuple(rungs),
        gates=tuple(gates_of(decision.get("gates"))),
        verdicts=tuple(sorted(gates_of(decision.get("verdicts")), key=lambda gate: ORDER.index(gate.verdict))),
        why=visible(decision.get("why") or plan.get("why") or NOT_YET, WHY_MAX),
        smallest=why_not_smaller(case) if chosen and not rungs else "",
        bigger=why_not_bigger(case) if chosen else "",
        refusal=tuple(visible(r, 240) for r in sequence(mapping(decision.get("refusal")).get("reasons"))[:10]),
        authority=_authority(case),
        risk=risk_words(plan) if plan else "",
        undo=_undo(case),
        plan_hash=visible(decision.get("plan_hash") or "", 64),
    )


def _chosen(case: Case) -> Rung | None:
    """The plan's step, or the one that was taken before we came."""
    plan, done = case.plan, mapping(case.decision.get("done"))
    if plan:
        return Rung(
            visible(plan_words(plan), 160),
            "chosen",
            visible(plan.get("why") or case.decision.get("why") or "", WHY_MAX),
        )
    if done:
        words = action_words(str(done.get("kind", "")), case.incident.service, (), {})
        return Rung(visible(words, 160), "chosen", visible(done.get("reason") or "", WHY_MAX))
    return None


def _state(facts: IncidentFacts, chosen: Rung | None) -> str:
    if chosen is None:
        return "refused" if mapping(facts.case.decision.get("refusal")).get("reasons") else ""
    if not facts.case.plan:
        return "done"
    if facts.case.incident.state in BEFORE:
        return "chosen"  # what was done in an earlier round is another step
    ended = _ended(facts.effects, str(mapping(facts.case.plan.get("action")).get("kind", "")))
    if ended == "done" and facts.case.incident.outcome is Outcome.UNDONE:
        return "undone"
    return ended or "chosen"


def _ended(effects: Sequence[Effect], kind: str) -> str:
    """done for all services or failed for one, by the target's own word; "" before there is any. effects: in order."""
    last = {(effect.kind.partition("-")[0], effect.service): effect.state for effect in effects}
    ours = [state for (name, _), state in last.items() if name == kind]
    if ours and all(state is EffectState.DONE for state in ours):
        return "done"
    return "failed" if EffectState.FAILED in last.values() else ""


def _authority(case: Case) -> str:
    if case.taken_over:
        return "a person has taken over"
    if not case.plan and case.decision.get("done"):
        return "the supervisor does it by itself, at once"
    return AUTHORITY.get(str(case.decision.get("authority")), NOT_YET)


def _undo(case: Case) -> str:
    told = mapping(case.plan.get("action")).get("undo")
    return visible(told or ("none needed" if case.plan or case.decision.get("done") else NOT_YET), 200)


def gates_of(entries: object) -> list[Gate]:
    found = []
    for entry in sequence(entries)[:20]:
        gate = mapping(entry)
        verdict = str(gate.get("verdict", "hold"))
        found.append(
            Gate(
                visible(gate.get("gate", ""), 80).replace("_", " "),
                verdict if verdict in ("pass", "hold", "fail") else "hold",
                visible(gate_reason(gate), 300),
            )
        )
    return found


_EFFECTS: Final[Mapping[str, tuple[str, str]]] = {
    "start": ("start {on}", "started {on}"),
    "stop": ("end the process of {service} in slot {target}", "ended the process of {service} in slot {target}"),
    "ramp": (
        "send {share} of users of {service} to the new release",
        "sent {share} of users of {service} to the new release",
    ),
    "rollback": ("send all users of {service} back", "sent all users of {service} back"),
    "finish": ("keep {service} on the new release", "kept {service} on the new release"),
    "restart": ("restart {service}", "restarted {service}"),
}
"""Kind of an effect → what it is about to be, what it was."""


def effect_words(data: Mapping[str, Any], service: str) -> str:
    """One entry of the ledger about an effect, as a sentence: what it is about to be, was, or why it failed."""
    kind, target, state = str(data.get("kind", "act")), str(data.get("target", "")), str(data.get("state"))
    about, was = _EFFECTS.get(kind.partition("-")[0], (f"{kind.replace('_', ' ')} {target}", ""))
    share = number(mapping(data.get("command")).get("share"))
    named = {
        "service": service or target or "the app", "target": target, "on": target or service,
        "share": "some" if share is None else percent(share),
    }  # fmt: skip
    if state == "intent":
        return visible(f"About to {about.format(**named)}", 400)
    result = str(data.get("result") or "")
    if state == "failed":
        return visible(f"Could not {about.format(**named)}: {result or 'no reason given'}", 400)
    done = (was or f"done: {about}").format(**named)
    return visible(f"{done}{f' ({result})' if result else ''}", 400)
