"""After a supervisor's death its children serve on, unsupervised. The new guard replaces them without a gap.

web: the same release is started on the other slot, and once it is well the switch goes there; the orphan is drained and ended.
worker (and a web service that must not overlap): ended, then started. The proxy is left as it is:
closing its listener would reset connections, so its launcher waits, and takes over the moment it dies. While a rollout fills both
slots, orphans stay, watched; under *stop* too. Standard library only.
"""

from __future__ import annotations

import os

from prodwise.targets.local import health, procs
from prodwise.targets.local.guard_door import Door
from prodwise.targets.local.guard_state import Denied, ServiceState
from prodwise.targets.local.launch import ORPHAN, uptime
from prodwise.targets.local.layout import SLOTS, program
from prodwise.targets.local.supervision import STOP_SECONDS
from prodwise.targets.local.wellness import asks

DRAIN_S = 10.0
AGAIN_S = 60.0


class Adoption:
    """parent: pid of the supervisor that runs now; whoever is ours and not its child is an orphan."""

    def __init__(self, door: Door, parent: int) -> None:
        self._door = door
        self._parent = parent
        self._not_before: dict[str, float] = {}

    def orphaned(self, name: str) -> bool:
        seen = procs.read_pid(self._door.layout.pid(name))
        return seen.alive and procs.parent_of(seen.pid) != self._parent

    def turn(self) -> None:
        """Replaces what can be replaced now; what cannot is tried again in the next turn."""
        if os.getppid() != self._parent:
            return  # our own supervisor has just died: this is the next guard's matter
        self._leftovers()
        for service, state in self._door.state.services.items():
            for slot in SLOTS:
                name = program(service, slot)
                if self.orphaned(name) and uptime() >= self._not_before.get(name, 0.0):
                    self._not_before[name] = uptime() + AGAIN_S
                    try:
                        self._adopt(service, state, slot)
                    except (Denied, OSError) as problem:
                        print(f"guard: {name}: left unsupervised: {problem}", flush=True)

    def _adopt(self, service: str, state: ServiceState, slot: str) -> None:
        name = program(service, slot)
        release = state.slots[slot].release
        if not release:
            seen = procs.read_pid(self._door.layout.pid(name))
            procs.end(seen.pid, seen.ticks, STOP_SECONDS)
        elif not self._door.hands.service(service, release).ramps:
            self._door.hands.start(name)  # its launcher ends the orphan first
        elif self._door.stopped or state.share or state.stable != slot or not self._free(state, slot):
            self._not_before[name] = uptime() + 1.0
        else:
            self._replace(service, slot, release)

    def _free(self, state: ServiceState, slot: str) -> bool:
        """The other slot is free, or already has this release: an earlier guard died while it was replacing."""
        return state.slots[_other(slot)].release in ("", state.slots[slot].release)

    def _replace(self, service: str, slot: str, release: str) -> None:
        """1. Starts the release on the other slot. 2. Waits until it is well. 3. Switches. 4. Drains and ends the orphan."""
        door, hands = self._door, self._door.hands
        other, name = _other(slot), program(service, slot)
        orphan = procs.read_pid(door.layout.pid(name))
        if door.state.service(service).slots[other].release != release:
            door.move(service, other, release, switch=False)
        hands.start(program(service, other))
        noun, place = hands.service(service, release), hands.places.place(service)
        port = place.port(other) if place is not None else 0
        pid_file = door.layout.pid(program(service, other))
        told = asks(door.layout, noun, release, port)
        reason = (
            told if isinstance(told, str) else health.wait(noun, port, told, lambda: procs.read_pid(pid_file).alive)
        )
        with door.lock:
            now = door.state.service(service)
            undisturbed = now.stable == slot and not now.share and now.slots[other].release == release
            if reason or not undisturbed:
                print(f"guard: {name}: left unsupervised: {reason or 'another order came'}", flush=True)
            else:
                door.move(service, other, release, switch=True)
                door.move(service, slot, "", switch=False)
        if reason and undisturbed:
            door.move(service, other, "", switch=False)
            hands.end(program(service, other))
        elif undisturbed:
            self._finish(service, slot, orphan)

    def _finish(self, service: str, slot: str, orphan: procs.PidFile) -> None:
        deadline = uptime() + DRAIN_S
        while uptime() < deadline and self._door.hands.in_flight(service, slot) != 0:
            procs.gone(orphan.pid, orphan.ticks, 0.05)
        procs.end(orphan.pid, orphan.ticks, STOP_SECONDS)

    def _leftovers(self) -> None:
        """Processes whose place was taken: the launcher kept their pid files beside the new ones."""
        for path in self._door.layout.run.glob(f"*.pid.{ORPHAN}.*"):
            old = procs.read_pid(path)
            if not old.alive:
                path.unlink(missing_ok=True)
            else:
                procs.end(old.pid, old.ticks, STOP_SECONDS)


def _other(slot: str) -> str:
    return "b" if slot == "a" else "a"
