"""In what a repository's code runs: what the instance's repair.toml says, else the first that can be had."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from prodwise.config.environment import state_dir
from prodwise.config.repair import RepairConfig, load_repair
from prodwise.model.errors import Refused
from prodwise.sandbox.container import Container
from prodwise.sandbox.jail import Bubblewrap, Sandbox

AUTO: Final = "auto"


def sandbox(app_dir: Path) -> Sandbox:
    """Raises Refused, with what to do for each, where none holds here."""
    return chosen(load_repair(state_dir(app_dir)))


def chosen(setup: RepairConfig) -> Sandbox:
    known: dict[str, Sandbox] = {"bubblewrap": Bubblewrap(), "container": Container(setup.image)}
    said, hints = list[str](), list[str]()
    for name in known if setup.sandbox == AUTO else (setup.sandbox,):
        try:
            known[name].require()
        except Refused as refused:
            said.append(f"{name}: {refused.message}")
            hints.append(refused.hint)
            continue
        return known[name]
    raise Refused("; ".join(said), "; or ".join(hints))
