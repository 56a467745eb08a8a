"""One plain line for each thing that happened: the drill's own doing, and what the healer wrote down. Nothing is made up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from prodwise.drill.healers.base import Event
from prodwise.drill.result import ScenarioResult
from prodwise.drill.scenario import Fault

MARKS = {
    "incident_opened": "▲",
    "diagnosed": "▲",
    "refused": "✗",
    "rollout_failed": "✗",
    "escalated": "■",
    "incident_closed": "●",
    "promoted": "✓",
    "verified_good": "✓",
    "pull": "✎",
}
SAID = {
    "incident_opened": "incident",
    "diagnosed": "diagnosis",
    "refused": "not done",
    "rollout_stage": "rollout",
    "promoted": "at 100 % of traffic",
    "verified_good": "verified good",
    "rollout_failed": "release refused",
    "escalated": "a person is needed",
    "incident_closed": "incident closed",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of narration. at: seconds since the scenario began; kind: scenario, fault, event, result or note."""

    at: float
    mark: str
    text: str
    kind: str

    def __str__(self) -> str:
        return f"{self.at:6.1f} s  {self.mark} {self.text}"


Tell = Callable[[Line], None]


STEPS = ("restart", "rollback", "undo")
TOLD = ("incident_opened", "symptom", "diagnosed", "decided", "refused", "rollout_stage", "promoted", "verified_good",
        "rollout_failed", "escalated", "incident_closed", "failed", "pull")  # fmt: skip
TEXT_MAX = 220


def worth_telling(event: Event) -> bool:
    """What a person follows: remedies as they are done, and whatever fails. Bookkeeping stays in the ledger."""
    if event.kind == "pull":
        return event.word("state") != "intent"
    if event.kind == "action":
        return event.word("state") == "failed" or (event.word("kind") in STEPS and event.word("state") != "intent")
    return event.kind in TOLD


def of_event(event: Event, began: float) -> Line:
    """`  12.4 s  ▲ web: errors on /checkout since 11.9 s`. began: Unix seconds."""
    mark = MARKS.get(event.kind, "·")
    if event.kind == "action":
        mark = {"intent": "→", "done": "✓", "failed": "✗", "undone": "↶"}.get(event.word("state"), "→")
    who = f"{event.service}: " if event.service and not event.text.startswith(event.service) else ""
    words = event.text or _plain(event)
    text = f"{who}{words}"
    return Line(event.at - began, mark, text if len(text) <= TEXT_MAX else text[: TEXT_MAX - 1] + "…", "event")


def _plain(event: Event) -> str:
    """Words for an event that brought none."""
    if event.kind == "action":
        state = {"intent": "begins", "done": "is done", "failed": "failed", "undone": "was undone"}
        return f"{event.word('kind')} {state.get(event.word('state'), event.word('state'))}".strip()
    said = SAID.get(event.kind, event.kind.replace("_", " "))
    outcome = event.word("outcome")
    return f"{said} as {outcome}" if outcome else said


def of_fault(fault: Fault, at: float) -> Line:
    """What the drill does to the app."""
    service = fault.service or "the app"
    text = {
        "none": "nothing is done to the app",
        "kill": f"the drill kills {service} (SIGKILL)",
        "hang": f"the drill freezes {service} (SIGSTOP)",
        "crash_loop": f"the drill kills {service} each time it comes up, for {fault.lasts:g} s",
        "slow": f"the drill slows {service} down: stopped {fault.strength:.0%} of the time",
        "overload": f"the drill sends {fault.strength:g} times the traffic for {fault.lasts:g} s",
        "upstream_down": f"{service} has an outage for {fault.lasts:g} s",
        "config": f"someone sets {fault.value.partition('=')[0]} to something wrong and deploys",
        "merge": "a person waits for the fix, reads it, merges it and deploys",
        "release": f"someone deploys {fault.ref or Path(fault.patch).name}",
        "dependency": f"someone changes a dependency and deploys {fault.ref or Path(fault.patch).name}",
    }[fault.kind]
    return Line(at, "⚡", text, "fault")


def of_result(result: ScenarioResult, at: float) -> Line:
    if result.passed is None:
        return Line(at, "–", f"{result.name}: not run: {'; '.join(result.notes)}", "result")
    words = [f"{result.name}: {result.outcome}"]
    if result.seconds_to_recover is not None:
        words.append(f"recovered {result.seconds_to_recover:.1f} s after")
    words.append(f"{result.requests_failed} of {result.requests} requests failed")
    return Line(at, "✓" if result.passed else "✗", ", ".join([*words, *result.notes]), "result")
