"""What the outside must be able to do. Small protocols, one adapter a file; nothing here knows a concrete class."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from prodwise.model.evidence import Evidence
from prodwise.model.incident import Incident
from prodwise.model.record import Approval, Effect, EffectState, Entry, Rollout
from prodwise.model.release import Release, ReleaseState
from prodwise.model.service import Service, SlotName
from prodwise.model.signal import ProbeSeen, RequestSeen
from prodwise.model.target import Order, Switch, TargetSeen
from prodwise.ports.certificates import Handshakes as Handshakes
from prodwise.ports.certificates import Tokens as Tokens
from prodwise.ports.changes import Changes as Changes
from prodwise.ports.changes import Compares as Compares
from prodwise.ports.changes import Vitals as Vitals
from prodwise.ports.forge import Branches as Branches
from prodwise.ports.forge import Forge as Forge
from prodwise.ports.forge import Host as Host
from prodwise.ports.forge import Pulls as Pulls
from prodwise.ports.forge import Talk as Talk
from prodwise.ports.gauges import Gauges as Gauges
from prodwise.ports.history import History as History
from prodwise.ports.outside import Hook as Hook
from prodwise.ports.outside import Outsiders as Outsiders
from prodwise.ports.outside import OutsideStore as OutsideStore
from prodwise.ports.repair import Limits as Limits
from prodwise.ports.repair import Ran as Ran
from prodwise.ports.repair import Repairer as Repairer
from prodwise.ports.repair import Tree as Tree
from prodwise.ports.repair import Workshop as Workshop
from prodwise.ports.reports import ReportArchive as ReportArchive
from prodwise.ports.reports import ReportFeed as ReportFeed
from prodwise.ports.reports import ReportSink as ReportSink
from prodwise.ports.reports import Telemetry as Telemetry
from prodwise.ports.schema import Migrations as Migrations
from prodwise.ports.words import LastWords as LastWords


@dataclass(frozen=True, slots=True)
class Built:
    """What a build made. digest: hex SHA-256 over source, environment and configuration; log: path of the build's log."""

    release: str
    commit: str
    digest: str
    title: str
    author: str
    services: tuple[Service, ...]
    log: str
    env_digest: str = ""  # of the env_file's values at build time; "" without one


class Builds(Protocol):
    """Makes releases."""

    def resolve(self, ref: str) -> str:
        """The full commit id of a git ref. Raises UsageError, naming near refs, when there is none."""

    def build(self, release: str, commit: str) -> Built:
        """Builds once; the same release again returns what stands. Raises BuildFailed with the log's last lines."""

    def run_release_line(self, release: str) -> None:
        """Runs the `release:` line once per release; again is a no-op. Raises BuildFailed with the log's last lines."""

    def remove(self, release: str) -> None:
        """Removes a release that runs nowhere; a missing one is a no-op."""


class Processes(Protocol):
    """Runs releases in slots. Every effect is ordered, keyed and fenced; raises Refused (stop), Fenced or TargetError."""

    def start(self, order: Order, service: str, slot: SlotName, release: str) -> None:
        """The slot runs this release from now on (also after a reboot); replaces what ran there."""

    def stop(self, order: Order, service: str, slot: SlotName, drain_s: float) -> None:
        """Waits up to drain_s seconds for requests in flight, then ends the slot's process for good."""

    def restart(self, order: Order, service: str, slot: SlotName, pid: int) -> None:
        """Ends process `pid` if it still is the slot's, at once, and has a new one started; a newer process is left alone."""


class Traffic(Protocol):
    """Decides who reaches which slot."""

    def switch(self, order: Order, service: str, switch: Switch) -> None:
        """Takes effect for the next request; absolute, so a repetition changes nothing."""


class Observes(Protocol):
    """Looks, and never changes anything."""

    def observe(self) -> TargetSeen:
        """The target's state as it is. Raises TargetError when it cannot be seen."""


class Lease(Protocol):
    """Who may act. The holder's monotonic fencing token travels in every order."""

    def acquire(self, holder: str) -> int:
        """A token higher than any before; the same holder renews and keeps its token. Raises Refused while another holds it."""


class Target(Builds, Processes, Traffic, Observes, Lease, Protocol):
    """All that a deploy target can do, for those that hand it on."""


