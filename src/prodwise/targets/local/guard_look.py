"""What the guard sees of the target, ready for JSON. Cheap: it is asked several times a second. Standard library only."""

from __future__ import annotations

import time
from typing import Any

from prodwise.targets.local import procs
from prodwise.targets.local.guard_door import Door
from prodwise.targets.local.guard_state import ServiceState
from prodwise.targets.local.launch import boot_id, uptime
from prodwise.targets.local.layout import SLOTS, program

WEIGH_EVERY_S = 1.0  # memory and files of a process tree are read this often at most
Json = dict[str, Any]


class Look:
    """exits: program → last exit code that was seen, kept up to date by the watcher."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self.exits: dict[str, int | None] = {}
        self._weights: dict[str, tuple[int, float, int, int]] = {}

    def observe(self) -> Json:
        state = self._door.state
        live = state.lease.live(uptime(), boot_id())
        return {
            "at": time.time(),  # noqa: TID251
            "stopped": self._door.stopped,
            "holder": state.lease.holder if live else "",
            "token": state.lease.token,
            "services": [self._service(name, service) for name, service in sorted(state.services.items())],
            "effects": [[key, done.count] for key, done in state.effects.items()],
        }

    def _service(self, name: str, service: ServiceState) -> Json:
        place = self._door.hands.places.place(name)
        web = place is not None and place.web
        return {
            "service": name,
            "switch": [service.stable, service.share] if web else None,
            "ports": [[slot, place.port(slot)] for slot in SLOTS] if place is not None and web else [],
            "history": list(service.history),
            "slots": [self._slot(name, service, slot) for slot in SLOTS],
        }

    def _slot(self, name: str, service: ServiceState, slot: str) -> Json:
        """state: running; starting (never ran yet); exited (died, or waits in a crash loop); stopped (on purpose)."""
        wanted = service.slots[slot]
        key = program(name, slot)
        seen = procs.read_pid(self._door.layout.pid(key))
        same = seen.generation == wanted.generation
        alive = seen.alive
        if alive:
            state = "running"
        elif not wanted.release:
            state = "stopped"
        else:
            state = "exited" if same and seen.count else "starting"
        rss, files = self._weight(key, seen) if alive else (0, 0)
        return {
            "slot": slot,
            "release": (seen.release if alive else wanted.release) or wanted.release,
            "state": state,
            "pid": seen.pid if alive else 0,
            "started_at": seen.started_at,
            "exit_code": self.exits.get(key) if same and wanted.release else None,
            "restarts": max(0, seen.count - 1) if same else 0,
            "rss_bytes": rss,
            "open_files": files,
            "frozen": alive and procs.frozen(seen.pid),
        }

    def _weight(self, key: str, seen: procs.PidFile) -> tuple[int, int]:
        known = self._weights.get(key)
        now = uptime()
        if known is None or known[0] != seen.pid or now - known[1] > WEIGH_EVERY_S:
            pids = procs.tree(seen.pid)
            known = (seen.pid, now, procs.memory_bytes(pids), procs.open_files(pids))
            self._weights[key] = known
        return known[2], known[3]
