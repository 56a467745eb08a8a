"""Brings an app up: idempotent, one at a time, and nothing left half-made when it cannot."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from prodwise.clock import monotonic
from prodwise.config import Config
from prodwise.model.errors import BuildFailed, ConfigError, GateFailed, NotRunning, ProdwiseError, TargetError
from prodwise.model.service import Service, ServiceKind, SlotName
from prodwise.model.target import Order, Switch, TargetSeen
from prodwise.targets.local import end_all, environment, git, install, receivers, rpc, signals_file
from prodwise.targets.local.end_all import supervisor_of
from prodwise.targets.local.guard_client import GuardClient
from prodwise.targets.local.guard_state import PERSON
from prodwise.targets.local.launch import boot_id, identity, start_ticks
from prodwise.targets.local.layout import Layout, program, write_atomically
from prodwise.targets.local.records import Places, own_dsn, read_places, read_release
from prodwise.targets.local.target import LocalTarget
from prodwise.targets.local.wellness import wait_well

START_S = 20.0
HEALER_S = 30.0
RESERVE_BYTES = 256 * 1024
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class UpResult:
    """address, dashboard: host:port (dashboard "" without the healer); release: what runs; started: whether anything had to be;
    dsn: what programs are given to report with, "" without receivers."""

    address: str
    dashboard: str
    release: str
    started: bool
    warnings: tuple[str, ...] = ()
    dsn: str = ""


def up(
    layout: Layout, config: Config, *, with_healer: bool, say: Say, prepare: Callable[[], None] = lambda: None
) -> UpResult:
    """1. Checks. 2. Files. 3. Supervisor, guard and proxy answer. 4. The first release, if none runs. 5. The healer answers.

    prepare: called once the folders are there, before anything starts. Raises UsageError (no repository), ConfigError (unknown
    user), TargetError (port taken, another `up`), BuildFailed, GateFailed (the release does not become well), or what `prepare`
    raises; whatever this call had started is ended again then.
    """
    git.require_repository(layout.app)
    _check_user(config)
    layout.make()
    layout.make_sockets()
    with _alone(layout):
        was_up = bool(supervisor_of(layout))
        prepare()
        try:
            return _up(layout, config, with_healer=with_healer, was_up=was_up, say=say)
        except BaseException:
            if not was_up:
                end_all.down(layout, say)
            raise


def _up(layout: Layout, config: Config, *, with_healer: bool, was_up: bool, say: Say) -> UpResult:
    if layout.state == layout.app / layout.state.name:
        git.exclude(layout.app, f"/{layout.state.name}/")
    places = _configure(layout, config, with_healer=with_healer, was_up=was_up, say=say)
    layout.down_file.unlink(missing_ok=True)
    with _coming_up(layout):
        release, started = _app_up(layout, config, was_up=was_up, say=say)
    if with_healer:
        say("starting the healer")
        _await(
            lambda: _answers(_dashboard(layout)),
            HEALER_S,
            "the healer does not answer",
            str(layout.program_log("healer")),
        )
        _await_receivers(layout, config)
    record = read_release(layout, release)
    dashboard = _dashboard(layout) if with_healer else ""
    warnings = record.warnings if record else ()
    dsn = own_dsn(layout) if with_healer and config.signals.receivers else ""
    return UpResult(places.address, dashboard, release, started or not was_up, warnings, dsn)


def _await_receivers(layout: Layout, config: Config) -> None:
    names = receivers.names(config)
    if names:
        address = signals_file.read(layout).address
        _await(lambda: _answers(address), HEALER_S, "no receiver answers", str(layout.program_log(names[0])))


def _app_up(layout: Layout, config: Config, *, was_up: bool, say: Say) -> tuple[str, bool]:
    """(the release that users are on, whether it is the first)."""
    if not was_up:
        say("starting supervisor, guard and proxy")
        start_supervisor(layout)
    guard = GuardClient(layout, START_S)
    _await(lambda: _guard_answers(layout), START_S, "the guard does not answer", str(layout.program_log("guard")))
    _await(lambda: _proxy_answers(layout), START_S, "the proxy does not answer", str(layout.log / "caddy-out.log"))
    target = LocalTarget(layout.app, config)
    if _was_up_before(layout, guard, was_up=was_up):
        return _current(target.observe()), False
    release = _first_release(layout, config, target, say)
    layout.been_up.touch()
    return release, True


@contextlib.contextmanager
def _coming_up(layout: Layout) -> Iterator[None]:
    """Keeps the healer, which starts meanwhile, from taking a release for good that is only being tried."""
    me = {"boot": boot_id(), "pid": os.getpid(), "ticks": start_ticks(os.getpid())}
    write_atomically(layout.coming_up, json.dumps(me))
    try:
        yield
    finally:
        layout.coming_up.unlink(missing_ok=True)


def _configure(layout: Layout, config: Config, *, with_healer: bool, was_up: bool, say: Say) -> Places:
    """Ports are checked before anything is written over."""
    before = read_places(layout)
    supervised, proxied = _text(layout, "supervisor_conf"), _text(layout, "proxy_conf")
    if not was_up:
        _check_port(config.address)
    places = install.write_configuration(layout, config, config.inventory(), with_healer=with_healer)
    reserve(layout)
    if was_up:
        if before is not None and before.address != places.address:
            _check_port(places.address)
        changed = (supervised, proxied) != (_text(layout, "supervisor_conf"), _text(layout, "proxy_conf"))
        GuardClient(layout, START_S).call("reload" if changed else "reread", 60.0)
        if changed and with_healer:
            _add_healer(layout)
        if with_healer:
            receivers.take_up(layout, config)
            _renew_healer(layout, config, say)
    elif with_healer:
        receivers.note(layout, config)
    return places


def _add_healer(layout: Layout) -> None:
    try:
        rpc.supervisor(layout.socket("supervisor"), "addProcessGroup", "healer")
    except rpc.RpcFault as fault:
        if fault.code != rpc.ALREADY_ADDED:
            raise TargetError(f"the supervisor does not take up the healer: {fault}") from None


def _renew_healer(layout: Layout, config: Config, say: Say) -> None:
    """A healer that runs with other settings is started again: no user notices, and its stories go on where they were."""
    kept, supervisor = layout.healer_settings, layout.socket("supervisor")
    if not kept.exists() or kept.read_text() == config.model_dump_json():
        return
    say("prodwise.toml has changed: the healer starts again with it")
    try:
        with contextlib.suppress(rpc.RpcFault):  # it may not run just now
            rpc.supervisor(supervisor, "stopProcess", "healer", timeout_s=HEALER_S)
        rpc.supervisor(supervisor, "startProcess", "healer", False)
    except (OSError, rpc.RpcFault) as error:
        raise TargetError(f"the supervisor does not start the healer again: {error}") from None


def _text(layout: Layout, name: str) -> str:
    path = getattr(layout, name)
    return str(path.read_text()) if path.exists() else ""


def reserve(layout: Layout) -> None:
    """Space that a person's stop and rollback can be noted in when the disk is full."""
    path = layout.run / "reserve"
    if not path.exists():
        path.write_bytes(os.urandom(RESERVE_BYTES))