class RequestLog(Protocol):
    """Requests as the proxy saw them."""

    def read(self) -> Sequence[RequestSeen]:
        """What was logged since the last call, oldest first, at most 10,000 at a time."""

    def position(self) -> Mapping[str, Any]:
        """Where the next read begins, as JSON; for a later process."""

    def since(self, position: Mapping[str, Any]) -> Iterable[RequestSeen]:
        """What was logged from an earlier position up to where this reader began, oldest first, bounded."""


class Prober(Protocol):
    """Asks services whether they are well."""

    def see(self, seen: TargetSeen) -> None:
        """The newest look: the slots that run in it are asked, until another look or for a few seconds."""

    def results(self) -> Sequence[ProbeSeen]:
        """Answers since the last call, oldest first, bounded."""


class Replayer(Protocol):
    """Makes evidence where traffic is thin: the same safe request to two releases."""

    def ask(self, port: int, path: str, timeout_s: float) -> tuple[int, float]:
        """GETs a path of a local port. Returns (status, ms); status 0 without an answer."""


class Notifier(Protocol):
    """Tells a person."""

    def tell(self, title: str, text: str) -> None:
        """Delivers or raises TargetError; the message is plain text."""


class Ledger(Protocol):
    """The audit ledger: append-only, hash-chained."""

    def append(
        self,
        kind: str,
        text: str,
        *,
        actor: str,
        service: str = "",
        incident: str = "",
        data: Mapping[str, Any] | None = None,
    ) -> int:
        """Adds one entry and returns its number."""

    def entries(self, after: int = 0, limit: int = 500, incident: str = "") -> Sequence[Entry]:
        """Oldest first, those with seq > after."""

    def recent(self, limit: int = 100, kinds: Sequence[str] = ()) -> Sequence[Entry]:
        """Newest first."""

    def verify(self) -> tuple[int, str]:
        """(entries checked, "" or what is wrong)."""


class Effects(Protocol):
    """Outside effects: intent before, what was observed after."""

    def intend(self, planned: Effect) -> Effect:
        """Commits the intent; a key that is there already is returned as it stands."""

    def settle(self, key: str, state: EffectState, result: str) -> Effect:
        """Records what was observed."""

    def effects(self, story: str = "", service: str = "", since: float = 0.0) -> Sequence[Effect]:
        """Oldest first."""


class Incidents(Protocol):
    """Incidents as they stand."""

    def open(self, found: Incident) -> Incident:
        """Opens it, or adds its symptoms to the service's open one, which is returned."""

    def row(self, incident_id: str) -> Mapping[str, Any]:
        """The whole row. Raises UsageError when there is none."""

    def save(self, incident_id: str, **values: Any) -> None:
        """Sets columns."""

    def list(self, *, open_only: bool = False, limit: int = 100) -> Sequence[Incident]:
        """Newest first."""


class EvidenceStore(Protocol):
    """Facts that decisions rest on."""

    def add_evidence(self, incident_id: str, facts: Sequence[Evidence]) -> None:
        """Stores each fact once."""

    def evidence(self, incident_id: str) -> Sequence[Evidence]:
        """Oldest first."""


class IncidentStore(Incidents, EvidenceStore, Protocol):
    """Incidents with their evidence."""


class Releases(Protocol):
    """Releases and what is known of them."""

    def create(self, commit: str, asked_by: str) -> Release:
        """A new one, BUILDING, with the next number."""

    def set_state(self, release_id: str, state: ReleaseState, reason: str, actor: str = "prodwise") -> None:
        """The same state again is a no-op."""

    def list(self, limit: int = 100) -> Sequence[Release]:
        """Newest first."""

    def load(self, release_id: str) -> Release:
        """Raises UsageError when there is none."""


class ReleaseFacts(Protocol):
    """What a build found out."""

    def adopt(self, release_id: str, commit: str, reason: str) -> None:
        """Takes a release that runs, but is not known, as verified-good; a known one is left alone."""

    def describe(self, release_id: str, *, digest: str, title: str, author: str, facts: Mapping[str, Any]) -> None:
        """Sets it."""

    def facts(self, release_id: str) -> Mapping[str, Any]:
        """Build log's path, environment digest, who asked, whether the release line ran."""


class ReleaseStore(Releases, ReleaseFacts, Protocol):
    """Releases with their facts."""


