"""Processes as /proc shows them. A process is always named by pid and start time: pids are reused. Standard library only."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from prodwise.targets.local.launch import boot_id, read_json, start_ticks, uptime

PAGE = os.sysconf("SC_PAGE_SIZE")
TREE_MAX = 256  # processes of one service that are looked at


@dataclass(frozen=True)
class PidFile:
    """What the launcher wrote. ticks: start time in clock ticks since boot; waiting_until: seconds since boot, in a crash loop."""

    pid: int = 0
    ticks: int = 0
    release: str = ""
    started_at: float = 0.0
    count: int = 0
    generation: int = 0
    waiting_until: float = 0.0
    path: Path = Path()

    @property
    def alive(self) -> bool:
        return self.pid > 0 and self.ticks > 0 and start_ticks(self.pid) == self.ticks


_read: dict[Path, tuple[int, int, PidFile]] = {}
READ_MAX = 500


def read_pid(path: Path) -> PidFile:
    """An absent, unreadable or older boot's file is an empty one. Read again only when it was replaced."""
    try:
        facts = os.stat(path)
    except OSError:
        return PidFile(path=path)
    known = _read.get(path)
    if known is None or known[:2] != (facts.st_ino, facts.st_mtime_ns):
        known = (facts.st_ino, facts.st_mtime_ns, _parse_pid(path))
        if len(_read) >= READ_MAX:
            _read.clear()
        _read[path] = known
    return known[2]


def _parse_pid(path: Path) -> PidFile:
    data = read_json(str(path))
    if not data or data.get("boot") != boot_id():
        return PidFile(path=path)
    return PidFile(
        pid=int(data.get("pid", 0)),
        ticks=int(data.get("ticks", 0)),
        release=str(data.get("release", "")),
        started_at=float(data.get("started_at", 0.0)),
        count=int(data.get("count", 0)),
        generation=int(data.get("generation", 0)),
        waiting_until=float(data.get("waiting_until", 0.0)),
        path=path,
    )


def parent_of(pid: int) -> int:
    """The parent's pid, 0 without a process."""
    fields = _stat(pid)
    return int(fields[1]) if fields else 0


def frozen(pid: int) -> bool:
    """Whether a signal stopped it (SIGSTOP and its kin); a process under a debugger's hands is not meant."""
    return _stat(pid)[:1] == ["T"]


def exit_status(pid: int) -> int | None:
    """A corpse's exit code, or minus its signal's number; None once it has been buried (or while it lives)."""
    fields = _stat(pid)
    if not fields or fields[0] != "Z":
        return None
    status = int(fields[49])
    return -(status & 0x7F) if status & 0x7F else (status >> 8) & 0xFF


def _stat(pid: int) -> list[str]:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return []


def tree(pid: int) -> list[int]:
    """The process and its descendants, at most TREE_MAX."""
    found = [pid]
    for known in found:
        if len(found) >= TREE_MAX:
            break
        found.extend(_children(known))
    return found[:TREE_MAX]


def _children(pid: int) -> list[int]:
    children: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as file:
                children.extend(int(child) for child in file.read().split())
    except OSError:
        pass
    return children


def memory_bytes(pids: list[int]) -> int:
    """Resident bytes of them together (shared pages count in each)."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/statm") as file:
                total += int(file.read().split()[1]) * PAGE
        except (OSError, IndexError):
            continue
    return total


def open_files(pids: list[int]) -> int:
    total = 0
    for pid in pids:
        try:
            total += len(os.listdir(f"/proc/{pid}/fd"))
        except OSError:
            continue
    return total


def kill_group(pid: int, ticks: int) -> bool:
    """SIGKILL to the very process with these start ticks and its whole group. Says whether there was one."""
    if not ticks or start_ticks(pid) != ticks:
        return False
    try:
        if os.getpgid(pid) == pid:
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def bury_group(pid: int) -> None:
    """Kills what a dead group leader left behind. Call while its corpse holds the number, else it may be somebody else's."""
    fields = _stat(pid)
    if fields and fields[0] == "Z" and int(fields[2]) == pid:
        try:
            os.killpg(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return


def end(pid: int, ticks: int, patience_s: float) -> None:
    """SIGTERM, then after patience_s SIGKILL to the group; returns when the process is gone."""
    if not ticks or start_ticks(pid) != ticks:
        return
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    if not gone(pid, ticks, patience_s):
        kill_group(pid, ticks)
        gone(pid, ticks, 5.0)


def gone(pid: int, ticks: int, timeout_s: float) -> bool:
    """Waits until the very process is gone (or only its corpse is left)."""
    deadline = uptime() + timeout_s
    while start_ticks(pid) == ticks:
        if uptime() > deadline:
            return False
        time.sleep(0.01)
    return True
