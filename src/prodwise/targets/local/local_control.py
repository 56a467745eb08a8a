"""What a person can do on this machine with the database and the server dead: up, down, stop, start, roll back, look."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prodwise.clock import now
from prodwise.config import Config
from prodwise.config.environment import state_dir
from prodwise.model.errors import ProdwiseError, TargetError
from prodwise.model.service import SlotName
from prodwise.model.target import Order, ServiceSeen, Switch, TargetSeen
from prodwise.targets.local import bring_up, end_all, environment, procs, receivers
from prodwise.targets.local.bring_up import UpResult
from prodwise.targets.local.guard_client import GuardClient, seen_from
from prodwise.targets.local.guard_state import PERSON
from prodwise.targets.local.journal import append_line
from prodwise.targets.local.layout import Layout, write_atomically
from prodwise.targets.local.records import read_places
from prodwise.targets.local.target import LocalTarget
from prodwise.targets.local.wellness import wait_well

__all__ = [
    "RolledBack",
    "Status",
    "UpResult",
    "down",
    "is_stopped",
    "last_words",
    "rollback_goal",
    "rollback_now",
    "start_again",
    "status_offline",
    "stop_all",
    "unit_text",
    "up",
]

Say = Callable[[str], None]


def layout_of(app_dir: Path) -> Layout:
    app = app_dir.resolve()
    return Layout(app, state_dir(app).resolve())


def up(
    app_dir: Path,
    config: Config,
    *,
    with_healer: bool = True,
    say: Say = lambda _: None,
    prepare: Callable[[], None] = lambda: None,
) -> UpResult:
    """Starts everything, or what of it does not run; returns when the app answers. See bring_up.up for its errors."""
    return bring_up.up(layout_of(app_dir), config, with_healer=with_healer, say=say, prepare=prepare)


def down(app_dir: Path, say: Say = lambda _: None) -> list[int]:
    """Ends everything that belongs to the app's state directory; releases and database stay. Returns the pids that were ended."""
    return end_all.down(layout_of(app_dir), say)


def is_stopped(app_dir: Path) -> bool:
    return layout_of(app_dir).stop_file.exists()


def stop_all(app_dir: Path, actor: str = "person", reason: str = "", *, journal: bool = True) -> None:
    """No automatic action from now on, also after a restart. Takes effect with the guard's next check, or when it is back."""
    layout = layout_of(app_dir)
    layout.make()
    text = json.dumps({"at": now(), "actor": actor, "reason": reason})
    try:
        write_atomically(layout.stop_file, text, sync=True)
    except OSError:
        _reserve(layout).unlink(missing_ok=True)
        try:
            write_atomically(layout.stop_file, text, sync=True)
        except OSError:
            layout.stop_file.touch()
    if journal:
        _journal(layout, actor, "stop", reason=reason)


def start_again(app_dir: Path, actor: str = "person", *, journal: bool = True) -> bool:
    """Allows automatic action again. Says whether it had been stopped."""
    layout = layout_of(app_dir)
    was = layout.stop_file.exists()
    layout.stop_file.unlink(missing_ok=True)
    if was and journal:
        _journal(layout, actor, "start")
    return was


@dataclass(frozen=True, slots=True)
class RolledBack:
    """What one service went back to, and what its users were on before."""

    service: str
    before: str
    after: str


def rollback_now(app_dir: Path, service: str | None = None, actor: str = "person") -> tuple[RolledBack, ...]:
    """Break-glass: goes back to the last verified-good release, without healer and database, also under *stop*.

    Whatever automation has in hand is fenced off first. With a rollout running its canary's share is taken back; without one the
    release before the present one is started, waited for, and switched to; if it does not become well nothing changes.
    Raises NotRunning, TargetError or UsageError.
    """
    layout = layout_of(app_dir)
    _make_room(layout)
    guard = GuardClient(layout)
    guard.call("break_glass")
    look = guard.look()
    goals = _goals(look, service)
    target = LocalTarget(layout.app, Config())  # a broken file in the working tree is no reason to stay broken
    done = []
    for name, release in goals.items():
        seen = seen_from(guard.look()).service(name)
        if seen is None:
            continue
        before = _users_on(seen)
        _go_to(target, layout, seen, release)
        done.append(RolledBack(name, before, release))
        _journal(layout, actor, "rollback", service=name, before=before, after=release)
    return tuple(done)


