"""The guard's eyes on processes: what dies is started again at once, what should run and does not is started, logs stay small.

Standard library only.
"""

from __future__ import annotations

import contextlib
import os
import select
import time
from pathlib import Path

from prodwise.targets.local import procs, rpc
from prodwise.targets.local.guard_door import Door
from prodwise.targets.local.guard_look import Look
from prodwise.targets.local.guard_state import Denied
from prodwise.targets.local.launch import uptime
from prodwise.targets.local.layout import SLOTS, program

TURN_MS = 200
MISSING_S = 1.5  # what should run and does not for this long is started by us
LOG_BYTES_MAX = 8 * 1024 * 1024
ROTATE_EVERY_S = 5.0
CHECK_EVERY_S = 0.5


class Watch:
    """One turn: deaths, new processes, what is missing, the lease, the logs."""

    def __init__(self, door: Door, look: Look) -> None:
        self._door, self._look = door, look
        self._poll = select.poll()
        self._watched: dict[int, tuple[str, procs.PidFile]] = {}  # pidfd → program and process
        self._known: dict[str, tuple[int, int]] = {}
        self._missing_since: dict[str, float] = {}
        self._rotated = self._checked = 0.0

    def turn(self) -> None:
        for handle, _ in self._poll.poll(TURN_MS):
            self._died(handle)
        self._notice()
        if uptime() - self._checked > CHECK_EVERY_S:
            self._checked = uptime()
            self._start_missing()
        self._door.lapse(time.time())  # noqa: TID251
        if uptime() - self._rotated > ROTATE_EVERY_S:
            self._rotated = uptime()
            self._bound_logs()

    def _wanted(self) -> dict[str, bool]:
        """Program → whether it should run."""
        services = self._door.state.services.items()
        wanted = {program(name, slot): bool(state.slots[slot].release) for name, state in services for slot in SLOTS}
        return {"caddy": True, **wanted}

    def _notice(self) -> None:
        for name in self._wanted():
            seen = procs.read_pid(self._door.layout.pid(name))
            if not seen.pid or self._known.get(name) == (seen.pid, seen.ticks):
                continue
            self._known[name] = (seen.pid, seen.ticks)
            try:
                handle = os.pidfd_open(seen.pid)
            except OSError:
                continue
            self._watched[handle] = (name, seen)
            self._poll.register(handle, select.POLLIN)

    def _died(self, handle: int) -> None:
        """Reads how it died while its corpse is there, ends what it left behind, and has it started again."""
        name, seen = self._watched.pop(handle)
        self._poll.unregister(handle)
        os.close(handle)
        code = procs.exit_status(seen.pid)
        procs.bury_group(seen.pid)
        if self._wanted().get(name) and not self._door.busy(name):
            self._door.hands.respawn(name, seen)
            self._await_next(name)
        self._look.exits[name] = (
            code if code is not None else rpc.exit_code(self._door.layout.socket("supervisor"), name)
        )

    def _await_next(self, name: str) -> None:
        """Briefly, so that a process that dies at once is noticed too."""
        deadline = uptime() + 0.1
        before = self._known.get(name)
        while uptime() < deadline:
            self._notice()
            if self._known.get(name) != before:
                return
            time.sleep(0.005)

    def _start_missing(self) -> None:
        now = uptime()
        for name, wanted in self._wanted().items():
            seen = procs.read_pid(self._door.layout.pid(name))
            if not wanted or seen.alive or seen.waiting_until > now or self._door.busy(name):
                self._missing_since.pop(name, None)
            elif now - self._missing_since.setdefault(name, now) > MISSING_S:
                self._missing_since[name] = now
                with contextlib.suppress(Denied):
                    self._door.hands.start(name)

    def start_all(self) -> None:
        """At the guard's own start: what should run and does not, at once."""
        for name, wanted in self._wanted().items():
            if wanted and not procs.read_pid(self._door.layout.pid(name)).alive:
                with contextlib.suppress(Denied):
                    self._door.hands.start(name)

    def _bound_logs(self) -> None:
        for path in self._door.layout.log.glob("*.log"):
            if not path.name.startswith(("access", "caddy.log", "supervisord")):
                bound_log(path, LOG_BYTES_MAX)


def bound_log(path: Path, size_max: int) -> None:
    """Copies a log that has grown too large aside, and empties it. Its writer appends, so it goes on in the same file.

    On a full disk it is emptied without a copy. Lines written between the two steps are lost.
    """
    with contextlib.suppress(OSError):
        if path.stat().st_size <= size_max:
            return
        old = path.with_name(path.name + ".1")
        try:
            with path.open("rb") as source, old.open("wb") as copy:
                while chunk := source.read(1 << 20):
                    copy.write(chunk)
        except OSError:
            old.unlink(missing_ok=True)
        os.truncate(path, 0)
