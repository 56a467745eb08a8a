"""What people ask for goes on once at a time for each service, whoever of the healers carries it out."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from prodwise.cli.client import ApiError
from prodwise.clock import now
from prodwise.heal import releases, returning
from prodwise.heal.controls import HealControls
from prodwise.heal.hands import Hands
from prodwise.heal.incident import undone_by
from prodwise.heal.returning import Returning, SmallStories
from prodwise.heal.ship import ShipStory
from prodwise.model.change import Change, ChangeKind
from prodwise.model.errors import Refused, UsageError
from prodwise.model.incident import Incident, IncidentState, Symptom
from prodwise.model.record import Effect, EffectState, Rollout, RolloutState
from prodwise.model.release import ReleaseState
from prodwise.model.service import SlotName
from prodwise.model.target import Order, Switch
from prodwise.ports import Target
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


def test_a_return_that_is_refused_cancels_no_rollout(asked: tuple[HealControls, Stories], store: SqlStore) -> None:
    made, stories = asked
    made.rollback("ana")
    third = store.releases.create("c" * 40, "ana").id
    store.rollouts.put(Rollout(third, "2-bbbbbbb", RolloutState.RAMPING, "5 %", 0.05, now()))
    (first,) = stories.under_way
    assert named(lambda: made.rollback("ben", "1-aaaaaaa")) == first
    assert store.settings.get(f"cancel:{third}") is None
    stories.under_way.clear()
    assert made.rollback("ben", "1-aaaaaaa") == "1-aaaaaaa", "the first one is over"
    assert store.settings.get(f"cancel:{third}")["who"] == "ben"
    assert len(stories.under_way) == 1


def test_any_release_of_the_store_can_be_gone_back_to(
    asked: tuple[HealControls, Stories], store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, stories = asked
    for number in range(3, 14):
        store.releases.set_state(store.releases.create(f"{number:x}" * 40, "ana").id, ReleaseState.FAILED, "")
    monkeypatch.setattr(releases, "NEWEST", 5)
    for wanted in ("1-aaaaaaa", "1-"):
        assert made.rollback("ana", wanted) == "1-aaaaaaa"
        stories.under_way.clear()
    with pytest.raises(UsageError, match="could be more than one release"):
        made.rollback("ana", "1")


def test_a_release_that_was_left_with_a_share_is_taken_from_users_first(
    asked: tuple[HealControls, Stories], tmp_path: Path, store: SqlStore
) -> None:
    """Its rollout is over and could not withdraw it: all users go to the release that serves beside it, and no further back."""
    made, stories = asked
    target = made._parts.target
    left = on_its_way(store, RolloutState.RAMPING)
    token = target.acquire("healer")
    target.build(left, "c" * 40)
    target.start(Order("c", token, "test"), "web", SlotName.B, left)
    stable = made._parts.serving()
    target.switch(Order("share", token, "test"), "web", Switch(SlotName.A, 0.25))
    store.rollouts.put(Rollout(left, stable, RolloutState.FAILED, "25 %", 0.25, now()))
    store.releases.set_state(left, ReleaseState.FAILED, "it could not be withdrawn")
    assert made.rollback("ana") == stable == "2-bbbbbbb"
    (story,) = stories.under_way
    durable = AtOnce([])
    hands = Hands(durable, store.ledger, target, lambda: token)  # type: ignore[arg-type]
    returning = Returning(made._parts, durable, hands, Well(target))  # type: ignore[arg-type]
    assert SmallStories(made._parts, durable, returning).go_back(story) == ""  # type: ignore[arg-type]
    web = target.observe().service("web")
    assert web is not None
    assert web.switch == Switch(SlotName.A, 0.0)
    assert [one.release for one in web.slots if one.state != "stopped"] == [stable]
    assert store.releases.load(left).state is ReleaseState.FAILED
    assert store.releases.load(stable).state is ReleaseState.VERIFIED_GOOD


def test_services_are_restarted_side_by_side_and_each_once(asked: tuple[HealControls, Stories]) -> None:
    made, stories = asked
    made.restart("web", "ana")
    made.restart("api", "ana")
    assert [one.rpartition("-")[0] for one in stories.under_way] == ["restart-web", "restart-api"]
    assert named(lambda: made.restart("api", "ana")) == stories.under_way[1]


def test_who_wants_to_go_back_is_held_up_by_no_restart(asked: tuple[HealControls, Stories], store: SqlStore) -> None:
    made, stories = asked
    made.restart("web", "ana")
    made.restart("api", "ana")
    assert made.rollback("ana") == "1-aaaaaaa"
    *restarts, back = stories.under_way
    assert store.settings.get(f"return:{back}")["after"] == restarts
    (told,) = store.ledger.recent(10, ["waits"])
    assert told.text == "going back as soon as the restart of web, api is over, after 20 s at most"
    assert named(lambda: made.rollback("ben")) == back
    assert named(lambda: made.restart("web", "ben")) in stories.under_way


@pytest.mark.parametrize("acts", [True, False])
def test_a_rollout_that_has_not_begun_waits_for_who_wants_to_go_back(
    asked: tuple[HealControls, Stories], store: SqlStore, acts: bool
) -> None:
    """Begun or not, by whichever healer."""
    made, stories = asked
    queued = on_its_way(store, RolloutState.QUEUED)
    rollout = ShipStory(made._parts, stories, None, None, None)  # type: ignore[arg-type]
    made.restart("web", "ana")
    assert rollout._ahead(queued) == "", "a restart is no reason to wait"
    stories.under_way.clear()
    stories.acts = acts
    made.rollback("ana")
    assert rollout._ahead(queued) == "a person goes back first"
    store.settings.put(returning.ASKED, {}, "test")
    stories.acts = True
    assert bool(rollout._ahead(queued)) == acts
    stories.under_way.clear()
    assert rollout._ahead(queued) == "", "it is over"


class AtOnce:
    """Stands for durable steps: each is done when it is asked for. going_on: stories that are not over, one fewer at each look."""

    def __init__(self, going_on: Sequence[str]) -> None:
        self.going_on, self.looks = list(going_on), 0

    def step(self, name: str, work: Callable[..., object], *given: object) -> object:
        return work(*given)

    transact = step

    def goes_on(self, story: str) -> bool:
        self.looks += 1
        return story in self.going_on and self.looks < 3


class Back:
    """Stands for going back: whether it was, and how often other stories were looked at before it began."""

    def __init__(self, durable: AtOnce) -> None:
        self.durable, self.after, self.went = durable, 0, 0

    def go_back(self, *given: object) -> str:
        self.after = self.durable.looks
        self.went += 1
        return ""

    put_back = go_back


def test_a_return_waits_for_the_end_of_a_restart(
    asked: tuple[HealControls, Stories], tmp_path: Path, store: SqlStore
) -> None:
    made, stories = asked
    made.restart("web", "ana")
    made.rollback("ana")
    restart, back = stories.under_way
    durable = AtOnce([restart])
    ways = Back(durable)
    small = SmallStories(parts_of(tmp_path, store), durable, ways)  # type: ignore[arg-type]
    assert small.go_back(back) == ""
    assert ways.after >= 3, "it began when the restart was over"
    assert len(store.ledger.recent(10, ["waits"])) == 1


def test_a_restart_that_does_not_end_is_looked_for_and_left_behind(
    asked: tuple[HealControls, Stories], tmp_path: Path, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, stories = asked
    stories.acts = False  # nothing begins
    made.restart("web", "ana")
    made.rollback("ana")
    restart, back = store.settings.get(returning.ASKED)
    command = {"service": "web", "op": "restart", "slot": "a", "pid": 7}
    store.ledger.intend(Effect(f"{restart}/restart/0", restart, "web", "restart", command, None, 1, now()))
    monkeypatch.setattr(returning, "RESTART_WAIT_S", 0.0)
    durable = AtOnce([])
    small = SmallStories(parts_of(tmp_path, store), durable, Back(durable))  # type: ignore[arg-type]
    assert small.go_back(back) == ""
    (effect,) = store.ledger.effects(story=restart)
    assert effect.state is EffectState.FAILED, "it is not known to be at work any more"
    assert "is not over after 0 s: going back all the same" in store.ledger.recent(1, ["waits"])[0].text


class Well:
    """Stands for the intake: every process answers its probe."""

    def __init__(self, target: Target) -> None:
        self.target = target.observe

    def probe_health(self, *_: object) -> bool:
        return True


def on_its_way(store: SqlStore, state: RolloutState) -> str:
    made = store.releases.create("c" * 40, "ana").id
    store.rollouts.put(Rollout(made, "2-bbbbbbb", state, "", 0.0, now()))
    return made


@pytest.mark.parametrize("state", [RolloutState.CHECKING, RolloutState.RAMPING, RolloutState.WATCHING])
def test_a_return_never_begins_beside_a_rollout_and_a_person_is_told(
    asked: tuple[HealControls, Stories], tmp_path: Path, store: SqlStore, monkeypatch: pytest.MonkeyPatch,
    state: RolloutState,
) -> None:  # fmt: skip
    made, stories = asked
    third = on_its_way(store, state)
    made.rollback("ana", "1-aaaaaaa")
    monkeypatch.setattr(returning, "WAIT_S", 0.0)
    durable = AtOnce([])
    ways = Back(durable)
    small = SmallStories(parts_of(tmp_path, store), durable, ways)  # type: ignore[arg-type]
    why = f"release {third} is still on its way after 0 s, and never are two stories at work on one service"
    assert why in small.go_back(stories.under_way[0])
    assert ways.went == 0
    assert f"going back failed: it was not begun: {why}" in store.ledger.recent(1, ["failed"])[0].text
    assert "`prodwise rollback 1-aaaaaaa` asks once more" in (tmp_path / "told").read_text()


def test_a_return_does_not_wait_for_a_cancelled_build(
    asked: tuple[HealControls, Stories], tmp_path: Path, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is on what it makes, and it will not be started. One that nobody cancelled is."""
    made, stories = asked
    third = on_its_way(store, RolloutState.BUILDING)
    made.rollback("ana", "1-aaaaaaa")
    monkeypatch.setattr(returning, "WAIT_S", 0.0)
    durable = AtOnce([])
    ways = Back(durable)
    small = SmallStories(parts_of(tmp_path, store), durable, ways)  # type: ignore[arg-type]
    assert small.go_back(stories.under_way[0]) == ""
    assert ways.went == 1
    store.settings.put(f"cancel:{third}", None, "test")
    assert "still on its way" in small.go_back(stories.under_way[0])
    assert ways.went == 1


