"""What users reach, and where it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class ServiceKind(StrEnum):
    WEB = "web"  # speaks HTTP on PORT, sits behind the proxy, can ramp
    WORKER = "worker"  # no HTTP: switched at promotion, judged by its process


class SlotName(StrEnum):
    """Each service has two fixed places to run in, so that a switch never reloads the proxy."""

    A = "a"
    B = "b"

    @property
    def other(self) -> SlotName:
        return SlotName.B if self is SlotName.A else SlotName.A


class ProbeKind(StrEnum):
    HTTP = "http"
    TCP = "tcp"
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class Probe:
    """A question asked of a service, always with a time-out.

    interval_s, timeout_s in seconds; `target` is a path (http), empty (tcp) or a command line (command).
    """

    kind: ProbeKind
    target: str = ""
    interval_s: float = 0.25
    timeout_s: float = 0.4


@dataclass(frozen=True, slots=True)
class Service:
    """One service of the app. `id` is its name in the inventory; `needs` are ids of services it calls."""

    id: str
    kind: ServiceKind
    command: str
    probe: Probe | None = None
    checks: tuple[str, ...] = ()  # paths that must answer < 500 before any user sees a release
    overlap: bool = True
    needs: tuple[str, ...] = ()
    upstream: bool = (
        False  # stands for something outside our control: never restarted or rolled back for its own faults
    )
    drain_s: float = 10.0
    start_s: float = 20.0  # a release that is not healthy after this many seconds never becomes so
    env: tuple[tuple[str, str], ...] = field(default=())

    @property
    def ramps(self) -> bool:
        """Whether two releases of it may run side by side."""
        return self.kind is ServiceKind.WEB and self.overlap


def front_service(services: Sequence[Service]) -> str:
    """Which service users reach: the one named web, else the first that does not stand for an upstream; "" without any."""
    webs = [service for service in services if service.kind is ServiceKind.WEB]
    named = [service.id for service in webs if service.id == "web"]
    own = [service.id for service in webs if not service.upstream]
    return next(iter(named or own or [service.id for service in webs]), "")


def needed(services: Sequence[Service], service: str) -> tuple[str, ...]:
    """Services that one needs, directly or through others; never itself."""
    needs = {one.id: one.needs for one in services}
    found: set[str] = set()
    todo = list(needs.get(service, ()))
    while todo:
        name = todo.pop()
        if name not in found and name != service:
            found.add(name)
            todo.extend(needs.get(name, ()))
    return tuple(sorted(found))
