"""How each fault is put into the app. Signals go to processes of the app under test only; docs/drill.md tells what each means."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Flag

import psutil

from prodwise import clock
from prodwise.config import Config, load
from prodwise.config.environment import read_env_file
from prodwise.drill.clone import apply_patch
from prodwise.drill.forge import MAIN, merge_proposed
from prodwise.drill.healers.base import Healer
from prodwise.drill.processes import age_s
from prodwise.drill.scenario import Fault
from prodwise.drill.traffic.process import TrafficProcess
from prodwise.model.errors import TargetError

TURN_S = 0.02
DUTY_S = 1.0  # one cycle of stop and go for `slow`
UP_S = 0.3  # a process this old has come up, for `crash_loop`
WAIT_S = 5.0  # for a process to strike


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fault strikes. over: set when the drill wants the fault to end now; rate: requests/s before any fault;
    traffic: None for an app without a page; struck: told the processes that are about to be struck, [] where what was waited for is
    about to strike; say: told what a person reads."""

    healer: Healer
    app_dir: Path
    traffic: TrafficProcess | None
    rate: float
    over: Flag
    struck: Callable[[list[int]], None]
    say: Callable[[str], None] = lambda line: None


def inject(fault: Fault, place: Place) -> None:
    """Puts the fault in and keeps it up for its seconds; returns when it is over. Raises ProdwiseError if it cannot."""
    service = struck_service(fault, load(place.app_dir))
    steps: dict[str, Callable[[], object]] = {
        "none": lambda: None,
        "release": lambda: _release(fault, place),
        "dependency": lambda: _release(fault, place),
        "merge": lambda: _merge(fault, place),
        "config": lambda: _config(fault, place),
        "kill": lambda: _signal_all(place, service, signal.SIGKILL),
        "hang": lambda: _hang(fault, place, service),
        "crash_loop": lambda: _hold_down(fault, place, service, UP_S),
        "slow": lambda: _slow(fault, place, service),
        "overload": lambda: _overload(fault, place),
        "upstream_down": lambda: _upstream_down(fault, place, service),
    }
    steps[fault.kind]()


def struck_service(fault: Fault, config: Config) -> str:
    """The one that is named; else for an outage the stand-in for the outside, for anything else what users reach, or what there
    is. "" when the fault needs one and the app has none."""
    if fault.service:
        return fault.service
    if fault.kind == "upstream_down":
        return next((name for name, one in sorted(config.services.items()) if one.upstream), "")
    return config.web or min(config.services, default="")


def _release(fault: Fault, place: Place) -> None:
    if fault.patch:
        apply_patch(place.app_dir, Path(fault.patch))
    place.healer.deploy(fault.ref or "HEAD")


def _merge(fault: Fault, place: Place) -> None:
    merge_proposed(place.app_dir, fault.value, fault.lasts, place.say, place.over.is_set)
    place.struck([])
    place.healer.deploy(MAIN)


def _config(fault: Fault, place: Place) -> None:
    """Writes KEY=VALUE in place of what the env_file had, and deploys what runs already."""
    key = fault.value.partition("=")[0]
    path = place.app_dir / (load(place.app_dir).env_file or "")
    kept = [line for line in path.read_text().splitlines() if line.partition("=")[0].strip() != key]
    draft = path.with_name(path.name + ".part")
    draft.touch(mode=0o600)
    draft.write_text("\n".join([*kept, fault.value]) + "\n")
    draft.replace(path)
    place.healer.deploy("HEAD")


def _signal_all(place: Place, service: str, number: signal.Signals) -> list[int]:
    """Returns the processes that were struck; waits a little for one that is just coming up."""
    pids, deadline = place.healer.pids(service), clock.monotonic() + WAIT_S
    while not pids and clock.monotonic() < deadline and not place.over.is_set():
        time.sleep(TURN_S)
        pids = place.healer.pids(service)
    if not pids:
        raise TargetError(f"{service} has no running process to strike")
    place.struck(pids)
    for pid in pids:
        send(pid, number)
    return pids


def _hang(fault: Fault, place: Place, service: str) -> None:
    """Frozen until somebody replaces it; with `seconds`, what is still there goes on after them."""
    pids = _signal_all(place, service, signal.SIGSTOP)
    if fault.seconds is None:
        return
    place.over.wait(fault.seconds)
    for pid in pids:
        send(pid, signal.SIGCONT)


def send(pid: int, number: signal.Signals) -> bool:
    """One signal to one process of the app under test; says whether it was there. Raises TargetError for our own kin."""
    own = psutil.Process()
    if pid <= 1 or pid in {own.pid, *(parent.pid for parent in own.parents())}:
        raise TargetError(f"process {pid} is not the app's: the drill does not touch it")
    try:
        psutil.Process(pid).send_signal(number)
    except psutil.NoSuchProcess:
        return False
    return True


def _hold_down(fault: Fault, place: Place, service: str, age: float) -> None:
    """Kills the service's process, and each one that comes after it once it has lived for `age` seconds."""
    end = clock.monotonic() + fault.lasts
    while clock.monotonic() < end and not place.over.is_set():
        pids = [pid for pid in place.healer.pids(service) if age_s(pid) >= age]
        if pids:
            place.struck(pids)
        for pid in pids:
            send(pid, signal.SIGKILL)
        time.sleep(TURN_S)


def _slow(fault: Fault, place: Place, service: str) -> None:
    """Stops the processes that run now for `size` of the time, until their seconds are over or they are replaced."""
    pids = place.healer.pids(service)
    place.struck(pids)
    end = clock.monotonic() + fault.lasts
    try:
        while pids and clock.monotonic() < end and not place.over.is_set():
            pids = [pid for pid in pids if _duty(pid, fault.strength)]
    finally:
        for pid in pids:
            send(pid, signal.SIGCONT)


def _duty(pid: int, stopped: float) -> bool:
    """One cycle; False when the process is gone."""
    if not _alive(pid) or not send(pid, signal.SIGSTOP):
        return False
    time.sleep(DUTY_S * stopped)
    there = send(pid, signal.SIGCONT)
    time.sleep(DUTY_S * (1 - stopped))
    return there


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _overload(fault: Fault, place: Place) -> None:
    assert place.traffic is not None, "refused by the rehearsal"
    place.traffic.rate(place.rate * fault.strength)
    try:
        place.over.wait(fault.lasts)
    finally:
        place.traffic.rate(place.rate)


def _upstream_down(fault: Fault, place: Place, service: str) -> None:
    """An app may offer a switch, <SERVICE>_OUTAGE_FILE in its env_file: while that file exists, the stand-in for the outside
    answers as an outage would. Without one the service's process is held down."""
    switch = _outage_file(place.app_dir, service)
    if switch is None:
        _hold_down(fault, place, service, 0.0)
        return
    switch.touch()
    try:
        place.over.wait(fault.lasts)
    finally:
        with contextlib.suppress(FileNotFoundError):
            switch.unlink()


def _outage_file(app_dir: Path, service: str) -> Path | None:
    env_file = load(app_dir).env_file
    if not env_file or not os.path.isfile(app_dir / env_file):
        return None
    found = read_env_file(app_dir / env_file).get(f"{service.upper().replace('-', '_')}_OUTAGE_FILE", "")
    return Path(found) if found else None
