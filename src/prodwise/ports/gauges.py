"""What processes and the machine use up, as the system says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Machine:
    """None: it could not be read. disk: of the place where the app lies; memory_limit_bytes: of all its processes together;
    kernel_kills: how many processes the kernel has killed for want of memory since it was started."""

    disk_free_bytes: int | None = None
    disk_bytes: int | None = None
    inodes_free_share: float | None = None
    memory_free_share: float | None = None
    memory_limit_bytes: int | None = None
    kernel_kills: int | None = None


class Gauges(Protocol):
    """Read every half a minute or so, and never by anything in a hurry. Nothing raises."""

    def machine(self) -> Machine:
        """As it is now."""

    def files_share(self, pid: int) -> float | None:
        """Open files and connections as a share of the limit, of the fullest process of its tree; None when not known."""
