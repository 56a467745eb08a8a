"""What limits on single processes do not hold: the memory and the disk that a whole run takes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from prodwise.ports.repair import Limits

PROCESSES_MAX: Final = 4_096
DISK_TIMES: Final = 4
"""All files together may take so many times what one may."""
INODES_MAX: Final = 100_000
PAGE: Final = os.sysconf("SC_PAGE_SIZE")


class Watch:
    """Of one run in a tree."""

    def __init__(self, root: Path, limits: Limits) -> None:
        self._root = root
        self._memory = limits.memory
        self._disk = limits.file * DISK_TIMES
        self._blocks, self._inodes = _free(root)

    def over(self, first: int) -> str:
        """ "memory", "disk", or "" while it keeps to both. first: the first process inside."""
        if first and self._too_much_memory(_all_under(first)):
            return "memory"
        blocks, inodes = _free(self._root)
        if self._blocks - blocks > self._disk or self._inodes - inodes > INODES_MAX:
            size, many = _taken(self._root, self._disk, INODES_MAX)
            if size > self._disk or many > INODES_MAX:
                return "disk"
        return ""

    def _too_much_memory(self, processes: list[int]) -> bool:
        """Pages that several share are told apart only where it matters: that costs a walk through their maps."""
        if sum(map(_resident, processes)) <= self._memory:
            return False
        return sum(map(_share, processes)) > self._memory


def _free(root: Path) -> tuple[int, int]:
    found = os.statvfs(root)
    return found.f_bavail * found.f_frsize, found.f_favail


def _all_under(first: int) -> list[int]:
    """It and what descends from it: orphans come to the first process of their namespace."""
    found, at = [first], 0
    while at < len(found) <= PROCESSES_MAX:
        try:
            for thread in os.listdir(f"/proc/{found[at]}/task"):
                found += map(int, Path(f"/proc/{found[at]}/task/{thread}/children").read_text().split())
        except OSError:
            pass
        at += 1
    return found


def _resident(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE
    except (OSError, IndexError):
        return 0


def _share(process: int) -> int:
    """Resident bytes, those of shared pages divided by how many share them."""
    try:
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        return _resident(process)
    return 0


def _taken(root: Path, most: int, many_max: int) -> tuple[int, int]:
    """(bytes, files) in a tree; stops counting beyond either."""
    size, many, waiting = 0, 0, [str(root)]
    while waiting and size <= most and many <= many_max:
        try:
            with os.scandir(waiting.pop()) as entries:
                for one in entries:
                    size += one.stat(follow_symlinks=False).st_blocks * 512
                    many += 1
                    if one.is_dir(follow_symlinks=False):
                        waiting.append(one.path)
        except OSError:
            continue
    return size, many