def _check_user(config: Config) -> None:
    if not config.user:
        return
    try:
        uid = identity(config.user)[0]
    except KeyError:
        raise ConfigError(
            f"user {config.user!r} does not exist on this machine", "create it, or change `user`"
        ) from None
    if os.getuid() not in (0, uid):
        raise ConfigError(
            f"the app is to run as {config.user!r}, which only root can arrange", "run as root, or as that user"
        )


@contextlib.contextmanager
def _alone(layout: Layout) -> Iterator[None]:
    """One `up` at a time on one folder. Raises TargetError naming the other."""
    handle = os.open(layout.run / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = os.read(handle, 32).decode(errors="replace").strip() or "?"
            raise TargetError(
                f"another `prodwise up` (process {other}) is at work on {layout.app}", "wait until it is done"
            ) from None
        os.ftruncate(handle, 0)
        os.write(handle, str(os.getpid()).encode())
        yield
    finally:
        os.close(handle)


def _check_port(address: str) -> None:
    """Raises TargetError naming the port, and who has it as far as we may know."""
    host, _, port = address.rpartition(":")
    if not port.isdigit() or not int(port):
        return
    host = host.strip("[]") or "0.0.0.0"
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except PermissionError:
            raise TargetError(
                f"port {port} needs more rights than this user has", "use one above 1023, or run as root"
            ) from None
        except socket.gaierror:
            return  # a name that only users resolve to us
        except OSError as error:
            raise TargetError(
                f"port {port} on {host} cannot be used: {error.strerror}{_holder(int(port))}",
                "end that process, or set another `address` in prodwise.toml",
            ) from None


def _holder(port: int) -> str:
    import psutil

    try:
        found = [
            c.pid for c in psutil.net_connections("tcp") if c.laddr and c.laddr.port == port and c.status == "LISTEN"
        ]
        pid = next((pid for pid in found if pid), 0)
        return f" (process {pid}, {psutil.Process(pid).name()}, listens there)" if pid else ""
    except psutil.Error:
        return ""


def start_supervisor(layout: Layout) -> None:
    """It goes to the background by itself. Raises TargetError with what it said."""
    layout.socket("supervisor").unlink(missing_ok=True)
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH" or value}
    argv = install.supervisor(layout)
    done = subprocess.run(
        argv, env=env, cwd=layout.state, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise TargetError(f"the supervisor does not start: {(done.stderr or done.stdout).strip()[-500:]}")


def _guard_answers(layout: Layout) -> bool:
    """Also wakes the supervisor's loop, which would sleep a second before it starts anything."""
    try:
        rpc.supervisor(layout.socket("supervisor"), "getState", timeout_s=1.0)
        return bool(GuardClient(layout, 0.0).call("ping", 1.0))
    except (OSError, rpc.RpcFault, ProdwiseError):
        return False


def _proxy_answers(layout: Layout) -> bool:
    try:
        return rpc.ask(layout.socket("caddy-admin"), "GET", "/reverse_proxy/upstreams", timeout_s=1.0)[0] == 200
    except OSError:
        return False


def _dashboard(layout: Layout) -> str:
    """host:port where the healer said that its pages are; "" while it has not."""
    return layout.dashboard.read_text().removeprefix("http://") if layout.dashboard.exists() else ""


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]") or "127.0.0.1", int(port)), timeout=1.0):
            return True
    except (OSError, ValueError):
        return False


def _await(done: Callable[[], bool], seconds: float, problem: str, log: str) -> None:
    deadline = monotonic() + seconds
    while not done():
        if monotonic() > deadline:
            tail = environment.last_lines(Path(log))
            raise NotRunning(f"{problem} after {seconds:.0f} s\n{tail}".rstrip(), f"the whole log: {log}")
        time.sleep(0.03)


def _was_up_before(layout: Layout, guard: GuardClient, *, was_up: bool) -> bool:
    """Whether users ever were on a release here (it may still be starting). A first try that was broken off does not count."""
    return layout.been_up.exists() or (was_up and any(entry["history"] for entry in guard.look()["services"]))


def _current(seen: TargetSeen) -> str:
    for service in sorted(seen.services, key=lambda service: service.switch is None):
        process = service.slot(service.active) if service.active else None
        if process is not None and process.release:
            return process.release
    return ""


def _first_release(layout: Layout, config: Config, target: LocalTarget, say: Say) -> str:
    """HEAD, built and brought up on slot a; there is nothing yet that could be better. Raises BuildFailed or GateFailed."""
    commit = target.resolve("HEAD")
    release = target.next_id(commit)
    say(f"building release {release}")
    built = target.build(release, commit)
    try:
        target.run_release_line(release)
    except BuildFailed as error:
        raise BuildFailed(f"the release line of {release} failed: {error.message}", error.hint) from None
    services = in_order(built.services)
    try:
        _start_all(layout, target, services, release, say)
    except ProdwiseError:
        for service in services:
            target.stop(
                Order(f"up-{release}-{service.id}-{monotonic()}-stop", PERSON, "up"), service.id, SlotName.A, 0.0
            )
        raise
    return release


def _start_all(layout: Layout, target: LocalTarget, services: list[Service], release: str, say: Say) -> None:
    """Each starts once those that it needs are well; the others are waited for together, at the end."""
    key = f"up-{release}-{monotonic()}"
    awaited: dict[str, Service] = {}
    for service in services:
        for needed in [awaited.pop(name) for name in service.needs if name in awaited]:
            _let_users_in(layout, target, needed, release, key)
        say(f"starting {service.id}")
        target.start(Order(f"{key}-{service.id}-start", PERSON, "up"), service.id, SlotName.A, release)
        awaited[service.id] = service
    for service in awaited.values():
        _let_users_in(layout, target, service, release, key)


def _let_users_in(layout: Layout, target: LocalTarget, service: Service, release: str, key: str) -> None:
    """Once it is well. Raises GateFailed with its log's last lines when it does not become so."""
    if reason := wait_well(layout, service.id, SlotName.A, release):
        log = layout.program_log(program(service.id, "a"))
        raise GateFailed(
            f"{service.id}: release {release} does not become well: {reason}\n{environment.last_lines(log)}".rstrip(),
            f"fix it and commit, then `prodwise up`; the whole log: {log}",
        )
    if service.kind is ServiceKind.WEB:
        target.switch(Order(f"{key}-{service.id}-switch", PERSON, "up"), service.id, Switch(SlotName.A))


def in_order(services: tuple[Service, ...]) -> list[Service]:
    """Those that others need come first; a circle is cut where it is met."""
    placed: list[Service] = []
    left = list(services)
    while left:
        known = {service.id for service in placed}
        ready = [service for service in left if set(service.needs) <= known] or left[:1]
        placed += ready
        left = [service for service in left if service not in ready]
    return placed
