"""Everything that is known about a scenario while it runs, and when it is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from prodwise.drill.healers.base import Event
from prodwise.drill.impact import Impact, measure
from prodwise.drill.scenario import Fault
from prodwise.drill.traffic.records import Sent

FIX = {"proposed": "open", "held": "held"}  # as the healer writes them down
FAILING_SHARE = 0.1  # of the requests of an app without a fault: more, and something is wrong after all


@dataclass(frozen=True, slots=True)
class Injected:
    """A fault as it was really injected. at, until: Unix seconds; until == at for what happens once.

    worker: it struck processes that serve no page; back: since when the service has processes again that were not struck, or are
    no longer (Unix seconds), None while it has none.
    """

    fault: Fault
    at: float
    until: float
    worker: bool = False
    back: float | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything known about one scenario at `now`. began, now: Unix seconds; idle: nothing is in progress at the healer."""

    began: float
    now: float
    requests: Sequence[Sent] = field(default=())
    events: Sequence[Event] = field(default=())
    injected: Sequence[Injected] = field(default=())
    idle: bool = True

    @property
    def since(self) -> float:
        """When the first fault struck; the beginning without one."""
        return self.injected[0].at if self.injected else self.began

    @property
    def impact(self) -> Impact:
        """From the first fault to the last; without a fault there is none to measure."""
        if not self.injected:
            return Impact(None, None, 0)
        return measure(self.requests, self.since, rollout=any(one.fault.deploys for one in self.injected))

    @property
    def mostly_fine(self) -> bool:
        """For an app that nothing was done to: what it loses now and then is its own."""
        return sum(one.failed for one in self.requests) <= FAILING_SHARE * len(self.requests)

    @property
    def steady(self) -> float:
        """Seconds for which users have been served well again, and workers that were struck are back; 0 while they are not."""
        times = [one.back for one in self.injected if one.worker]
        if self.requests or not times:
            times.append(self.impact.recovered)
        well = [at for at in times if at is not None]
        return max(0.0, self.now - max(well)) if len(well) == len(times) else 0.0

    def has(self, kind: str) -> bool:
        return any(event.kind == kind for event in self.events)

    def fix_is(self, state: str) -> bool:
        """Whether a lasting fix has come so far; "" asks for nothing."""
        return not state or any(event.kind == "pull" and event.word("state") == FIX[state] for event in self.events)

    def closed_as(self, outcome: str) -> bool:
        return any(event.kind == "incident_closed" and event.word("outcome") == outcome for event in self.events)
