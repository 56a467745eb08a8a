"""Ends everything of one app, by pid and start time, and proves that nothing is left."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from prodwise.model.errors import TargetError
from prodwise.targets.local import procs, rpc
from prodwise.targets.local.launch import read_json, start_ticks, uptime
from prodwise.targets.local.layout import Layout
from prodwise.targets.local.supervision import STOP_SECONDS

PATIENCE_S = STOP_SECONDS + 10.0
Named = dict[int, int]  # pid → start ticks


def down(layout: Layout, say: Callable[[str], None]) -> list[int]:
    """1. Forbids every start. 2. The supervisor ends its programs. 3. Orphans. 4. Whatever still runs from our releases.

    Raises TargetError naming the processes that did not end.
    """
    if not layout.run.is_dir():
        return []
    layout.down_file.touch()
    named = _known(layout)
    say("ending the app")
    supervisor = supervisor_of(layout)
    with contextlib.suppress(OSError, rpc.RpcFault):
        rpc.supervisor(layout.socket("supervisor"), "shutdown")
        _wait({supervisor: start_ticks(supervisor)} if supervisor else {}, PATIENCE_S, layout.socket("supervisor"))
    named |= _known(layout)
    for pid, ticks in named.items():
        procs.end(pid, ticks, STOP_SECONDS)
    strays = {pid: start_ticks(pid) for pid in strays_of(layout)}
    for pid, ticks in strays.items():
        procs.end(pid, ticks, STOP_SECONDS)
    left = [pid for pid, ticks in (named | strays).items() if start_ticks(pid) == ticks and ticks]
    if left:
        raise TargetError(f"processes {left} did not end", "look at them with `ps`")
    _tidy(layout)
    return sorted(named | strays)


def _known(layout: Layout) -> Named:
    """Live processes that pid files name, the supervisor among them."""
    found = {seen.pid: seen.ticks for path in layout.run.glob("*.pid*") if (seen := procs.read_pid(path)).alive}
    supervisor = supervisor_of(layout)
    return {**found, **({supervisor: start_ticks(supervisor)} if supervisor else {})}


def supervisor_of(layout: Layout) -> int:
    """The running supervisor's pid, 0 without one. Its pid file names no start time: its command line is checked instead."""
    try:
        pid = int(layout.supervisor_pid.read_text())
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return 0
    return pid if os.fsencode(layout.supervisor_conf) in line.split(b"\0") and start_ticks(pid) else 0


def strays_of(layout: Layout) -> list[int]:
    """Processes that work inside our releases or were started from them, whoever their parent is by now."""
    root = os.fsencode(layout.releases) + b"/"
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid() and start_ticks(int(entry)):
            with contextlib.suppress(OSError):
                cwd = os.readlink(f"/proc/{entry}/cwd".encode())
                if (cwd + b"/").startswith(root):
                    found.append(int(entry))
    return found


def _wait(named: Named, timeout_s: float, supervisor: Path) -> None:
    deadline = uptime() + timeout_s
    while uptime() < deadline and any(start_ticks(pid) == ticks for pid, ticks in named.items()):
        with contextlib.suppress(OSError, rpc.RpcFault):
            rpc.supervisor(supervisor, "getState", timeout_s=1.0)  # wakes its loop, which would sleep up to a second
        time.sleep(0.02)


def _tidy(layout: Layout) -> None:
    """Sockets and pid files of what is gone; state, ports and releases stay for the next `up`."""
    for path in (*layout.run.glob("*.pid*"), *layout.sockets.glob("*.sock")):
        if read_json(str(path)) or path.suffix != ".json":
            path.unlink(missing_ok=True)
    layout.dashboard.unlink(missing_ok=True)
    if layout.sockets != layout.run:
        shutil.rmtree(layout.sockets, ignore_errors=True)