def test_a_return_waits_for_the_story_of_the_rollout_that_it_cancelled(
    asked: tuple[HealControls, Stories], tmp_path: Path, store: SqlStore
) -> None:
    """One that was just becoming stable goes back by itself, after its rollout is settled."""
    made, stories = asked
    third = on_its_way(store, RolloutState.WATCHING)
    made.rollback("ana", "1-aaaaaaa")
    store.rollouts.put(Rollout(third, "2-bbbbbbb", RolloutState.VERIFIED_GOOD, "", 1.0, now()))
    durable = AtOnce([f"ship-{third}"])
    ways = Back(durable)
    small = SmallStories(parts_of(tmp_path, store), durable, ways)  # type: ignore[arg-type]
    assert small.go_back(stories.under_way[0]) == ""
    assert (ways.went, ways.after) == (1, 3)


def test_an_undo_never_begins_beside_its_incident_s_story_and_a_person_is_told(
    asked: tuple[HealControls, Stories], tmp_path: Path, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, stories = asked
    symptom = Symptom("errors", "web", "it fails", now(), now())
    store.incidents.open(Incident("inc-web-1", "web", (symptom,), now(), IncidentState.APPLYING))
    text = "went back"
    store.changes.record(
        Change("inc-web-1", now(), ChangeKind.HEAL, "", "1-aaaaaaa", "2-bbbbbbb", "prodwise", "", text)
    )
    made.undo("inc-web-1", "ana")
    (undo,) = stories.under_way
    monkeypatch.setattr(returning, "WAIT_S", 0.0)
    durable = AtOnce([])
    ways = Back(durable)
    small = SmallStories(parts_of(tmp_path, store), durable, ways)  # type: ignore[arg-type]
    why = "inc-web-1 is not over after 0 s, and never are two stories at work on one service"
    assert why in small.undo(undo)
    assert ways.went == 0
    assert "`prodwise deploy aaaaaaa` ships it again" in (tmp_path / "told").read_text()
    assert undone_by(store.settings.get(f"undo:{undo}")) == "", "the incident goes on"
    with pytest.raises(Refused, match="it was not begun: inc-web-1 is not over"):
        made.undo("inc-web-1", "ben")


@pytest.mark.full
@pytest.mark.timeout(300)
def test_a_restart_and_the_way_back_right_after_it(house: House) -> None:
    """Whichever healer's thread comes first: nothing of the return is done before the restart's effect is settled."""
    first = good_after(house)
    second = house.serving().release
    with traffic(house.address):
        house.api.post("restart", service="web")
        house.api.post("rollback")
        apps.until(lambda: house.serves(first), 40, "the return")
        apps.until(lambda: house.state_of(second) == "failed", 40, "the record")
    effects = {one.story.partition("-")[0]: one for one in reversed(house.store.ledger.effects(since=0.0))}
    settled = effects["restart"].settled_at
    assert settled is not None
    assert settled <= effects["return"].intended_at
    house.whole()


def test_what_a_dead_healer_left_goes_on_until_it_is_known_to_be_over(
    asked: tuple[HealControls, Stories], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, stories = asked
    made.rollback("ana")
    (first,) = stories.under_way
    stories.acts = False  # the next healer, before it may act
    assert named(lambda: made.rollback("ana")) == first
    with monkeypatch.context() as later:
        later.setattr(returning, "UNSEEN_S", 0.0)
        made.rollback("ana")
    stories.acts = True
    stories.under_way.remove(first)
    assert named(lambda: made.rollback("ana")).startswith("return-1-aaaaaaa-"), "asked for, and not begun yet"
    made.begin_asked()
    assert len(stories.under_way) == 1


@pytest.mark.full
@pytest.mark.timeout(300)
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
