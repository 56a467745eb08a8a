"""What a drill needs from whoever heals the app."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from prodwise.model.errors import ProdwiseError, UsageError


class NotRun(ProdwiseError):
    """This healer cannot run on this machine; the drill reports its scenarios as not run."""

    code = "not_run"


@dataclass(frozen=True, slots=True)
class Running:
    """address: loopback HOST:PORT where users reach the app; dashboard: a page for people, if there is one."""

    address: str
    dashboard: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that the healer wrote down. seq rises; at: Unix seconds.

    kind: incident_opened, diagnosed, refused, action (data: kind, target, state intent|done|failed|undone, actor),
    incident_closed (data: outcome), rollout_stage, promoted, verified_good, rollout_failed, escalated.
    """

    seq: int
    at: float
    kind: str
    service: str
    text: str
    data: Mapping[str, object] = field(default_factory=dict)

    def word(self, key: str) -> str:
        return str(self.data.get(key, ""))


class Healer(Protocol):
    """Runs one app and heals it in its own way. `events` may be asked from one thread while `pids` is from another."""

    name: str

    def up(self, app_dir: Path, work: Path) -> Running:
        """Starts the app of the git repository `app_dir`; `work` is an empty folder for anything of its own.

        Raises NotRun when this machine cannot run it, ProdwiseError when the app does not come up."""

    def deploy(self, ref: str) -> None:
        """Begins to ship a git ref and returns; what comes of it is told by events."""

    def pids(self, service: str) -> list[int]:
        """The processes that serve users of this service right now; empty while there is none."""

    def events(self, after: int) -> Sequence[Event]:
        """What was written down since the event with this number, oldest first."""

    def settled(self) -> bool:
        """Nothing is in progress: no open incident, no rollout."""

    def down(self) -> None:
        """Ends everything that `up` started; again is a no-op."""


_DRIVERS = {"prodwise": "Prodwise", "none": "Nobody", "supervisor": "Supervisor", "monit": "Monit"}
HEALERS = tuple(_DRIVERS)


def make_healer(name: str) -> Healer:
    """The driver of that name. Raises UsageError naming the known ones."""
    if name not in _DRIVERS:
        raise UsageError(f"there is no healer {name!r}", f"known: {', '.join(HEALERS)}")
    module = importlib.import_module(f"prodwise.drill.healers.{name}")
    make: Callable[[], Healer] = getattr(module, _DRIVERS[name])
    return make()
