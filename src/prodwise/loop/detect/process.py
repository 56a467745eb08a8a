"""Processes: a crash, a crash loop, flapping, a freeze. From what was seen of one slot, in the order of the sightings."""

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
FROZEN_S = 2.0
"""Seen stopped by a signal at every look for so long, and nobody else asks the service whether it answers: it hangs."""
STEADY_S = 10.0
"""A process that was seen up so long after its last exit has recovered; only a sighting proves it, not the clock."""


class ProcessDetector:
    """One slot of one service. STOPPED is on purpose and never a symptom; UNKNOWN is neither up nor down.

    probed: something asks the service whether it answers, and tells its hangs."""

    def __init__(self, service: str, slot: str, steady_s: float = STEADY_S, *, probed: bool = True) -> None:
        self.service, self.slot, self.steady_s, self.probed = service, slot, steady_s, probed
        self._last: ProcessSeen | None = None
        self._exits: deque[float] = deque(maxlen=64)
        self._changes: deque[float] = deque(maxlen=64)
        self._exit_code: int | None = None
        self._crashed_at: float | None = None
        self._frozen_since: float | None = None

    def observe(self, seen: ProcessSeen) -> None:
        """One sighting; late, repeated and unknown ones change nothing. A respawn between two looks counts as an exit."""
        last = self._last
        if seen.state is ProcessState.UNKNOWN or (last is not None and seen.at <= last.at):
            return
        self._last = seen
        self._frozen_since = (self._frozen_since or seen.at) if seen.frozen else None
        if seen.state is ProcessState.STOPPED or (last is not None and seen.release != last.release):
            self._forget()
            if seen.state is not ProcessState.EXITED:
                return
            last = None
        if self._exited(last, seen):
            self._crash(seen)
        elif self._crashed_at is not None and _up(seen) and seen.at - self._exits[-1] >= self._steady():
            self._crashed_at = None
        if last is not None and _up(last) is not _up(seen):
            self._changes.append(seen.at)

    def _exited(self, last: ProcessSeen | None, seen: ProcessSeen) -> bool:
        if seen.state is ProcessState.EXITED:
            same = last is not None and last.state is ProcessState.EXITED and last.restarts == seen.restarts
            return not same
        if last is None or last.state in (ProcessState.EXITED, ProcessState.STOPPED):
            return False
        return seen.restarts > last.restarts  # a new pid with no respawn counted was started on purpose

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
        """crash until the process has run for steady_s; crash_loop instead when exits repeat; flapping is told in words; hang for
        a frozen process that nothing else asks."""
        if self._crashed_at is None:
            return self._freeze()
        recent = [at for at in self._exits if now - at <= LOOP_S]
        if len(recent) >= LOOP_EXITS:
            text = f"exited {len(recent)} times in {LOOP_S:.0f} s, last {_how(self._exit_code)}"
            return (self._symptom("crash_loop", text, recent[0]),)
        changes = [at for at in self._changes if now - at <= FLAP_S]
        if len(changes) >= FLAP_CHANGES:
            text = f"up and down {len(changes)} times in {FLAP_S / 60:.0f} min, last {_how(self._exit_code)}"
            return (self._symptom("crash_loop", text, changes[0]),)
        return (self._symptom("crash", f"the process ended {_how(self._exit_code)}", self._crashed_at),)

    def _freeze(self) -> tuple[Symptom, ...]:
        last, since = self._last, self._frozen_since
        if self.probed or last is None or since is None or last.at - since < FROZEN_S:
            return ()
        text = f"runs but does nothing: a signal stopped it {last.at - since:.0f} s ago (slot {self.slot})"
        return (Symptom("hang", self.service, text, since, last.at, "", last.release),)

    def _steady(self) -> float:
        """Seconds up that prove a recovery; longer after several exits."""
        last = self._exits[-1]
        return LOOP_S if sum(last - at <= FLAP_S for at in self._exits) >= LOOP_EXITS else self.steady_s

    def _symptom(self, kind: str, text: str, onset: float) -> Symptom:
        release = self._last.release if self._last else ""
        return Symptom(kind, self.service, f"{text} (slot {self.slot})", onset, self._exits[-1], "", release)

    def running(self) -> bool | None:
        """None = never seen."""
        return None if self._last is None else _up(self._last)


def _up(seen: ProcessSeen) -> bool:
    return seen.state in (ProcessState.RUNNING, ProcessState.STARTING)


def _how(code: int | None) -> str:
    if code is None:
        return "for an unknown reason"
    return f"by signal {-code}" if code < 0 else f"with exit code {code}"
