"""From what is seen and what is wanted to the exact orders, as data. Carrying them out takes no choices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prodwise.model.service import Service, SlotName
from prodwise.model.target import ServiceSeen, Switch, TargetSeen

ROLLBACK, RESTART, RAMP, START, STOP, FINISH = "rollback", "restart", "ramp", "start", "stop", "finish"


@dataclass(frozen=True, slots=True)
class Move:
    """One outside effect to be: kind as the ledger names it, command and undo as data (undo None: state-neutral)."""

    kind: str
    service: str
    command: Mapping[str, Any]
    undo: Mapping[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "service": self.service, "command": dict(self.command), "undo": self.undo}


def start_canaries(inventory: Sequence[Service], seen: TargetSeen, release: str) -> list[Move]:
    """The release in the free slot of every service that can run two side by side."""
    return [
        Move(
            START, service.id, _start(service.id, _stable(at).other, release), _stop(service.id, _stable(at).other, 0.0)
        )
        for service, at in _seen(inventory, seen)
        if service.ramps and _runs(at, _stable(at).other) != release
    ]


def stop_canaries(inventory: Sequence[Service], seen: TargetSeen, release: str) -> list[Move]:
    """The release leaves the free slots again; nobody is sent there."""
    return [
        Move(STOP, service.id, _stop(service.id, _stable(at).other, 0.0))
        for service, at in _seen(inventory, seen)
        if service.ramps and _runs(at, _stable(at).other) == release and at.switch is not None and not at.switch.share
    ]


def ramp(inventory: Sequence[Service], seen: TargetSeen, share: float) -> list[Move]:
    """The canary's share, for every service that ramps and does not have it yet."""
    moves = []
    for service, at in _seen(inventory, seen):
        if service.ramps and at.switch is not None and at.switch.share != share:
            stable = at.switch.stable
            moves.append(
                Move(RAMP, service.id, _switch(service.id, stable, share), _switch(service.id, stable, at.switch.share))
            )
    return moves


def promote(inventory: Sequence[Service], seen: TargetSeen, release: str) -> list[Move]:
    """Services that cannot overlap follow now: old process out, new one in (web: the switch first, its retries bridge the gap)."""
    moves = []
    for service, at in _seen(inventory, seen):
        if not service.ramps and not _follows(at, release):
            moves += _replace(service, at, at.active, release)
    return moves


def followed(inventory: Sequence[Service], seen: TargetSeen, release: str) -> bool:
    """Whether every service that cannot overlap is meant to run this release."""
    return all(service.ramps or _follows(at, release) for service, at in _seen(inventory, seen))


def _follows(at: ServiceSeen, release: str) -> bool:
    return any(_runs(at, slot) == release for slot in ([at.active] if at.active else SlotName))


def finish(inventory: Sequence[Service], seen: TargetSeen, release: str) -> list[Move]:
    """The verified-good release becomes stable, then the old processes end after a drain."""
    flips, stops = [], []
    for service, at in _seen(inventory, seen):
        if not service.ramps or at.switch is None:
            continue
        new = at.switch.stable if _runs(at, at.switch.stable) == release else at.switch.stable.other
        if new is not at.switch.stable or at.switch.share:
            flips.append(
                Move(FINISH, service.id, _switch(service.id, new, 0.0), _switch(service.id, new.other, at.switch.share))
            )
        if _runs(at, new.other):
            stops.append(Move(STOP, service.id, _stop(service.id, new.other, service.drain_s)))
    return flips + stops


def withdraw(inventory: Sequence[Service], seen: TargetSeen, release: str, previous: str) -> list[Move]:
    """An unverified release leaves: users back to stable first, then services that had followed, then its processes end."""
    back, followed, stops = [], [], []
    for service, at in _seen(inventory, seen):
        if service.ramps and at.switch is not None:
            stable = at.switch.stable
            if at.switch.share:
                undo = _switch(service.id, stable, at.switch.share)
                back.append(Move(ROLLBACK, service.id, _switch(service.id, stable, 0.0), undo))
            if _runs(at, stable.other) == release:
                stops.append(Move(STOP, service.id, _stop(service.id, stable.other, 0.0)))
        elif at.active is not None and _runs(at, at.active) == release and previous:
            followed += _replace(service, at, at.active, previous)
    return back + followed + stops


def prepare_return(inventory: Sequence[Service], seen: TargetSeen, release: str) -> list[Move]:
    """First half of going back from a stable release: the earlier one starts in the free slots, beside what serves."""
    return [
        Move(
            START, service.id, _start(service.id, _stable(at).other, release), _stop(service.id, _stable(at).other, 0.0)
        )
        for service, at in _seen(inventory, seen)
        if service.ramps and _runs(at, _stable(at)) != release and _runs(at, _stable(at).other) != release
    ]


def complete_return(inventory: Sequence[Service], seen: TargetSeen, release: str) -> list[Move]:
    """Second half: users go to the earlier release, the other services follow, the bad processes end. Where it is stable already,
    users leave what has a share beside it.

    Nothing, where a slot that users were to go to holds something else by now.
    """
    if any(all(_runs(at, slot) != release for slot in SlotName) for _, at in _switched(inventory, seen)):
        return []
    flips, followed, stops = list[Move](), list[Move](), list[Move]()
    for service, at in _seen(inventory, seen):
        if service.ramps and at.switch is not None:
            flip, stop = _all_on(service, at, at.switch, release)
            flips, stops = flips + flip, stops + stop
        elif at.active is None or _runs(at, at.active) != release:
            followed += _replace(service, at, at.active, release)
    return flips + followed + stops


