"""What is wrong, for whom, since when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from prodwise.model.outcome import Outcome

SYMPTOMS_MAX = 100
"""An incident names this many at most; what comes after them is the same trouble."""

USERS_COUNTED_MAX = 10_000
"""People are counted exactly up to here; this many means: this many or more."""


class IncidentState(StrEnum):
    """The stepper that a person sees, in order."""

    SEEN = "seen"
    UNDERSTOOD = "understood"
    CHOSEN = "chosen"
    CHECKED = "checked"
    APPLYING = "applying"
    WATCHING = "watching"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Symptom:
    """What a detector saw, or what somebody outside told us.

    onset_at, seen_at: Unix seconds. kind: crash, crash_loop, hang, probe, errors, latency, traffic_loss, alarm, heartbeat.
    source: the credential that it rests on ("alertmanager", say); "" = our own eyes: proxy, probe, process state.
    subject: what it is about where one source says many things of one kind (an alarm's fingerprint, a group of errors).
    """

    kind: str
    service: str
    text: str
    onset_at: float
    seen_at: float
    route: str = ""  # "" = the whole service
    release: str = ""
    severity: float = 1.0  # share of the service's requests that are hit, 0…1
    source: str = ""
    subject: str = ""

    @property
    def ours(self) -> bool:
        """Whether our own eyes saw it: what others say is looked into and told, and never acted on alone."""
        return not self.source

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Two symptoms of one incident with the same key are one symptom, seen again."""
        return self.kind, self.route, self.source, self.subject


@dataclass(frozen=True, slots=True)
class Incident:
    """users_hit: browsers with failed requests, None while that is not known; at most USERS_COUNTED_MAX."""

    id: str
    service: str
    symptoms: tuple[Symptom, ...]
    opened_at: float
    state: IncidentState
    outcome: Outcome | None = None
    closed_at: float | None = None
    title: str = ""
    users_hit: int | None = None
    requests_failed: int = 0
