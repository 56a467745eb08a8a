"""What the local target keeps in JSON files beside its releases, parsed once into types. Standard library only."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from prodwise.model.project import OWN_PROJECT, Project
from prodwise.model.service import Probe, ProbeKind, Service, ServiceKind
from prodwise.targets.local.launch import read_env_file
from prodwise.targets.local.layout import Layout, program, write_atomically


@dataclass(frozen=True)
class Release:
    """release.json: what a build made; never changed afterwards. env_names: keys of the env_file, not its values."""

    id: str
    commit: str
    digest: str
    title: str
    author: str
    services: tuple[Service, ...]
    release_line: str = ""
    env_names: tuple[str, ...] = ()
    env_digest: str = ""
    warnings: tuple[str, ...] = ()

    def service(self, name: str) -> Service | None:
        return next((service for service in self.services if service.id == name), None)


@dataclass(frozen=True)
class Place:
    """Where a service runs. Ports are 0 for a worker."""

    service: str
    web: bool
    proxy: int = 0
    a: int = 0
    b: int = 0

    def port(self, slot: str) -> int:
        return self.a if slot == "a" else self.b


@dataclass(frozen=True)
class Places:
    """ports.json: fixed once given, so that addresses survive restarts. address: what users reach, host:port.

    spares: places without a service yet. The proxy listens there already, so that a new service needs no reload of it.
    """

    address: str
    front: str  # the service behind `address`, "" if none speaks HTTP
    places: tuple[Place, ...] = ()
    spares: tuple[Place, ...] = ()

    def place(self, service: str) -> Place | None:
        return next((place for place in self.places if place.service == service), None)

    @property
    def programs(self) -> tuple[str, ...]:
        return tuple(program(place.service, slot) for place in self.places for slot in ("a", "b"))

    def urls(self, but: str) -> dict[str, str]:
        """NAME_URL of every other web service, for a service's environment."""
        return {
            place.service.upper().replace("-", "_") + "_URL": f"http://127.0.0.1:{place.proxy}"
            for place in self.places
            if place.web and place.service != but
        }


@dataclass(frozen=True)
class Instance:
    """instance.json: what `up` decided for this machine and the guard must know. env_file: absolute, "" if none."""

    app: str
    user: str = ""
    env_file: str = ""
    lease_s: float = 60.0
    supervisor: tuple[str, ...] = ()  # argv that starts supervisord
    path: str = "/usr/local/bin:/usr/bin:/bin"
    home: str = "/"
    lang: str = "C.UTF-8"
    passed_on: dict[str, str] = field(default_factory=dict)


def service_json(service: Service) -> dict[str, Any]:
    return {**asdict(service), "env": dict(service.env)}


def parse_service(data: dict[str, Any]) -> Service:
    probe = data.get("probe")
    return Service(
        **{
            **data,
            "kind": ServiceKind(data["kind"]),
            "probe": Probe(**{**probe, "kind": ProbeKind(probe["kind"])}) if probe else None,
            "checks": tuple(data["checks"]),
            "needs": tuple(data["needs"]),
            "env": tuple(sorted(data["env"].items())),
        }
    )


def read_release(layout: Layout, release: str) -> Release | None:
    """None for one that was never built to the end."""
    data = _read(layout.record(release))
    if data is None:
        return None
    lists = {key: tuple(data[key]) for key in ("env_names", "warnings")}
    return Release(**{**data, **lists, "services": tuple(parse_service(entry) for entry in data["services"])})


def write_release(layout: Layout, release: Release) -> None:
    data = {**asdict(release), "services": [service_json(service) for service in release.services]}
    write_atomically(layout.record(release.id), json.dumps(data, indent=1), sync=True)


def read_places(layout: Layout) -> Places | None:
    data = _read(layout.ports)
    if data is None:
        return None
    places, spares = (tuple(Place(**entry) for entry in data.get(key, ())) for key in ("places", "spares"))
    return Places(data["address"], data["front"], places, spares)


def write_places(layout: Layout, places: Places) -> None:
    write_atomically(layout.ports, json.dumps(asdict(places), indent=1), sync=True)


def read_instance(layout: Layout) -> Instance | None:
    data = _read(layout.instance)
    return Instance(**{**data, "supervisor": tuple(data["supervisor"])}) if data else None


def write_instance(layout: Layout, instance: Instance) -> None:
    write_atomically(layout.instance, json.dumps(asdict(instance), indent=1), sync=True)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        data = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) else None


def own_dsn(layout: Layout) -> str:
    """Where the app's own programs report to; "" before any place was given."""
    data = _read(layout.signals) or {}
    own = [(number, key) for number, key in data.get("keys", {}).values() if number == OWN_PROJECT]
    address = data.get("address", "")
    return Project(OWN_PROJECT, "", own[0][1]).dsn(address) if own and address else ""


def app_environment(
    layout: Layout, instance: Instance, places: Places, service: Service, release: str, port: int
) -> dict[str, str]:
    """All that an app's process is told, but for its env_file, which is read at each start and stored nowhere."""
    venv = layout.release(release) / "venv"
    dsn = own_dsn(layout)
    path = f"{venv}/bin:{instance.path}" if venv.is_dir() else instance.path
    env = {
        "PATH": path,
        "HOME": instance.home,
        "LANG": instance.lang,
        "PRODWISE_RELEASE": release,
        "PRODWISE_SERVICE": service.id,
        **({"PRODWISE_DSN": dsn} if dsn else {}),
        "PYTHONUNBUFFERED": "1",
        **instance.passed_on,
        **places.urls(service.id),
    }
    if venv.is_dir():
        env["VIRTUAL_ENV"] = str(venv)
    if port:
        env["PORT"] = str(port)
    return {**env, **dict(service.env)}


def command_environment(
    layout: Layout, instance: Instance, places: Places, service: Service, release: str, port: int
) -> dict[str, str]:
    """What a command of the app's own is told that asks whether a service is well: the same as its process, its env_file too.

    Raises OSError, ValueError when that file cannot be read.
    """
    told = app_environment(layout, instance, places, service, release, port)
    there = instance.env_file and Path(instance.env_file).exists()
    return {**told, **(read_env_file(instance.env_file) if there else {})}