def _all_on(service: Service, at: ServiceSeen, switch: Switch, release: str) -> tuple[list[Move], list[Move]]:
    """All users to the slot that runs the release; then what the other slot runs ends."""
    slot = switch.stable if _runs(at, switch.stable) == release else switch.stable.other
    moved, left = slot is not switch.stable, _runs(at, slot.other)
    flips, stops = list[Move](), list[Move]()
    if moved or switch.share:
        undo = _switch(service.id, switch.stable, switch.share)
        flips.append(Move(ROLLBACK, service.id, _switch(service.id, slot, 0.0), undo))
    if moved or left not in ("", release):
        again = _start(service.id, slot.other, left) if left else None
        stops.append(Move(STOP, service.id, _stop(service.id, slot.other, service.drain_s), again))
    return flips, stops


def astray(inventory: Sequence[Service], seen: TargetSeen, release: str) -> list[str]:
    """The services of which users are on another release."""
    return [
        service.id
        for service, at in _switched(inventory, seen)
        if at.switch is not None and (at.switch.share or _runs(at, at.switch.stable) != release)
    ]


def serving(inventory: Sequence[Service], seen: TargetSeen) -> str:
    """The release that stable users reach."""
    for _, at in _switched(inventory, seen):
        process = at.slot(at.switch.stable) if at.switch is not None else None
        if process is not None and process.release:
            return process.release
    return next((p.release for at in seen.services for p in at.slots if p.release), "")


def sharing(inventory: Sequence[Service], seen: TargetSeen, stable: str) -> str:
    """Another release that has a share of the users beside the stable one; "" for none."""
    shared = [(at, at.switch.stable.other) for _, at in _switched(inventory, seen) if at.switch and at.switch.share]
    return next((left for at, slot in shared if (left := _runs(at, slot)) not in ("", stable)), "")


def returned(inventory: Sequence[Service], seen: TargetSeen, release: str) -> bool:
    """Whether every service is stable on this release."""
    return all(at.active is not None and _runs(at, at.active) == release for _, at in _seen(inventory, seen))


def gone(inventory: Sequence[Service], seen: TargetSeen, release: str) -> bool:
    """Whether nothing runs this release and no user is sent to it."""
    return all(
        all(_runs(at, slot) != release for slot in SlotName) and (at.switch is None or at.switch.share == 0)
        for _, at in _seen(inventory, seen)
    )


def beside(seen: TargetSeen, release: str) -> str:
    """Another release in a slot that is to be free; "" for none."""
    slots = [(at.switch.stable.other, one) for at in seen.services if at.switch is not None for one in at.slots]
    return next((one.release for free, one in slots if one.slot == free and one.release not in ("", release)), "")


def restart(seen: TargetSeen, service: str) -> list[Move]:
    """The process that most users reach, named by its pid so that a newer one is never hit."""
    at = seen.service(service)
    slot = at.active if at else None
    if at is not None and slot is not None and at.switch is not None and at.switch.share >= 0.5:
        slot = slot.other
    process = at.slot(slot) if at and slot else None
    return [restart_exactly(service, process.slot, process.pid)] if process is not None else []


def restart_exactly(service: str, slot: str, pid: int) -> Move:
    """Ends this very process; there is nothing to undo."""
    return Move(RESTART, service, {"op": "restart", "service": service, "slot": slot, "pid": pid})


def _replace(service: Service, at: ServiceSeen, old: SlotName | None, release: str) -> list[Move]:
    new = (old or SlotName.B).other
    moves = []
    if at.switch is not None:
        undo = _switch(service.id, at.switch.stable, at.switch.share)
        moves.append(Move(RAMP, service.id, _switch(service.id, new, 0.0), undo))
    if old is not None:
        moves.append(
            Move(STOP, service.id, _stop(service.id, old, service.drain_s), _start(service.id, old, _runs(at, old)))
        )
    moves.append(Move(START, service.id, _start(service.id, new, release), _stop(service.id, new, 0.0)))
    return moves


def _seen(inventory: Sequence[Service], seen: TargetSeen) -> Iterable[tuple[Service, ServiceSeen]]:
    for service in inventory:
        at = seen.service(service.id)
        if at is not None:
            yield service, at


def _switched(inventory: Sequence[Service], seen: TargetSeen) -> list[tuple[Service, ServiceSeen]]:
    """Those that give users to the one slot or the other."""
    return [(service, at) for service, at in _seen(inventory, seen) if service.ramps and at.switch is not None]


def _stable(at: ServiceSeen) -> SlotName:
    return at.switch.stable if at.switch else SlotName.A


def _runs(at: ServiceSeen, slot: SlotName) -> str:
    """The release that the slot is meant to run; empty when it is not meant to run anything."""
    process = at.slot(slot)
    return process.release if process is not None and process.state != "stopped" else ""


def _switch(service: str, stable: SlotName, share: float) -> dict[str, Any]:
    return {"op": "switch", "service": service, "stable": stable.value, "share": share}


def _start(service: str, slot: SlotName, release: str) -> dict[str, Any]:
    return {"op": "start", "service": service, "slot": slot.value, "release": release}


def _stop(service: str, slot: SlotName, drain_s: float) -> dict[str, Any]:
    return {"op": "stop", "service": service, "slot": slot.value, "drain_s": drain_s}


def switch_of(command: Mapping[str, Any]) -> Switch:
    return Switch(SlotName(command["stable"]), float(command["share"]))
