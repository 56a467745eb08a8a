"""All that a choice may rest on. What could not be known is None, never a default."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from prodwise.model.action import ActionKind
from prodwise.model.diagnosis import Cause, Diagnosis
from prodwise.model.incident import Symptom
from prodwise.model.reach import Surroundings
from prodwise.model.schema import Finding
from prodwise.model.service import Service
from prodwise.model.target import TargetSeen


class PastResult(StrEnum):
    RUNNING = "running"  # not known yet: the next action waits for it
    HELPED = "helped"
    FAILED = "failed"  # did not help, or could not be carried out
    UNDONE = "undone"  # did not help, and was taken back


@dataclass(frozen=True, slots=True)
class Past:
    """An action that was taken. release: what ran when it was taken; ended_at: when its result was known, 0 while it runs."""

    at: float
    kind: ActionKind
    service: str
    release: str
    cause: Cause
    result: PastResult
    incident: str
    actor: str = "prodwise"  # prodwise, supervisor, or a person's name
    ended_at: float = 0.0

    @property
    def automatic(self) -> bool:
        """What counts against budgets, cool-downs and the third-time rule: ours, not a person's, not the supervisor's."""
        return self.actor == "prodwise"


@dataclass(frozen=True, slots=True)
class WayBack:
    """The newest earlier verified-good release. warm: it still runs; schema: what migrations did since, None = not looked at.

    proven: going back was exercised on this target when it was brought up; takes_back: what it brought that goes with it.
    """

    release: str
    warm: bool
    schema: tuple[Finding, ...] | None
    proven: bool
    takes_back: str = ""


@dataclass(frozen=True, slots=True)
class Situation:
    """One incident at one moment.

    past: actions of the last 24 h or more, of the whole fleet. health: each service's, None unknown. flaps: changes of the
    service's state in the last ten minutes. respawned_at: when the supervisor replaced the dead process by itself.
    """

    incident: str
    service: str
    diagnosis: Diagnosis
    symptoms: tuple[Symptom, ...]
    seen: TargetSeen
    inventory: tuple[Service, ...]
    past: tuple[Past, ...]
    now: float
    health: tuple[tuple[str, bool | None], ...] = ()
    way_back: WayBack | None = None
    doubted: str = ""  # what a person said, if the leading hypothesis was called wrong
    kept_by: str = ""  # the person who took going back from the running release back
    rollout: str = ""  # the release that is being rolled out, if any
    frozen: str = ""  # why, if a person froze automation
    flaps: int = 0
    fresh: bool = True  # whether our own inputs are recent
    serving: bool | None = None
    respawned_at: float | None = None
    watch_s: float = 600.0
    around: Surroundings | None = None  # how the app is used, and who calls whom

    def find(self, service: str) -> Service | None:
        return next((one for one in self.inventory if one.id == service), None)

    def running_release(self, service: str) -> str:
        """What the service's users reach (its stable slot, or the canary when that has all the traffic)."""
        at = self.seen.service(service)
        slot = at.active if at is not None else None
        if at is None or slot is None:
            return ""
        if at.switch is not None and at.switch.share >= 1.0:
            slot = slot.other
        process = at.slot(slot)
        return process.release if process is not None else ""
