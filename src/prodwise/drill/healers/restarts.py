"""Restarts as seen from outside: a service whose process is another one than before."""

from __future__ import annotations

from prodwise import clock
from prodwise.drill.healers.base import Event
from prodwise.drill.processes import age_s


class RestartLog:
    """Turns changes of pids into events, for healers that keep no record that a drill could read."""

    def __init__(self, actor: str) -> None:
        self._actor = actor
        self._events: list[Event] = []
        self._pids: dict[str, int] = {}

    def forget(self) -> None:
        """What was just replaced on purpose (a deploy) is not a restart."""
        self._pids.clear()

    def look(self, service: str, pids: list[int]) -> None:
        """Notes one restart if the service has a new process."""
        if not pids:
            return
        before = self._pids.get(service)
        self._pids[service] = pids[0]
        if before is not None and before != pids[0]:
            data = {"kind": "restart", "target": service, "state": "done", "actor": self._actor}
            text = f"{self._actor} started {service} again"
            self._events.append(
                Event(len(self._events) + 1, clock.now() - age_s(pids[0]), "action", service, text, data)
            )

    def after(self, seq: int) -> list[Event]:
        return self._events[seq:]
