"""The guard's own memory: who may act, what should run where, who gets the traffic, and which orders were carried out.

One JSON file, replaced atomically and synced before an effect starts. Standard library only.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from prodwise.targets.local.launch import boot_id, start_ticks, uptime
from prodwise.targets.local.layout import SLOTS, Layout, write_atomically

EFFECTS_MAX = 500
HISTORY_MAX = 20
LAPSES_MAX = 50
PERSON = 0  # the token of a person's break-glass


class Denied(Exception):
    """The guard's no. kind: refused, fenced or target (what it asks for does not exist or did not work)."""

    def __init__(self, kind: str, text: str, hint: str = "") -> None:
        super().__init__(text)
        self.kind = kind
        self.hint = hint


@dataclass(frozen=True)
class Lease:
    """until: seconds since boot `boot`. token: the highest that was ever given. pid, ticks: the holder's process, 0: not known."""

    holder: str = ""
    token: int = 0
    until: float = 0.0
    boot: str = ""
    pid: int = 0
    ticks: int = 0

    def live(self, now: float, boot: str) -> bool:
        """A lease of an earlier boot has lapsed: nobody that held it still runs."""
        return bool(self.holder) and self.boot == boot and now < self.until

    @property
    def orphaned(self) -> bool:
        """Its holder is seen to be dead: nobody can act on it any more, and the next holder need not wait until it lapses."""
        return self.ticks > 0 and start_ticks(self.pid) != self.ticks


@dataclass(frozen=True)
class Slot:
    """release: what should run here, "" for nothing. generation rises with every start and stop."""

    release: str = ""
    generation: int = 0


@dataclass(frozen=True)
class ServiceState:
    """stable, share: the switch. history: releases that were stable (or a worker's), oldest first, without repetition."""

    slots: dict[str, Slot] = field(default_factory=lambda: {slot: Slot() for slot in SLOTS})
    stable: str = "a"
    share: float = 0.0
    history: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """The switch file's line: which slot is stable, then the first lane that is not the canary's."""
        if self.share >= 1:
            return f"{self.stable}g"
        return f"{self.stable}{int(2**32 * self.share):08x}" if self.share > 0 else f"{self.stable}0"

    @property
    def current(self) -> str:
        """The release that its users reach by right: stable's, or for a worker the one that runs."""
        return self.slots[self.stable].release or next((s.release for s in self.slots.values() if s.release), "")

    def with_slot(self, slot: str, release: str) -> ServiceState:
        changed = Slot(release, self.slots[slot].generation + 1)
        return replace(self, slots={**self.slots, slot: changed})

    def remembering(self, release: str) -> ServiceState:
        """Going back to an older release forgets the newer ones: they are nothing to go back to."""
        past = self.history[: self.history.index(release)] if release in self.history else self.history
        return replace(self, history=(*past, release)[-HISTORY_MAX:]) if release else self


@dataclass(frozen=True)
class Done:
    """One order that was begun. count: how often it took effect (0 or 1); pid, ticks, boot: the process it was aimed at."""

    op: str
    count: int = 0
    pid: int = 0
    ticks: int = 0
    boot: str = ""


@dataclass(frozen=True)
class Lapse:
    """Traffic that was returned to stable because nobody held the lease any more. at: Unix seconds."""

    at: float
    service: str
    share: float
    holder: str


@dataclass(frozen=True)
class GuardState:
    lease: Lease = Lease()
    services: dict[str, ServiceState] = field(default_factory=dict)
    effects: dict[str, Done] = field(default_factory=dict)
    lapses: tuple[Lapse, ...] = ()

    def service(self, name: str) -> ServiceState:
        """Raises Denied for a name that is not in the inventory."""
        if name not in self.services:
            raise Denied(
                "target", f"there is no service {name!r}", f"known: {', '.join(sorted(self.services)) or 'none'}"
            )
        return self.services[name]

    def with_service(self, name: str, service: ServiceState) -> GuardState:
        return replace(self, services={**self.services, name: service})

    def with_effect(self, key: str, done: Done) -> GuardState:
        effects = {**self.effects, key: done}
        for old in list(effects)[: max(0, len(effects) - EFFECTS_MAX)]:
            del effects[old]
        return replace(self, effects=effects)

    def with_lapse(self, lapse: Lapse) -> GuardState:
        return replace(self, lapses=(*self.lapses, lapse)[-LAPSES_MAX:])


def lease_after(state: GuardState, holder: str, lease_s: float, pid: int = 0) -> Lease:
    """The lease once `holder` (process `pid`) has asked. Its own live lease is renewed and keeps its token; a lapsed one gets a
    new token, since traffic may have been moved meanwhile. Raises Denied while another holds it and may still live."""
    if not holder:
        raise Denied("refused", "a lease needs a holder's name")
    now, boot, lease = uptime(), boot_id(), state.lease
    live = lease.live(now, boot)
    if live and lease.holder != holder and not lease.orphaned:
        raise Denied("refused", f"{lease.holder} holds the lease for another {lease.until - now:.0f} s")
    token = lease.token if live and lease.holder == holder else lease.token + 1
    return Lease(holder, token, now + lease_s, boot, pid, start_ticks(pid) if pid else 0)


def check(state: GuardState, token: int, *, stopped: bool) -> None:
    """The door: a person's own hand may always; anybody else needs the newest token, a live lease, and no stop (which holds
    automation, not what a person asks it for). Raises Denied."""
    if token == PERSON:
        return
    if stopped:
        raise Denied(
            "refused", "Prodwise is stopped: no automatic action is taken", "`prodwise start` allows them again"
        )
    lease = state.lease
    if token != lease.token:
        raise Denied("fenced", f"token {token} is not the newest ({lease.token}): another executor has taken over")
    if not lease.live(uptime(), boot_id()):
        raise Denied("fenced", f"the lease of token {token} has lapsed: acquire it again and look before acting")


def read(layout: Layout) -> GuardState:
    """An absent file is an empty state. Raises Denied for one that cannot be read: guessing would move traffic."""
    try:
        text = layout.guard_state.read_text()
    except FileNotFoundError:
        return GuardState()
    try:
        return parse(json.loads(text))
    except (ValueError, KeyError, TypeError) as error:
        raise Denied(
            "target", f"{layout.guard_state} cannot be read: {error}", "restore it, or `prodwise down` and `up`"
        ) from None


def write(layout: Layout, state: GuardState) -> None:
    """Raises Denied, with nothing changed, when the disk does not take it."""
    try:
        write_atomically(layout.guard_state, json.dumps(asdict(state)), sync=True)
    except OSError as error:
        raise Denied(
            "target", f"the guard cannot write its state: {error}", "make room on the disk; nothing was changed"
        ) from None


def parse(data: dict[str, Any]) -> GuardState:
    return GuardState(
        lease=Lease(**data["lease"]),
        services={name: _service(entry) for name, entry in data["services"].items()},
        effects={key: Done(**entry) for key, entry in data["effects"].items()},
        lapses=tuple(Lapse(**entry) for entry in data["lapses"]),
    )


def _service(data: dict[str, Any]) -> ServiceState:
    slots = {name: Slot(**entry) for name, entry in data["slots"].items()}
    return ServiceState(slots, data["stable"], data["share"], tuple(data["history"]))
