"""The wall clock is set while the healer looks: it goes blind for no longer than a look, and says nothing that it does not know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from prodwise import clock
from prodwise.config import validate
from prodwise.heal import intake, memory
from prodwise.heal.intake import Intake
from prodwise.heal.outside import Outside
from prodwise.heal.parts import Parts
from prodwise.model.incident import Symptom
from prodwise.model.service import SlotName
from prodwise.model.signal import ProbeSeen
from prodwise.model.target import Order, TargetSeen
from prodwise.notify.command import CommandNotifier
from prodwise.signals.access_log import AccessLog
from prodwise.signals.replay import Replay
from prodwise.store.sql import SqlStore
from prodwise.testing.fake_target import FakeTarget

RELEASE = "1-aaaaaaa"
CONFIG = validate(
    {"version": 1, "name": "shop", "services": {"web": {"command": "true", "kind": "web", "probe": "/healthz"}}}, "test"
)


@dataclass
class World:
    """Two clocks, one service, and a prober that answers as it is told to."""

    folder: Path
    wall: float = field(default_factory=clock.now)
    uptime: float = 1000.0
    well: bool = True
    found: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = SqlStore(f"sqlite:///{self.folder}/prodwise.db")
        self.target = FakeTarget(CONFIG.inventory(), lambda: self.wall)
        self.target.build(RELEASE, "aaaaaaa")
        self.target.start(Order("k", 0, "test"), "web", SlotName.A, RELEASE)
        log = AccessLog(self.folder / "access.log")
        notifier = CommandNotifier("")
        parts = Parts(CONFIG, self.folder, "", self.store, self.target, log, self, Replay(), notifier)
        self.intake = Intake(parts, Outside(self.store, CONFIG))
        self.intake.on_symptoms = self._note

    def see(self, seen: TargetSeen) -> None: ...

    def results(self) -> Sequence[ProbeSeen]:
        return [ProbeSeen(self.wall, "web", RELEASE, "a", self.well, 1.0, "")]

    def look(self, seconds: float) -> None:
        for _ in range(round(seconds / intake.TICK_S)):
            self.wall += intake.TICK_S
            self.uptime += intake.TICK_S
            self.intake.tick()

    def _note(self, service: str, symptoms: Sequence[Symptom]) -> None:
        self.found += [one.kind for one in symptoms]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made: list[World] = []
    monkeypatch.setattr(intake, "now", lambda: made[0].wall if made else clock.now())
    monkeypatch.setattr(intake, "monotonic", lambda: made[0].uptime if made else 1000.0)
    made.append(World(tmp_path))
    made[0].look(5)
    assert made[0].intake.vitals.health() == {"web": True}
    return made[0]


@pytest.mark.parametrize("jump_s", [-3600.0, 86_400.0])
def test_a_hang_is_seen_as_soon_as_ever_after_the_clock_was_set(world: World, jump_s: float) -> None:
    world.wall += jump_s
    world.look(2)
    assert world.intake.vitals.health() == {"web": True}
    assert not world.found
    world.well = False
    world.look(1)
    assert set(world.found) == {"hang"}
    (said,) = [entry.text for entry in world.store.ledger.recent(10, kinds=("clock",))]
    assert said.startswith(f"the clock was set {'back' if jump_s < 0 else 'forward'} by {abs(jump_s):.0f} s")


def test_a_clock_set_forward_ends_no_cool_down(world: World) -> None:
    done = {"kind": "restart", "state": "done", "target": "a", "key": "k"}
    world.store.ledger.append("effect", "web: started again", actor="supervisor", service="web", data=done)
    for _ in range(2):
        world.wall += 86_400.0
        world.look(0.2)
    (past,) = memory.past(world.intake.parts, world.wall)
    assert abs(world.wall - past.at) < 30


def test_a_crash_is_seen_after_the_clock_was_set_back(world: World) -> None:
    world.wall -= 3600.0
    world.look(1)
    world.target.crashing.add(RELEASE)
    world.target.kill("web", SlotName.A)
    world.look(0.2)
    assert "crash" in world.found


def test_nothing_is_known_at_the_moment_in_which_the_clock_is_set(world: World) -> None:
    world.wall -= 3600.0
    world.look(0.2)
    assert world.intake.lookout.health(world.wall) == {"web": None}
    slot = SlotName.A
    assert world.intake.probe_health("web", slot, RELEASE) is None
