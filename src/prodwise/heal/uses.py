"""What processes and the machine use up, over time: sampled every half a minute by a thread of its own."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from prodwise.clock import now
from prodwise.heal.rounds import Rounds
from prodwise.loop.diagnose.used_up import MachineUse, ProcessUse, Sample, use_of
from prodwise.model.signal import ProcessSeen
from prodwise.model.target import TargetSeen
from prodwise.ports import Gauges

PACE_S: Final = 30.0
SAMPLES_MAX: Final = 240
SLOTS_MAX: Final = 200
KILLS_S: Final = 600.0
RECENT_S: Final = 300.0
"""A process that was last seen longer ago than this is not what is wrong now."""


@dataclass
class _Followed:
    """One process. Once there are too many samples every other one goes, and they are taken half as often."""

    process: ProcessSeen
    samples: list[Sample] = field(default_factory=list)
    pace_s: float = PACE_S
    newest: Sample = field(default_factory=lambda: Sample(0.0, 0))

    def add(self, sample: Sample) -> None:
        self.newest = sample
        if self.samples and sample.at - self.samples[-1].at < 0.9 * self.pace_s:
            return
        self.samples.append(sample)
        if len(self.samples) > SAMPLES_MAX:
            self.samples, self.pace_s = self.samples[::2], 2 * self.pace_s


class Uses:
    """Sampling slows no look at the target. `look` gives the newest one."""

    def __init__(self, gauges: Gauges | None, look: Callable[[], TargetSeen]) -> None:
        self._gauges, self._look = gauges, look
        self._followed: dict[tuple[str, str], _Followed] = {}
        self._ended: dict[tuple[str, str], _Followed] = {}  # the process before, which may be what an incident is about
        self._kills: deque[tuple[float, int]] = deque(maxlen=int(KILLS_S / PACE_S) + 2)
        self._limit: int | None = None
        self._lock = threading.Lock()
        self._rounds = Rounds("uses", lambda: self.sample(now()), lambda: PACE_S)

    def start(self) -> None:
        if self._gauges is not None:
            self._rounds.start()

    def stop(self) -> None:
        self._rounds.stop()

    def sample(self, at: float) -> None:
        """One look at every process that runs, and at the machine."""
        if self._gauges is None:
            return
        machine = self._gauges.machine()
        running = [one for service in self._look().services for one in service.slots if one.pid][:SLOTS_MAX]
        taken = [(one, Sample(at, one.rss_bytes, self._gauges.files_share(one.pid))) for one in running]
        with self._lock:
            self._limit = machine.memory_limit_bytes
            if machine.kernel_kills is not None:
                self._kills.append((at, machine.kernel_kills))
            before = self._followed
            self._followed = {}
            for one, sample in taken:
                known = before.get((one.service, one.slot))
                same = known is not None and known.process.pid == one.pid and known.process.started_at == one.started_at
                followed = known if known is not None and same else _Followed(one)
                if known is not None and not same:
                    self._ended[one.service, one.slot] = known
                if sample.rss_bytes:
                    followed.add(sample)
                self._followed[one.service, one.slot] = followed

    def processes(self, at: float) -> tuple[ProcessUse, ...]:
        """What each process that ran at the last sample has used since it was first seen, and those that ended lately."""
        with self._lock:
            found = [
                use_of(p.service, p.slot, p.release, p.started_at, {*one.samples, one.newest}, self._limit)
                for one in (*self._followed.values(), *self._ended.values())
                for p in (one.process,)
                if one.samples and at - one.newest.at <= RECENT_S
            ]
        return tuple(one for one in found if one is not None)

    def machine(self, at: float) -> tuple[MachineUse, ...]:
        """Now, and how many processes the kernel has killed for want of memory in the last ten minutes."""
        if self._gauges is None:
            return ()
        found = self._gauges.machine()
        with self._lock:
            earlier = next(((when, many) for when, many in self._kills if at - when <= KILLS_S), None)
        kills, kills_s = None, 0.0
        if earlier is not None and found.kernel_kills is not None:
            kills, kills_s = max(0, found.kernel_kills - earlier[1]), max(0.0, at - earlier[0])
        return (
            MachineUse(
                at,
                found.disk_free_bytes,
                found.disk_bytes,
                found.inodes_free_share,
                found.memory_free_share,
                kills,
                kills_s,
            ),
        )
