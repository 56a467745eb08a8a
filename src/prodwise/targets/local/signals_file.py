"""Where programs report: an address, projects with their keys, and the salt that users are hashed with. Given once and kept."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass, field
from typing import Any

from prodwise.config import Config
from prodwise.model.project import OWN_PROJECT, Project
from prodwise.targets.local.layout import Layout, write_atomically


@dataclass(frozen=True, slots=True)
class Given:
    """What was given to projects. address: host:port, "" while none was; wanted: the configured one that it was given for;
    keys: name → (id, key)."""

    address: str = ""
    wanted: str = ""
    salt: str = field(default_factory=lambda: secrets.token_hex(16))
    keys: dict[str, tuple[int, str]] = field(default_factory=dict)


def read(layout: Layout) -> Given:
    """What stands in the file; without one, nothing yet."""
    if not layout.signals.exists():
        return Given()
    data: dict[str, Any] = json.loads(layout.signals.read_text())
    return Given(
        data["address"],
        data["wanted"],
        data["salt"],
        {name: (number, key) for name, (number, key) in data["keys"].items()},
    )


def settle(layout: Layout, config: Config, address: str) -> Given:
    """Gives what is missing: the app's own project is OWN_PROJECT, and a name that was there before keeps its number and key."""
    before = read(layout)
    keys = dict(before.keys)
    own = next((name for name, (number, _) in keys.items() if number == OWN_PROJECT), "")
    if own and own != config.name:
        keys[config.name] = keys.pop(own)
    for name in (config.name, *config.signals.projects):
        if name not in keys:
            keys[name] = (1 + max((number for number, _ in keys.values()), default=0), secrets.token_hex(16))
    given = Given(address, config.signals.address, before.salt, keys)
    if given != before or not layout.signals.exists():
        write_atomically(layout.signals, json.dumps(asdict(given), indent=1), sync=True)
    return given


def projects(config: Config, given: Given) -> tuple[Project, ...]:
    """Those of the configuration that have a key, the app's own first."""
    signals = config.signals
    own = given.keys.get(config.name)
    found = [Project(own[0], config.name, own[1], config.web, signals.forward)] if own else []
    for name, entry in signals.projects.items():
        if name in given.keys:
            number, key = given.keys[name]
            found.append(Project(number, name, key, entry.service or config.web, entry.forward))
    return tuple(found)
