"""Processes: a crash, a crash loop, flapping. From what was seen of one slot, in the order of the sightings."""

from __future__ import annotations

from collections import deque

from prodwise.model.incident import Symptom
from prodwise.model.signal import ProcessSeen, ProcessState

LOOP_EXITS = 3
LOOP_S = 30.0
"""So many exits within so many seconds are a crash loop."""
FLAP_CHANGES = 4
FLAP_S = 600.0
"""State changes (up ↔ down) within 10 min that count as flapping."""
STEADY_S = 10.0
"""A process that has run so long since its last exit has recovered."""


class ProcessDetector:
    """One slot of one service. STOPPED is on purpose and never a symptom; UNKNOWN is neither up nor down."""

    def __init__(self, service: str, slot: str, steady_s: float = STEADY_S) -> None:
        self.service, self.slot, self.steady_s = service, slot, steady_s
        self._last: ProcessSeen | None = None
        self._exits: deque[float] = deque(maxlen=64)
        self._changes: deque[float] = deque(maxlen=64)
        self._exit_code: int | None = None
        self._crashed_at: float | None = None

    def observe(self, seen: ProcessSeen) -> None:
        """One sighting; late, repeated and unknown ones change nothing. A respawn between two looks counts as an exit."""
        last = self._last
        if seen.state is ProcessState.UNKNOWN or (last is not None and seen.at <= last.at):
            return
        self._last = seen
        if seen.state is ProcessState.STOPPED or (last is not None and seen.release != last.release):
            self._forget()
            if seen.state is not ProcessState.EXITED:
                return
            last = None
        if self._exited(last, seen):
            self._crash(seen)
        if last is not None and _up(last) is not _up(seen):
            self._changes.append(seen.at)

    def _exited(self, last: ProcessSeen | None, seen: ProcessSeen) -> bool:
        if seen.state is ProcessState.EXITED:
            same = last is not None and last.state is ProcessState.EXITED and last.restarts == seen.restarts
            return not same
        if last is None or last.state in (ProcessState.EXITED, ProcessState.STOPPED):
            return False
        return seen.restarts > last.restarts or (seen.pid != last.pid and seen.pid > 0 and last.pid > 0)

    def _crash(self, seen: ProcessSeen) -> None:
        self._exits.append(seen.at)
        self._exit_code = seen.exit_code
        if self._crashed_at is None:
            self._crashed_at = seen.at

    def _forget(self) -> None:
        self._exits.clear()
        self._changes.clear()
        self._crashed_at = None
        self._exit_code = None

    def symptoms(self, now: float) -> tuple[Symptom, ...]:
        """crash until the process has run for steady_s; crash_loop instead when exits repeat; flapping is told in words."""
        seen = self._last
        if seen is None or self._crashed_at is None or not self._exits:
            return ()
        if _up(seen) and now - self._exits[-1] >= self._steady(now):
            self._crashed_at = None
            return ()
        recent = [at for at in self._exits if now - at <= LOOP_S]
        if len(recent) >= LOOP_EXITS:
            text = f"exited {len(recent)} times in {LOOP_S:.0f} s, last {_how(self._exit_code)}"
            return (self._symptom("crash_loop", text, recent[0]),)
        if self.flapping(now):
            text = f"up and down {len(self._changes)} times in {FLAP_S / 60:.0f} min, last {_how(self._exit_code)}"
            return (self._symptom("crash_loop", text, self._changes[0]),)
        return (self._symptom("crash", f"the process ended {_how(self._exit_code)}", self._crashed_at),)

    def _steady(self, now: float) -> float:
        return LOOP_S if sum(now - at <= FLAP_S for at in self._exits) >= LOOP_EXITS else self.steady_s

    def _symptom(self, kind: str, text: str, onset: float) -> Symptom:
        release = self._last.release if self._last else ""
        return Symptom(kind, self.service, f"{text} (slot {self.slot})", onset, self._exits[-1], "", release)

    def flapping(self, now: float) -> bool:
        """FLAP_CHANGES or more state changes within FLAP_S seconds."""
        while self._changes and now - self._changes[0] > FLAP_S:
            self._changes.popleft()
        return len(self._changes) >= FLAP_CHANGES

    def running(self) -> bool | None:
        """None = never seen."""
        return None if self._last is None else _up(self._last)


def _up(seen: ProcessSeen) -> bool:
    return seen.state in (ProcessState.RUNNING, ProcessState.STARTING)


def _how(code: int | None) -> str:
    if code is None:
        return "for an unknown reason"
    return f"by signal {-code}" if code < 0 else f"with exit code {code}"
