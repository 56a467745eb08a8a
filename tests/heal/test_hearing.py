"""What people say on a healing pull request is heard once and done until it is done, on a code host that speaks like the true one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prodwise.clock import now
from prodwise.forge.publisher import Publisher
from prodwise.heal.fixes import Fixes
from prodwise.heal.hearing import WAIT_S, WISHES_MAX
from prodwise.heal.pulls import Pulls, Stage, Undone
from prodwise.heal.sought import TRIED
from prodwise.model.errors import ConfigError, ForgeError, Later
from prodwise.testing.fake_forge import Fault
from prodwise.testing.forge_kit import WRITER, pull_for
from tests.forge.rigs import HostRig
from tests.heal.test_undoing import World, world

__all__ = ["world"]


@pytest.fixture
def hosted(world: World) -> tuple[World, HostRig]:
    assert isinstance(world.rig, HostRig)
    return world, world.rig


pytestmark = pytest.mark.parametrize("world", ["github"], indirect=True)


def a_day_ago(world: World) -> None:
    kept = world.first
    wishes = tuple(replace(one, at=now() - WAIT_S - 1) for one in kept.wishes)
    Pulls(world.store).put(replace(kept, wishes=wishes))


def test_a_command_is_done_though_the_host_failed_when_it_was_heard(hosted: tuple[World, HostRig]) -> None:
    world, rig = hosted
    rig.say(world.first.published, WRITER, "/prodwise close")
    rig.fake.faults.append(Fault(500, part="pulls", method="PATCH", times=2))
    world.turn()
    assert (world.first.stage, len(world.first.wishes)) == (Stage.OPEN, 1)
    world.turn()
    assert (world.first.stage, len(world.first.wishes)) == (Stage.OPEN, 1)
    world.turn()
    assert (world.first.stage, world.first.wishes) == (Stage.CLOSED, ())
    records = world.records()
    assert sum(text.endswith("asked to close") for text in records) == 1, "it is heard once"
    assert sum("is tried again" in text for text in records) == 1, "a reason that is no news is not told again"


def test_a_command_is_done_though_the_process_ended_between_hearing_and_doing(
    hosted: tuple[World, HostRig], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, rig = hosted
    rig.say(world.first.published, WRITER, "/prodwise explain")

    def ends(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(Publisher, "tell", ends)
        with pytest.raises(SystemExit):
            world.turn()
    world.fixes = Fixes(world.fixes._parts, world.fixes._fixing)
    world.turn()
    world.turn()
    assert ["This is for incident" in one for one in rig.said(world.first.published)].count(True) == 1


def test_an_answer_that_was_lost_is_repeated_without_a_second_comment(hosted: tuple[World, HostRig]) -> None:
    world, rig = hosted
    rig.say(world.first.published, WRITER, "/prodwise explain")
    rig.fake.faults.append(Fault(500, part="/comments", method="POST", after=True))
    world.turn()
    world.turn()
    assert world.first.wishes == ()
    assert len(rig.said(world.first.published)) == 2, "theirs and ours"


def test_retry_is_heard_though_another_command_before_it_waits(hosted: tuple[World, HostRig]) -> None:
    world, rig = hosted
    world.store.settings.put(TRIED, ["inc-1"], "prodwise")
    rig.say(world.first.published, WRITER, "/prodwise explain")
    rig.say(world.first.published, WRITER, "/prodwise retry")
    rig.fake.faults.append(Fault(500, part="/comments", method="POST"))
    world.turn()
    assert [one.command.value for one in world.first.wishes] == ["explain"]
    assert world.first.published.retried
    assert world.store.settings.get(TRIED) == []


def test_it_is_not_tried_without_end_nor_are_commands_piled_up(hosted: tuple[World, HostRig]) -> None:
    world, rig = hosted
    rig.fake.faults.append(Fault(500, part="/comments", method="POST", times=100))
    for _ in range(WISHES_MAX + 1):
        rig.say(world.first.published, WRITER, "/prodwise smaller")
    world.turn()
    assert len(world.first.wishes) == WISHES_MAX
    assert any(f"{WISHES_MAX} are waiting already" in text for text in world.records())
    a_day_ago(world)
    world.turn()
    assert world.first.wishes == ()
    assert "could not be done within a day" in world.told.texts[-1]


def test_one_that_cannot_be_heard_keeps_no_other_from_being_heard_nor_a_fix_from_being_taken_back(
    hosted: tuple[World, HostRig],
) -> None:
    world, rig = hosted
    world.withdrawn()
    second = rig.forge().publish(pull_for(rig, "k2"), [])
    third = rig.forge().publish(pull_for(rig, "k3"), [])
    for made in (second, third):
        Pulls(world.store).put(replace(world.first, published=made, stage=Stage.OPEN, failed="", undone=Undone.NOT_YET))
    rig.say(third, WRITER, "/prodwise close")
    rig.fake.faults.append(Fault(410, part=f"/issues/{second.number}/comments", times=2))
    for _ in range(2):
        with pytest.raises(ForgeError, match="410"):
            world.turn()
    became = {one.published.key: (one.stage, one.undone) for one in world.all()}
    assert became["k3"] == (Stage.CLOSED, Undone.NOT_YET)
    assert became["k1"] == (Stage.WITHDRAWN, Undone.PROPOSED)


def test_a_host_that_asks_for_patience_is_given_it(
    hosted: tuple[World, HostRig], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, rig = hosted
    rig.say(world.first.published, WRITER, "/prodwise close")
    asked: list[int] = []

    def later(*_: object) -> None:
        asked.append(1)
        raise Later("not now", "", seconds=300)

    with monkeypatch.context() as patched:
        patched.setattr(Publisher, "close", later)
        world.turn()
        world.fixes.turn()
    assert (len(asked), len(world.first.wishes)) == (1, 1)
    world.turn()
    assert world.first.stage is Stage.CLOSED


@pytest.mark.parametrize("what", ["close", "look"])
def test_a_host_that_asks_for_patience_without_end_is_given_a_day(
    hosted: tuple[World, HostRig], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Whether it is met in doing what was asked or already in hearing what is new."""
    world, rig = hosted
    rig.say(world.first.published, WRITER, "/prodwise close")

    def later(*_: object) -> None:
        raise Later("429, too many requests", "", seconds=0)

    monkeypatch.setattr(Publisher, "close", later)
    world.turn()
    monkeypatch.setattr(Publisher, what, later)
    world.turn()
    assert [one.command.value for one in world.first.wishes] == ["close"]
    told = len(world.told.texts)
    a_day_ago(world)
    world.turn()
    assert (world.first.stage, world.first.wishes) == (Stage.OPEN, ())
    assert len(world.told.texts) == told + 1
    assert "which could not be done within a day: 429, too many requests" in world.told.texts[-1]
    world.turn()
    assert len(world.told.texts) == told + 1


def test_a_host_that_cannot_be_talked_to_any_more_is_given_a_day(hosted: tuple[World, HostRig]) -> None:
    world, rig = hosted
    rig.say(world.first.published, WRITER, "/prodwise close")
    rig.fake.faults.append(Fault(500, part="pulls", method="PATCH", times=2))
    world.turn()

    def gone() -> Publisher:
        raise ConfigError("there is no token", "")

    fixing = world.fixes._fixing
    assert fixing is not None
    world.fixes = Fixes(world.fixes._parts, replace(fixing, forge=gone))
    for late in (False, True):
        if late:
            a_day_ago(world)
        with pytest.raises(ConfigError):
            world.turn()
        assert len(world.first.wishes) == (0 if late else 1)
    assert "which could not be done within a day: there is no token" in world.told.texts[-1]