class Rollouts(Protocol):
    """Releases on their way."""

    def put(self, rollout: Rollout, text: str = "") -> None:
        """Inserts or updates; a change of state or stage is also an entry in the ledger."""

    def load(self, release_id: str) -> Rollout | None:
        """None when it never began."""

    def list(self, limit: int = 50) -> Sequence[Rollout]:
        """Newest first."""

    def current(self) -> Rollout | None:
        """The one under way."""


class Settings(Protocol):
    """What outlives a restart."""

    def get(self, name: str, default: Any = None) -> Any:
        """The JSON value."""

    def put(self, name: str, value: Any, who: str) -> None:
        """Sets it."""


class Approvals(Protocol):
    """Questions to a person."""

    def ask(self, incident: str, plan_hash: str, plan: Mapping[str, Any], wait_s: float) -> Approval:
        """Asks once per incident and plan."""

    def decide(self, approval_id: str, plan_hash: str, *, yes: bool, who: str) -> Approval:
        """Raises Refused when it is closed or the plan changed."""

    def load(self, approval_id: str) -> Approval:
        """Raises UsageError when there is none."""

    def open(self) -> Sequence[Approval]:
        """Oldest first."""


class ApprovalUse(Protocol):
    """The executor's side of a question."""

    def use(self, approval_id: str) -> bool:
        """APPROVED → USED, once, unless expired; True for the one who may act."""


class ApprovalStore(Approvals, ApprovalUse, Protocol):
    """Questions and their use."""


class Logins(Protocol):
    """One-time links and sessions."""

    def link(self) -> str:
        """A secret for one login."""

    def enter(self, secret: str) -> tuple[str, str] | None:
        """(session secret, CSRF token), or None."""

    def csrf(self, session_secret: str) -> str | None:
        """The session's CSRF token, or None."""

    def leave(self, session_secret: str) -> None:
        """Ends it."""


class AuditedLedger(Ledger, Effects, Protocol):
    """Entries and effects in one chain."""


class Records(Protocol):
    """The whole store, as the stories and the pages see it."""

    @property
    def ledger(self) -> AuditedLedger: ...
    @property
    def incidents(self) -> IncidentStore: ...
    @property
    def releases(self) -> ReleaseStore: ...
    @property
    def rollouts(self) -> Rollouts: ...
    @property
    def changes(self) -> Changes: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def approvals(self) -> ApprovalStore: ...
    @property
    def logins(self) -> Logins: ...
    @property
    def outside(self) -> OutsideStore: ...

    def unit(self) -> AbstractContextManager[object]:
        """One transaction for all that is written inside; joins the one that is under way."""


class Controls(Protocol):
    """What a person may ask for, from page, API or CLI. `who` is the person, as the ledger names them. Raises ProdwiseError."""

    def deploy(self, ref: str, who: str) -> str:
        """Starts a rollout (queued behind one under way); returns the release id."""

    def rollback(self, who: str, release: str = "") -> str:
        """All traffic back to the last verified-good (or the named) release; returns the release id that serves now."""

    def restart(self, service: str, who: str) -> None:
        """One service's process, now."""

    def undo(self, incident_id: str, who: str) -> str:
        """Undoes the incident's last action, once; returns what it did."""


class Brakes(Protocol):
    """How a person holds the automation. Stop also works without all of this, by file."""

    def stop(self, who: str, reason: str) -> None:
        """No automatic action from now on (≤ 1 s), across restarts."""

    def start(self, who: str) -> None:
        """Ends the stop."""

    def freeze(self, who: str, until: float | None, reason: str) -> None:
        """No automatic change and no deploy until then (Unix seconds; None = until unfrozen)."""

    def unfreeze(self, who: str) -> None:
        """Ends the freeze."""


class StopSwitch(Protocol):
    """The file-backed stop: works with database, page and healer dead."""

    def stop(self, who: str, reason: str) -> None:
        """From now on the target's door refuses automation."""

    def start(self, who: str) -> None:
        """Ends it."""


class BreakGlass(Protocol):
    """What a person did past us, while we were dead."""

    def take(self, keep: Callable[[Mapping[str, Any]], None]) -> int:
        """Hands each entry ({at, actor, action, …}) over once, oldest first. Returns how many."""
