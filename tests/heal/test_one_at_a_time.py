"""What people ask for goes on once at a time for each service, whoever of the healers carries it out."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from prodwise.cli.client import ApiError
from prodwise.heal import controls
from prodwise.heal.controls import HealControls
from prodwise.model.errors import Refused
from prodwise.model.release import ReleaseState
from prodwise.model.service import SlotName
from prodwise.model.target import Order
from prodwise.store.sql import SqlStore
from prodwise.targets.local.stop_file import StopFile
from prodwise.testing import apps
from tests.heal.running_healer import House, traffic
from tests.heal.test_overrides import good_after
from tests.heal.test_resuming import parts_of

Asks = Callable[[], object]


class Stories:
    """Stands for DBOS: what has begun, and is not over. acts: whether this healer may act."""

    def __init__(self) -> None:
        self.acts = True
        self.under_way: list[str] = []

    def begin(self, story: str, name: str, subject: str) -> bool:
        if self.acts:
            self.under_way.append(name)
        return self.acts

    def goes_on(self, name: str) -> bool | None:
        return name in self.under_way if self.acts else None


@pytest.fixture
def asked(tmp_path: Path, store: SqlStore) -> tuple[HealControls, Stories]:
    """Two services on the second of two good releases."""
    parts, stories = parts_of(tmp_path, store), Stories()
    for commit in ("a" * 40, "b" * 40):
        made = store.releases.create(commit, "ana").id
        parts.target.build(made, commit)
        for service in ("web", "api"):
            parts.target.start(Order(f"{service} {made}", 0, "test"), service, SlotName.A, made)
        store.releases.set_state(made, ReleaseState.VERIFIED_GOOD, "")
    return HealControls(parts, stories.begin, stories.goes_on, StopFile(tmp_path)), stories


def named(ask: Asks) -> str:
    """The story that goes on already."""
    with pytest.raises(Refused, match="already going on: ") as no:
        ask()
    found = re.search(r"going on: (\S+), asked for \d+ s ago", no.value.message)
    assert found is not None, no.value.message
    return found[1]


def test_a_second_return_is_answered_with_the_one_that_goes_on(asked: tuple[HealControls, Stories]) -> None:
    made, stories = asked
    assert made.rollback("ana") == "1-aaaaaaa"
    (first,) = stories.under_way
    assert named(lambda: made.rollback("ben")) == first
    assert named(lambda: made.restart("web", "ben")) == first
    assert stories.under_way == [first]
    stories.under_way.clear()
    assert made.rollback("ben") == "1-aaaaaaa", "the first one is over"


def test_services_are_restarted_side_by_side_and_each_once(asked: tuple[HealControls, Stories]) -> None:
    made, stories = asked
    made.restart("web", "ana")
    made.restart("api", "ana")
    assert [one.rpartition("-")[0] for one in stories.under_way] == ["restart-web", "restart-api"]
    assert named(lambda: made.restart("api", "ana")) == stories.under_way[1]
    assert named(lambda: made.rollback("ana")) in stories.under_way


def test_what_a_dead_healer_left_goes_on_until_it_is_known_to_be_over(
    asked: tuple[HealControls, Stories], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, stories = asked
    made.rollback("ana")
    (first,) = stories.under_way
    stories.acts = False  # the next healer, before it may act
    assert named(lambda: made.rollback("ana")) == first
    with monkeypatch.context() as later:
        later.setattr(controls, "UNSEEN_S", 0.0)
        made.rollback("ana")
    stories.acts = True
    stories.under_way.remove(first)
    assert named(lambda: made.rollback("ana")).startswith("return-1-aaaaaaa-"), "asked for, and not begun yet"
    made.begin_asked()
    assert len(stories.under_way) == 1


@pytest.mark.full
@pytest.mark.timeout(180)
def test_a_return_asked_for_twice_around_a_death_is_one_return(house: House) -> None:
    first = good_after(house)
    second = house.serving().release
    house.api.post("rollback")
    house.end_healer()
    house.ready()
    with traffic(house.address):
        with pytest.raises(ApiError, match=r"already going on: return-|no earlier verified-good") as no:
            house.api.post("rollback")
        assert no.value.exit_code == 6
        apps.until(lambda: house.serves(first), 40, "the return")
        apps.until(lambda: house.state_of(second) == "failed", 40, "the record")
    house.end_healer()
    house.ready()
    assert house.serves(first)
    moved = [one for one in house.store.changes.own(0.0, 100) if one.id.startswith("return-")]
    assert [(one.before, one.after) for one in moved] == [(second, first)]
    house.whole()
