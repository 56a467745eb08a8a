"""One observation, never edited."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Arm(StrEnum):
    STABLE = "stable"
    CANARY = "canary"


@dataclass(frozen=True, slots=True)
class RequestSeen:
    """One finished request, as the proxy logged it.

    at: Unix seconds when it finished; ms: latency; share: the canary's share of lanes when it was routed (0…1);
    release and arm are those that the router chose, not the upstream that finally answered (`fell_over` says if another did);
    lane: the user's cookie lane (stable per browser), or the request's own id if the client brought none (`returning` tells which).
    """

    at: float
    service: str
    release: str
    arm: Arm
    share: float
    route: str  # "GET /product/:id": method and path with variable segments folded, bounded in number
    status: int  # 0 when the client got no answer
    ms: float
    lane: str
    fell_over: bool = False
    path: str = ""
    returning: bool = False

    @property
    def ok(self) -> bool:
        """An answer below 500 that came from the release it was routed to."""
        return 0 < self.status < 500 and not self.fell_over

    @property
    def served(self) -> bool:
        """What the user saw, whoever answered."""
        return 0 < self.status < 500


@dataclass(frozen=True, slots=True)
class ProbeSeen:
    """One probe's answer. ok is None when the probe itself could not be made (unknown, neither healthy nor sick)."""

    at: float
    service: str
    release: str
    slot: str
    ok: bool | None
    ms: float
    detail: str = ""


class ProcessState(StrEnum):
    RUNNING = "running"
    STARTING = "starting"
    EXITED = "exited"
    STOPPED = "stopped"  # on purpose
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ProcessSeen:
    """One slot's process. exit_code < 0 is a signal's number; restarts counts respawns since the slot was started; frozen: the
    system keeps it stopped (SIGSTOP), so that it does nothing."""

    at: float
    service: str
    slot: str
    release: str
    state: ProcessState
    pid: int = 0
    started_at: float = 0.0
    exit_code: int | None = None
    restarts: int = 0
    rss_bytes: int = 0
    open_files: int = 0
    frozen: bool = False

    @property
    def exits(self) -> int:
        """How often it has ended by itself since the slot was started."""
        return self.restarts + (self.state is ProcessState.EXITED)
