"""What a look at metrics finds: causes, what they rest on, and what is not known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a metric tells of a service. All but REQUESTS and RESOURCE are worse the higher they are, once read."""

    LATENCY = "latency"  # time for each request
    ERRORS = "errors"  # share of requests that failed, 0…1
    REQUESTS = "requests"  # how many were asked for
    RESOURCE = "resource"  # CPU, memory, a queue: anything else


@dataclass(frozen=True, slots=True)
class Moved:
    """One metric of one service. usual: median of the normal period; now: mean while the symptom was felt, each in the metric's own
    unit (a share of requests for errors); off: how far from usual, in robust standard deviations of one sample."""

    service: str
    kind: Kind
    metric: str
    usual: float
    now: float
    off: float

    def __str__(self) -> str:
        if self.kind is Kind.ERRORS:
            return f"{self.service}: {self.now:.2%} of requests failed, usually {self.usual:.2%} ({self.metric})"
        return f"{self.service}: {self.metric} {self.now:.4g}, usually {self.usual:.4g}"


@dataclass(frozen=True, slots=True)
class Symptom:
    """Where it is felt. since, until: times of the first and last unusual sample.

    strength: its statistic as a multiple of the limit that chance alone passes once in 500 looks, so above 1; usually below 1 where it
    is too thin to be seen and was found further down.
    """

    service: str
    kind: Kind
    since: float
    until: float
    strength: float


@dataclass(frozen=True, slots=True)
class RankedCause:
    """A service that something unusual arises in.

    score: 0…1, the share of all that is unusual on the ways to the symptoms that arises in this service itself; of all causes together
    at most 1. kind: errors, latency or load (more requests than usual). evidence, against: in plain words.
    """

    service: str
    kind: str
    score: float
    moved: tuple[Moved, ...]
    evidence: tuple[str, ...]
    against: tuple[str, ...] = ()

    @property
    def what(self) -> str:
        """The service, by the word that `prodwise diagnose` has for a cause's subject."""
        return self.service

    def to_dict(self) -> Mapping[str, Any]:
        return {**asdict(self), "what": self.service}


@dataclass(frozen=True, slots=True)
class Ranking:
    """causes: likeliest first; none when nothing unusual is felt. unknown: what could not be judged, and why."""

    causes: tuple[RankedCause, ...] = ()
    symptoms: tuple[Symptom, ...] = ()
    unknown: tuple[str, ...] = ()
