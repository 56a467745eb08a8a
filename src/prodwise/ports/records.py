"""What is written down, and outlives us."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from prodwise.model.evidence import Evidence
from prodwise.model.incident import Incident
from prodwise.model.record import Approval, Effect, EffectState, Entry, Rollout
from prodwise.model.release import Release, ReleaseState
from prodwise.ports.changes import Changes
from prodwise.ports.outside import OutsideStore


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

    def recent(self, limit: int = 100, kinds: Sequence[str] = (), incident: str = "") -> Sequence[Entry]:
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

    def list(self, *, open_only: bool = False, limit: int = 100, begins: str = "") -> Sequence[Incident]:
        """Newest first. begins: only those whose ids do, the one with this very id before all others."""


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

    def list(self, limit: int = 100, begins: str = "") -> Sequence[Release]:
        """Newest first. begins: only those whose ids do, the one with this very id before all others."""

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
