"""What is seen of a target, and the authority with which something is asked of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from prodwise.model.evidence import digest
from prodwise.model.service import SlotName
from prodwise.model.signal import ProcessSeen


@dataclass(frozen=True, slots=True)
class Order:
    """Every effect carries one. key: idempotency key, the same for every retry; token: fencing token (0 = a person's break-glass).

    person: a person asked for this very effect, so *stop*, which holds automation, does not hold it; fencing still does.
    """

    key: str
    token: int
    actor: str
    person: bool = False


@dataclass(frozen=True, slots=True)
class Switch:
    """Where a web service's users go: `stable`'s slot, and the share of lanes (0…1) that the other slot, the canary, gets."""

    stable: SlotName
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class ServiceSeen:
    """switch is None for services that do not ramp (workers): `active` names the slot that runs, if any."""

    service: str
    switch: Switch | None
    slots: tuple[ProcessSeen, ...]
    ports: tuple[tuple[str, int], ...] = ()  # slot name → port

    def slot(self, name: str) -> ProcessSeen | None:
        return next((seen for seen in self.slots if seen.slot == name), None)

    @property
    def active(self) -> SlotName | None:
        if self.switch is not None:
            return self.switch.stable
        running = [seen for seen in self.slots if seen.pid]
        return SlotName(running[0].slot) if running else None

    def port(self, slot: str) -> int:
        return dict(self.ports).get(slot, 0)


@dataclass(frozen=True, slots=True)
class TargetSeen:
    """One look at the whole target. at: Unix seconds. effects: idempotency key → how often it took effect (0 or 1)."""

    at: float
    services: tuple[ServiceSeen, ...]
    stopped: bool
    holder: str
    token: int
    effects: tuple[tuple[str, int], ...] = ()

    def service(self, service_id: str) -> ServiceSeen | None:
        return next((seen for seen in self.services if seen.service == service_id), None)

    @property
    def revision(self) -> str:
        """Fingerprint of what plans rest on: which release runs in which slot, and who gets the traffic."""
        slots = [
            [s.service, asdict(s.switch) if s.switch else None, [[p.slot, p.release, p.pid] for p in s.slots]]
            for s in self.services
        ]
        return digest(slots)[:16]