def rollback_goal(app_dir: Path) -> tuple[str, str]:
    """(the release that `rollback_now` goes back to, the one on its way that it withdraws); "" for what there is not."""
    try:
        look = GuardClient(layout_of(app_dir)).look()
        goals = _goals(look, None)
    except ProdwiseError:
        return "", ""
    goal = next(iter(goals.values()), "")
    ramping = [entry for entry in look["services"] if entry["switch"] is not None and entry["switch"][1] > 0]
    on_way = {slot["release"] for entry in ramping for slot in entry["slots"]} - {"", goal}
    return goal, next(iter(sorted(on_way)), "")


def _users_on(seen: ServiceSeen) -> str:
    """The release that most users reach."""
    slot = seen.active
    if slot is not None and seen.switch is not None and seen.switch.share >= 0.5:
        slot = slot.other
    process = seen.slot(slot) if slot else None
    return process.release if process else ""


def _goals(look: Mapping[str, Any], service: str | None) -> dict[str, str]:
    """Service → release to go back to. Raises TargetError when there is none."""
    entries = {entry["service"]: entry for entry in look["services"]}
    if service is not None and service not in entries:
        raise TargetError(f"there is no service {service!r}", f"known: {', '.join(sorted(entries))}")
    goals = {}
    for name in [service] if service is not None else sorted(entries):
        entry = entries[name]
        ramping = entry["switch"] is not None and entry["switch"][1] > 0
        history = entry["history"]
        if ramping or len(history) > 1:
            goals[name] = history[-1] if ramping else history[-2]
    if not goals:
        raise TargetError("there is no earlier release to go back to", "`prodwise releases` lists what was built")
    if service is None:
        _together(entries, goals)
    return goals


def _together(entries: Mapping[str, Any], goals: dict[str, str]) -> None:
    """While one service's rollout is taken back, the others follow it to the same release, not one further back."""
    ramping = [goals[name] for name in goals if entries[name]["switch"] and entries[name]["switch"][1] > 0]
    if not ramping:
        return
    for name in list(goals):
        running = {slot["release"] for slot in entries[name]["slots"] if slot["pid"]}
        if entries[name]["switch"] and entries[name]["switch"][1] > 0:
            continue
        if running <= set(ramping):
            del goals[name]
        else:
            goals[name] = ramping[0]


def _order(what: str) -> Order:
    return Order(f"person-{what}-{uuid.uuid4().hex[:12]}", PERSON, "person")


def _go_to(target: LocalTarget, layout: Layout, seen: ServiceSeen, release: str) -> None:
    """1. Finds the release's slot, or starts it in the free one. 2. Waits until it is well. 3. Switches. 4. Ends the other."""
    at = next((SlotName(slot.slot) for slot in seen.slots if slot.release == release and slot.pid), None)
    if seen.switch is None:
        _swap_worker(target, seen, at, release)
        return
    if at is None:
        stable = seen.slot(seen.switch.stable)
        lost = stable is not None and stable.release == release
        at = seen.switch.stable if lost else seen.switch.stable.other
        target.start(_order("start"), seen.service, at, release)
        if reason := wait_well(layout, seen.service, at, release):
            if not lost:
                target.stop(_order("stop"), seen.service, at, 0.0)
            raise TargetError(
                f"{seen.service}: release {release} does not become well: {reason}", "nothing was switched"
            )
    target.switch(_order("switch"), seen.service, Switch(at, 0.0))
    other = seen.slot(at.other)
    if other is not None and other.release:
        target.stop(_order("stop"), seen.service, at.other, 5.0)


