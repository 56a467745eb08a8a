"""What a process and its machine use up, sampled now and then; None is not known. Facts of a case, and how a trend is read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

TREND_MIN_S: Final = 600.0
TREND_SAMPLES: Final = 8
GROWN_SHARE, GROWN_BYTES = 0.5, 32 * 2**20
STEADY: Final = 0.8
"""Of all pairs of samples so many rise more than fall (Kendall's tau): caches that fill and are emptied do not."""
WARM_UP_S: Final = 120.0
"""A process that has just started grows, and means nothing by it."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One slot's process at one moment. at: Unix seconds; files_share: of its limit, the fullest of its processes."""

    at: float
    rss_bytes: int
    files_share: float | None = None


@dataclass(frozen=True, slots=True)
class ProcessUse:
    """One slot's process over the time that it was sampled. grown_bytes: from its first steady samples to its last ones;
    grows: steadily, see `use_of`; limit_bytes: of its memory; files_share: open files and connections, of its limit."""

    service: str
    slot: str
    release: str
    since: float
    until: float
    rss_bytes: int
    grown_bytes: int
    grows: bool | None
    limit_bytes: int | None = None
    files_share: float | None = None


@dataclass(frozen=True, slots=True)
class MachineUse:
    """at: Unix seconds. disk: of the place where the app lies; kernel_kills: processes that the kernel killed for want of
    memory in the last `kills_s` seconds."""

    at: float
    disk_free_bytes: int | None = None
    disk_bytes: int | None = None
    inodes_free_share: float | None = None
    memory_free_share: float | None = None
    kernel_kills: int | None = None
    kills_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ClockSet:
    """The machine's clock was set. moved_s: forward is positive."""

    at: float
    moved_s: float


@dataclass(frozen=True, slots=True)
class InputFacts:
    """A route's requests since the onset: those of the path that fails most, and all its others. path: as it was asked."""

    service: str
    route: str
    path: str
    n: int
    failed: int
    others: int
    others_failed: int
    paths: int = 1  # other paths of the route that were asked


def disk_full(machine: MachineUse) -> bool:
    """Nothing more can be written there."""
    return _disk_below(machine, 0.01, 64 * 2**20) or (
        machine.inodes_free_share is not None and machine.inodes_free_share < 0.01
    )


def disk_low(machine: MachineUse) -> bool:
    return _disk_below(machine, 0.03, 256 * 2**20)


def _disk_below(machine: MachineUse, share: float, size: int) -> bool:
    """Little of a large disk may be a lot, and so may be all of a small one: both must be little."""
    free, whole = machine.disk_free_bytes, machine.disk_bytes
    return free is not None and free < size and (not whole or free < 10 * share * whole)


def files_out(use: ProcessUse) -> bool:
    return use.files_share is not None and use.files_share >= 0.9


def memory_scarce(use: ProcessUse) -> bool:
    return use.limit_bytes is not None and use.rss_bytes >= 0.9 * use.limit_bytes


def use_of(
    service: str, slot: str, release: str, started_at: float, samples: Iterable[Sample], limit_bytes: int | None = None
) -> ProcessUse | None:
    """None without a sample. Growth is told from ten minutes of a process that has warmed up, else it is not known."""
    ordered = sorted(samples, key=lambda one: one.at)
    if not ordered:
        return None
    warm = [one for one in ordered if one.at >= started_at + WARM_UP_S]
    grown, grows = 0, None
    if len(warm) >= TREND_SAMPLES and warm[-1].at - warm[0].at >= TREND_MIN_S:
        grown = _middle(warm[-3:]) - _middle(warm[:3])
        wide = grown >= max(GROWN_BYTES, GROWN_SHARE * _middle(warm[:3]))
        grows = wide and _tau([one.rss_bytes for one in warm]) >= STEADY
    last = ordered[-1]
    return ProcessUse(
        service, slot, release, ordered[0].at, last.at, last.rss_bytes, grown, grows, limit_bytes, last.files_share
    )


def _middle(samples: Sequence[Sample]) -> int:
    return sorted(one.rss_bytes for one in samples)[len(samples) // 2]


def _tau(values: Sequence[int]) -> float:
    """(pairs that rise - pairs that fall) / pairs, of at most 60 values, evenly taken."""
    step = max(1, len(values) // 60)
    taken = [*values[::step]]
    pairs = [(b > a) - (b < a) for i, a in enumerate(taken) for b in taken[i + 1 :]]
    return sum(pairs) / len(pairs) if pairs else 0.0
