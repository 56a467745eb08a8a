"""All that a diagnosis may rest on: facts, already gathered. What could not be known is None, never a default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from prodwise.loop.diagnose.blamed import calls_in
from prodwise.loop.diagnose.dependencies import PackageFacts
from prodwise.loop.diagnose.origins import OriginFacts
from prodwise.loop.diagnose.used_up import ClockSet, InputFacts, MachineUse, ProcessUse
from prodwise.loop.group.tag import calls
from prodwise.model.certificate import Credential
from prodwise.model.change import Change
from prodwise.model.digest import Group
from prodwise.model.incident import Symptom
from prodwise.model.release import Release
from prodwise.model.service import Service, needed


@dataclass(frozen=True, slots=True)
class Exit:
    """A process that ended without being asked. exit_code < 0: the signal's number; None: not known. lived_s: None if not known."""

    at: float
    service: str
    slot: str
    release: str
    exit_code: int | None = None
    lived_s: float | None = None


@dataclass(frozen=True, slots=True)
class ProcessFacts:
    """A slot's process now. running: None is unknown; since: Unix seconds of its start, 0 when not known."""

    service: str
    slot: str
    release: str
    running: bool | None
    since: float = 0.0
    rss_bytes: int = 0


@dataclass(frozen=True, slots=True)
class ProbeFacts:
    """A slot's probe now. healthy: None is unknown; failing_since: first of the failures in a row; timed_out: they were time-outs."""

    service: str
    slot: str
    release: str
    healthy: bool | None
    failing_since: float | None = None
    timed_out: bool = False
    detail: str = ""


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """One route's requests in a window before the onset and since it, answers of stable only. A list may leave out idle routes."""

    service: str
    route: str
    before: int
    before_failed: int
    after: int
    after_failed: int
    before_ms: float | None = None  # p95
    after_ms: float | None = None


@dataclass(frozen=True, slots=True)
class LoadFacts:
    """A service's load now against its usual. Rates per second, p95 in ms; None: not known."""

    service: str
    rate_now: float | None = None
    rate_usual: float | None = None
    p95_now_ms: float | None = None
    p95_usual_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two releases side by side over the same seconds."""

    service: str
    canary: str
    stable: str
    canary_n: int
    canary_failed: int
    stable_n: int
    stable_failed: int


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """Errors of one kind that programs reported. Anybody can report anything: they never weigh for a cause that is acted on,
    and what they name by themselves (`sorts.py`) yields to what our own eyes see.

    source: the credential that it rests on; first_seen, last_seen: Unix seconds; only_in: the release of ours that alone
    reports it, "" if several do or none is known; calls: the program's own, from where it was raised outwards.
    """

    service: str
    source: str
    subject: str  # the group's key
    title: str
    where: str
    first_seen: float
    last_seen: float
    count: int
    users: int
    route: str = ""
    only_in: str = ""
    calls: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, group: Group, service: str, source: str, releases: Sequence[Release], detail: Mapping[str, object] | None
    ) -> GroupFacts:
        """From what is stored. releases: ours; detail: of one of its events."""
        tags = [tag for tag in group.releases if tag]
        ours = {one.id for one in releases for tag in tags if calls(tag, one)}
        alone = len(ours) == 1 and len(tags) == len(group.releases) and all(_any_calls(tag, releases) for tag in tags)
        return cls(
            service, source, group.key, group.title, group.where, group.first_seen, group.last_seen, group.count, group.users,
            next(iter(group.routes), ""), next(iter(ours)) if alone else "", calls_in(detail or {}),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class TouchFacts:
    """A release that is known to have changed some services only. at: when it was made, Unix seconds; places: where it did."""

    release: str
    previous: str
    at: float
    services: tuple[str, ...]
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """service: whose incident it is; symptoms: its own; everything else may cover all services. since: start of what was looked at."""

    service: str
    now: float
    since: float
    symptoms: tuple[Symptom, ...]
    services: tuple[Service, ...]
    changes: tuple[Change, ...] = ()
    exits: tuple[Exit, ...] = ()
    processes: tuple[ProcessFacts, ...] = ()
    probes: tuple[ProbeFacts, ...] = ()
    requests: tuple[RequestFacts, ...] = ()
    loads: tuple[LoadFacts, ...] = ()
    contrasts: tuple[Contrast, ...] = ()
    groups: tuple[GroupFacts, ...] = ()
    uses: tuple[ProcessUse, ...] = ()
    machine: tuple[MachineUse, ...] = ()
    clock: tuple[ClockSet, ...] = ()
    inputs: tuple[InputFacts, ...] = ()
    packages: tuple[PackageFacts, ...] = ()
    origins: tuple[OriginFacts, ...] = ()
    credentials: tuple[Credential, ...] = ()
    touched: tuple[TouchFacts, ...] = ()

    @property
    def onset(self) -> float:
        """When it began, as far as the symptoms know; `now` without any."""
        return onset(self.symptoms, self.now)

    def needed(self) -> tuple[str, ...]:
        """Services that ours needs, directly or through others; never itself."""
        return needed(self.services, self.service)

    def find(self, service: str) -> Service | None:
        return next((one for one in self.services if one.id == service), None)


def onset(symptoms: Sequence[Symptom], now: float) -> float:
    """When the first of them began. What our own eyes saw settles it: nobody outside moves an onset to blame a change."""
    times = [one.onset_at for one in symptoms if one.ours] or [one.onset_at for one in symptoms]
    return min(times, default=now)


def _any_calls(tag: str, releases: Sequence[Release]) -> bool:
    return any(calls(tag, one) for one in releases)
