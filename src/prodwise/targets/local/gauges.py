"""What processes and the machine use up, read from /proc and the control group: a few small files."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from prodwise.ports.gauges import Machine
from prodwise.targets.local import procs

READ_MAX: Final = 64 * 1024
_LIMIT = re.compile(r"^Max open files\s+(\d+)", re.MULTILINE)


class LocalGauges:
    """app_dir: where the app lies, and its releases, logs and store with it. root: of the system's files."""

    def __init__(self, app_dir: Path, root: Path = Path("/")) -> None:
        self._app, self._proc, self._group = app_dir, root / "proc", root / "sys/fs/cgroup"

    def machine(self) -> Machine:
        free, whole, inodes = self._disk()
        return Machine(free, whole, inodes, self._memory_free(), self._limit(), self._kills())

    def files_share(self, pid: int) -> float | None:
        shares = [share for one in procs.tree(pid) if (share := self._files(one)) is not None]
        return max(shares, default=None)

    def _files(self, pid: int) -> float | None:
        limit = _LIMIT.search(_read(self._proc / str(pid) / "limits"))
        try:
            many = len(os.listdir(self._proc / str(pid) / "fd"))
        except OSError:
            return None
        return many / int(limit[1]) if limit and int(limit[1]) else None

    def _disk(self) -> tuple[int | None, int | None, float | None]:
        try:
            found = os.statvfs(self._app)
        except OSError:
            return None, None, None
        inodes = found.f_favail / found.f_files if found.f_files else None
        return found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize, inodes

    def _memory_free(self) -> float | None:
        """Of the machine; of the control group where that has a limit."""
        limit, used = self._limit(), _number(_read(self._group / "memory.current"))
        if limit and used is not None:
            return max(0.0, 1 - (used - self._cache()) / limit)
        told = dict(line.split(":", 1) for line in _read(self._proc / "meminfo").splitlines() if ":" in line)
        free, whole = (_number(told.get(name, "").strip().removesuffix("kB")) for name in ("MemAvailable", "MemTotal"))
        return free / whole if free is not None and whole else None

    def _cache(self) -> int:
        """What the kernel gives back when it is asked: files that it keeps."""
        return _counter(_read(self._group / "memory.stat"), "inactive_file") or 0

    def _limit(self) -> int | None:
        return _number(_read(self._group / "memory.max"))

    def _kills(self) -> int | None:
        """Of the control group where there is one of our own, else of the whole machine."""
        own = _counter(_read(self._group / "memory.events"), "oom_kill")
        return own if own is not None else _counter(_read(self._proc / "vmstat"), "oom_kill")


def _read(path: Path) -> str:
    """ "" for what is not there, or not ours to read."""
    try:
        with path.open("rb") as file:
            return file.read(READ_MAX).decode("ascii", "replace")
    except OSError:
        return ""


def _number(text: str) -> int | None:
    return int(text) if text.strip().isdecimal() else None


def _counter(text: str, name: str) -> int | None:
    return next((_number(line.split()[1]) for line in text.splitlines() if line.split()[:1] == [name]), None)
