"""How often the healer looks: half as often while nothing moves, and never later at what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from prodwise import clock
from prodwise.heal import intake
from prodwise.heal.intake import QUIET_S, TICK_S
from prodwise.model.service import SlotName
from prodwise.model.signal import ProbeSeen
from prodwise.model.target import Order
from tests.heal.test_clock import RELEASE, World

EVERY_S = 0.25


@dataclass
class Paced(World):
    """Probes answer by the clock, and looks come when the intake wants them. failing_at: when its failures were told."""

    asked_at: float = 0.0
    waits: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.intake.parts = replace(self.intake.parts, waiting=lambda: {"web": self.waits})
        self.failing_at: list[float] = []

    def results(self) -> Sequence[ProbeSeen]:
        found: list[ProbeSeen] = []
        self.asked_at = self.asked_at or self.wall
        while self.asked_at + EVERY_S <= self.wall:
            self.asked_at += EVERY_S
            found.append(ProbeSeen(self.asked_at, "web", RELEASE, "a", self.well, 1.0, ""))
            if not self.well:
                self.failing_at.append(self.asked_at)
        return found

    def pass_by(self, seconds: float) -> None:
        self.wall += seconds
        self.uptime += seconds

    def next_look(self) -> float:
        """When it came."""
        self.pass_by(self.intake.pause_s)
        self.intake.tick()
        return self.wall


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paced:
    made: list[Paced] = []
    monkeypatch.setattr(intake, "now", lambda: made[0].wall if made else clock.now())
    monkeypatch.setattr(intake, "monotonic", lambda: made[0].uptime if made else 1000.0)
    made.append(Paced(tmp_path))
    for _ in range(20):
        made[0].next_look()
    return made[0]


def test_an_idle_app_is_looked_at_half_as_often(world: Paced) -> None:
    assert world.intake.pause_s == QUIET_S > TICK_S
    assert world.next_look() - (world.wall - QUIET_S) == pytest.approx(QUIET_S)


@pytest.mark.parametrize("phase", range(10))
def test_a_hang_is_told_at_the_look_that_follows_its_third_failure(world: Paced, phase: int) -> None:
    world.pass_by(phase * QUIET_S / 10)
    world.results()
    world.well = False
    while not world.found:
        seen_at = world.next_look()
    assert seen_at - world.failing_at[2] <= TICK_S + 1e-6


def test_a_crash_without_traffic_is_told_at_the_next_look(world: Paced) -> None:
    world.target.crashing.add(RELEASE)
    world.target.kill("web", SlotName.A)
    world.next_look()
    assert "crash" in world.found
    assert world.intake.pause_s == TICK_S


def test_it_looks_closely_while_users_wait(world: Paced) -> None:
    world.waits = 1
    world.next_look()
    assert world.intake.pause_s == TICK_S


def test_it_looks_closely_while_a_release_runs_beside_the_one_that_serves(world: Paced) -> None:
    world.target.build("2-bbbbbbb", "bbbbbbb")
    world.target.start(Order("k2", 0, "test"), "web", SlotName.B, "2-bbbbbbb")
    world.next_look()
    assert world.intake.pause_s == TICK_S


def test_it_looks_closely_where_something_is_not_known(world: Paced) -> None:
    world.asked_at = world.wall + 60.0  # no probe answers any more
    for _ in range(12):
        world.next_look()
    assert world.intake.vitals.health() == {"web": None}
    assert world.intake.pause_s == TICK_S
