"""What Prodwise costs while nothing happens: memory, CPU, time to start, time of pages over a large store."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from bench import pages
from bench.running import Shop, Tell, quantile, shop
from bench.table import Figure, Part
from prodwise.config import load
from prodwise.heal.durable import POLL_S
from prodwise.heal.intake import QUIET_S
from prodwise.targets.local import install
from prodwise.targets.local.layout import Layout
from prodwise.targets.local.target import LocalTarget

MIB = 2**20
OURS = ("healer", "guard", "caddy", "supervisord")
SETTLE_S = 75.0
"""Idle is what comes after the first minute: until then DBOS looks for schedules every second."""
IDLE_S, IDLE_QUICK_S = 60.0, 20.0
HELPS, HELPS_QUICK = 15, 7
LOOKS, LOOKS_QUICK = 500, 200


@dataclass(frozen=True, slots=True)
class Weight:
    """One process. cpu: percent of one core over the idle time; pss: its share of pages that several processes use."""

    role: str
    rss_mib: float
    pss_mib: float
    cpu: float


def run(quick: bool, tell: Tell) -> Part:
    tell("footprint: prodwise --help")
    helps = [help_s() for _ in range(HELPS_QUICK if quick else HELPS)]
    launches = [launch_s() for _ in range(HELPS_QUICK if quick else HELPS)]
    with shop() as running:
        tell("footprint: idle for a while")
        time.sleep(SETTLE_S)
        weights = idle(running, IDLE_QUICK_S if quick else IDLE_S)
        looks = look_ms(running, LOOKS_QUICK if quick else LOOKS)
        up_s = running.up_s
    tell("footprint: pages over 1,000 services and 10,000 incidents")
    shown = pages.measure(3 if quick else 11)
    figures = (
        *figures_of(weights, idle_s=IDLE_QUICK_S if quick else IDLE_S),
        *_times(helps, up_s, looks),
        Figure(
            "the launcher, a part of every respawn, median", round(median(launches) * 1000, 1), "ms", many=len(launches)
        ),
        *_pages(shown),
    )
    detail: list[Mapping[str, Any]] = [
        {"process": w.role, "rss_mib": w.rss_mib, "pss_mib": w.pss_mib, "cpu": w.cpu} for w in weights
    ]
    detail += [{"page": path, "ms": times} for path, times in shown.items()]
    return Part("footprint", figures, detail=tuple(detail))


def help_s() -> float:
    """One `prodwise --help`, the interpreter's start included."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-m", "prodwise", "--help"], stdout=subprocess.DEVNULL, check=True, timeout=30)
    return time.perf_counter() - begun


def launch_s() -> float:
    """One start by the launcher: its time is a part of every respawn."""
    with tempfile.TemporaryDirectory(prefix="prodwise-bench-") as folder:
        facts = {"argv": ["/bin/true"], "cwd": "/", "log": f"{folder}/x.log", "pid_file": f"{folder}/x.pid"}
        (Path(folder) / "x.json").write_text(json.dumps(facts))
        begun = time.perf_counter()
        subprocess.run([*install.launcher(), f"{folder}/x.json"], check=True, timeout=30)
        return time.perf_counter() - begun


def idle(running: Shop, seconds: float) -> list[Weight]:
    """What each process of the stack weighs, and what it does in `seconds` without traffic."""
    found = roles(running)
    before, begun = {pid: cpu_s(pid) for pid in found}, time.perf_counter()
    time.sleep(seconds)
    took = time.perf_counter() - begun
    weights = []
    for pid, role in found.items():
        memory = psutil.Process(pid).memory_full_info()
        cpu = 100 * (cpu_s(pid) - before[pid]) / took
        pss = getattr(memory, "pss", memory.rss)
        weights.append(Weight(role, round(memory.rss / MIB, 1), round(pss / MIB, 1), round(cpu, 2)))
    return sorted(weights, key=lambda one: -one.rss_mib)


def cpu_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def roles(running: Shop) -> dict[int, str]:
    """Pid → what it is: supervisord and everything below it."""
    layout = Layout(running.app_dir.resolve(), running.app_dir.resolve() / ".prodwise")
    top = psutil.Process(int(layout.supervisor_pid.read_text()))
    found = {top.pid: "supervisord"}
    for process in top.children():
        role = _role(process)
        found |= {one.pid: role for one in (process, *process.children(recursive=True))}
    return found


def _role(process: psutil.Process) -> str:
    words = " ".join(process.cmdline())
    for mark, role in (("caddy", "caddy"), ("guard", "guard"), ("serve", "healer"), ("healer", "healer")):
        if mark in words:
            return role
    return "app: " + words.rpartition("/")[2][:30]


def figures_of(weights: list[Weight], idle_s: float) -> list[Figure]:
    healer = [one for one in weights if one.role == "healer"]
    ours = [one for one in weights if one.role in OURS]
    each = ", ".join(f"{role} {sum(w.rss_mib for w in ours if w.role == role):.0f}" for role in OURS)
    cpus = ", ".join(f"{role} {sum(w.cpu for w in ours if w.role == role):.1f}" for role in OURS)
    polls = f"looks every {QUIET_S:g} s, DBOS polls every {POLL_S:g} s; {idle_s:g} s long"
    others = sum(w.rss_mib for w in weights if w.role not in OURS)
    pss = f"{sum(w.pss_mib for w in ours):.0f} MiB with shared pages counted once"
    return [
        Figure("healer, idle, resident", sum(w.rss_mib for w in healer), "MiB", 150),
        Figure("healer, idle, of one core", round(sum(w.cpu for w in healer), 2), "%", 1, beside=polls),
        Figure("whole stack, resident", round(sum(w.rss_mib for w in ours), 1), "MiB", 300, beside=f"{each}; {pss}"),
        Figure("whole stack, of one core", round(sum(w.cpu for w in ours), 2), "%", beside=cpus),
        Figure("the app itself, resident", round(others, 1), "MiB"),
    ]


def look_ms(running: Shop, many: int) -> list[float]:
    """One look at the whole target, through the guard."""
    target, times = LocalTarget(running.app_dir, load(running.app_dir)), []
    for _ in range(many):
        begun = time.perf_counter()
        target.observe()
        times.append((time.perf_counter() - begun) * 1000)
    return times


def _times(helps: list[float], up_s: float, looks: list[float]) -> list[Figure]:
    return [
        Figure("prodwise --help, median", round(median(helps) * 1000, 1), "ms", 300, many=len(helps)),
        Figure("up to first page (a new app, with its build)", round(up_s, 2), "s", 5),
        Figure("one look at the target, p50", round(median(looks), 2), "ms", beside=f"p95 {quantile(looks, 0.95):.2f} ms",
               many=len(looks)),
    ]  # fmt: skip


def _pages(shown: Mapping[str, list[float]]) -> list[Figure]:
    worst = {path: max(times) for path, times in shown.items()}
    slowest = max(worst, key=lambda path: worst[path])
    rest = ", ".join(f"{path} {median(times):.0f}" for path, times in shown.items())
    name = f"slowest page of {pages.SERVICES:,} services and {pages.INCIDENTS:,} incidents"
    many = sum(len(times) for times in shown.values())
    return [Figure(name, round(worst[slowest], 1), "ms", 200, beside=f"{slowest}; medians: {rest}", many=many)]