def _swap_worker(target: LocalTarget, seen: ServiceSeen, at: SlotName | None, release: str) -> None:
    for slot in seen.slots:
        if slot.release and slot.release != release:
            target.stop(_order("stop"), seen.service, SlotName(slot.slot), 0.0)
    if at is None:
        target.start(_order("start"), seen.service, SlotName.A, release)
        if reason := wait_well(target.layout, seen.service, SlotName.A, release):
            raise TargetError(f"{seen.service}: release {release} does not stay up: {reason}", "look at its log")


@dataclass(frozen=True, slots=True)
class Status:
    """What can be said without healer and database. seen is None when the guard does not answer."""

    address: str
    supervisor: int  # pid, 0 if it does not run
    guard: bool
    proxy: int
    healer: int
    stopped: bool
    seen: TargetSeen | None
    receivers: tuple[int, ...] = ()  # pids


def status_offline(app_dir: Path) -> Status:
    layout = layout_of(app_dir)
    places = read_places(layout)
    pids = {name: procs.read_pid(layout.pid(name)) for name in ("caddy", "healer")}
    seen: TargetSeen | None = None
    if places is not None:
        try:
            seen = seen_from(GuardClient(layout, 0.5).look())
        except ProdwiseError:
            seen = None
    return Status(
        address=places.address if places else "",
        supervisor=end_all.supervisor_of(layout),
        guard=seen is not None,
        proxy=pids["caddy"].pid if pids["caddy"].alive else 0,
        healer=pids["healer"].pid if pids["healer"].alive else 0,
        stopped=layout.stop_file.exists(),
        seen=seen,
        receivers=tuple(found.pid for path in receivers.pids(layout) if (found := procs.read_pid(path)).alive),
    )


def last_words(app_dir: Path, release: str, lines: int = 3) -> tuple[str, str]:
    """(the end of what the release's processes wrote, their log); both "" when another release has taken their place."""
    layout = layout_of(app_dir)
    for path in layout.run.glob("*.release"):
        log = layout.program_log(path.stem)
        if path.read_text().strip() == release and (text := environment.last_lines(log, count=lines)):
            return text, str(log)
    return "", ""


def unit_text(app_dir: Path) -> str:
    """A systemd unit that brings the app up after a reboot."""
    layout = layout_of(app_dir)
    command = f"{sys.executable} -m prodwise"
    return (
        f"[Unit]\nDescription=Prodwise for {layout.app.name}\nAfter=network-online.target\nWants=network-online.target\n\n"
        f"[Service]\nType=oneshot\nRemainAfterExit=yes\n{_unit_user()}WorkingDirectory={layout.app}\n"
        f"ExecStart={command} up\nExecStop={command} down\nTimeoutStartSec=300\n\n"
        f"[Install]\nWantedBy=multi-user.target\n"
    )


def _unit_user() -> str:
    import pwd

    return f"User={pwd.getpwuid(os.getuid()).pw_name}\n"


def _reserve(layout: Layout) -> Path:
    return layout.run / "reserve"


def _make_room(layout: Layout) -> None:
    """The reserved space is given up for a person's own act when there is hardly any other; the next `up` reserves it again."""
    with contextlib.suppress(OSError):
        disk = os.statvfs(layout.run)
        if disk.f_bavail * disk.f_frsize < bring_up.RESERVE_BYTES:
            _reserve(layout).unlink(missing_ok=True)


def _journal(layout: Layout, actor: str, action: str, **facts: str) -> None:
    """A line that the ledger takes up later. On a full disk the reserved space is given up for it; it never stops the person."""
    line = json.dumps({"at": now(), "actor": actor, "action": action, **facts}) + "\n"
    for last in (False, True):
        try:
            append_line(layout.journal, line)
            return
        except OSError:
            if last:
                return
            _reserve(layout).unlink(missing_ok=True)
