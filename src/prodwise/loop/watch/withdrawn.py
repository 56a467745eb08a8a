"""A release that goes back on its way to users: why, and what is told of it. Pure; the story around it carries it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from prodwise.loop.planning import plan_to_json
from prodwise.loop.watch.headline import headline
from prodwise.model.action import Action, ActionKind, Footprint
from prodwise.model.gate import Verdict
from prodwise.model.plan import Plan, Skipped

POLICY: Final = "ramp-1"
WORSE, UNSURE = 4.6, 0.0
"""Weights of *the release brought it*: proven by its judges; or only not shown to be good."""
UNKNOWN_LINE: Final = "which line of the release does it"
"""Until a suspect is found (`heal/suspects.py`)."""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """share: 0…1 of the users that had it; by: the person who took it back, "" for its judges; gates: what they said last;
    numbers: as they sum them up, per service."""

    release: str
    previous: str
    service: str
    services: tuple[str, ...]
    share: float
    reason: str
    by: str
    gates: tuple[Mapping[str, str], ...]
    numbers: Mapping[str, Any]

    @property
    def worse(self) -> bool:
        """Shown to be, and not only undecided for too long or taken back by a person."""
        return not self.by and any(gate.get("verdict") == Verdict.FAIL.value for gate in self.gates)

    @property
    def goal(self) -> str:
        return self.previous or "the release before"

    def title(self) -> str:
        if self.by:
            return f"Release {self.release} was taken back by {self.by}"
        return (
            headline(self.release, self.numbers)
            if self.worse
            else f"Release {self.release} could not be shown to be good"
        )

    def text(self) -> str:
        """What was seen of it."""
        if self.by:
            return f"release {self.release} was taken back by {self.by}: {self.reason}"
        said = "is worse than" if self.worse else "was not shown to be as good as"
        return f"release {self.release} {said} {self.goal}: {self.reason}"

    def diagnosis(self, evidence: str) -> dict[str, Any]:
        """As the incident's row keeps it. evidence: the id of what the judges said."""
        text = (
            f"began with release {self.release}" if self.worse else f"perhaps release {self.release}: {self._doubt()}"
        )
        leading = {
            "cause": "release", "text": text, "weight": WORSE if self.worse else UNSURE,
            "supports": [evidence], "contradicts": [], "subject": self.release,
        }  # fmt: skip
        unknown = UNKNOWN_LINE if self.worse else f"whether release {self.release} is worse than {self.goal}"
        return {"hypotheses": [leading], "unknown": [unknown]}

    def _doubt(self) -> str:
        return (
            f"{self.by} took it back" if self.by else "nothing showed that it is worse, and nothing that it is as good"
        )

    def plan(self, evidence: str) -> Plan:
        """Going back, as it is carried out by the rollout itself."""
        footprint = Footprint(False, False, 1, self.share, len(self.services), 0)
        params = (("from", self.release), ("to", self.goal), ("warm", "yes"))
        undo = f"ship it again: prodwise deploy {self.release.partition('-')[2] or self.release}"
        action = Action(ActionKind.ROLLBACK, self.service, self.services, params, footprint, undo)
        revision = f"{self.previous} ▸ {self.release} {self.share:.3f}"
        return Plan(action, (), revision, (evidence,), self._smaller(), POLICY, self._why(), 0.0)

    def decision(self, evidence: str) -> dict[str, Any]:
        """As the incident's row keeps it."""
        plan = self.plan(evidence)
        return {
            "plan": plan_to_json(plan), "plan_hash": plan.hash, "refusal": None, "gates": [], "verdicts": list(self.gates),
            "skipped": [asdict(one) for one in plan.skipped], "authority": "person" if self.by else "act", "why": plan.why,
        }  # fmt: skip

    def _why(self) -> str:
        if self.by:
            return f"{self.by} asked for it"
        write = f"{self.goal} still runs beside it: sending its users back takes one write"
        return write if self.worse else f"what is not shown to be good in time goes back; {write}"

    def _smaller(self) -> tuple[Skipped, ...]:
        if self.by:
            return ()
        longer = (
            "it is proven: waiting only lets more users meet it"
            if self.worse
            else "it had its time, and stayed undecided"
        )
        return (
            Skipped("look longer", longer),
            Skipped("restart", f"a new process of {self.release} runs the same code"),
        )
