"""A story that healers die of, or that breaks, is handed to a person; the others go on. With real healers' stories in processes of
their own, that end for good."""

from __future__ import annotations

import multiprocessing
import os
import threading
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast

import pytest
import sqlalchemy as sa
from dbos import DBOS

from prodwise.clock import monotonic, now
from prodwise.config import validate
from prodwise.heal import durable as stories
from prodwise.heal.durable import Durable
from prodwise.heal.hands import Hands
from prodwise.heal.intake import Intake
from prodwise.heal.parts import Parts
from prodwise.heal.resuming import OFTEN, Resuming, Withdrawing
from prodwise.heal.returning import Returning
from prodwise.loop import moves, resuming
from prodwise.model.incident import Incident, IncidentState, Symptom
from prodwise.model.outcome import Outcome
from prodwise.model.record import Effect, EffectState, Rollout, RolloutState
from prodwise.model.release import ReleaseState
from prodwise.model.service import SlotName
from prodwise.model.signal import ProbeSeen
from prodwise.model.target import Order, Switch, TargetSeen
from prodwise.notify.command import CommandNotifier
from prodwise.signals.access_log import AccessLog
from prodwise.signals.replay import Replay
from prodwise.store.sql import SqlStore
from prodwise.testing import apps
from prodwise.testing.fake_target import FakeTarget
from prodwise.wiring.healer import dbos_url
from tests.heal.running_healer import ON_BOTH, House, traffic
from tests.heal.test_ship_progress import Life, Memory

SETTINGS = {"version": 1, "services": {"web": {"command": "x"}, "api": {"command": "x"}}}
DIED: Final = 9
CALM, BAD = "inc-web-1", "inc-api-2"


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'prodwise.db'}"


def parts_of(folder: Path, store: SqlStore) -> Parts:
    config = validate(SETTINGS, "test")
    target = FakeTarget(config.inventory(), now)
    notifier = CommandNotifier(f"cat >> {folder / 'told'}")
    log = AccessLog(folder / "access.log")
    return Parts(config, folder, "", store, target, log, Nobody(), Replay(), notifier)


class Nobody:
    """Implements ports.Prober."""

    def see(self, seen: TargetSeen) -> None: ...

    def results(self) -> Sequence[ProbeSeen]:
        return ()


def healer(folder: Path, kind: str, most: int, version: str) -> None:
    """One life: it takes over, begins what is open, and ends once nothing is left to do."""
    resuming.MOST, stories.APPLICATION_VERSION = most, version  # type: ignore[misc]
    store, executor = SqlStore(url(folder)), uuid.uuid4().hex
    parts = parts_of(folder, store)
    durable = Durable(store.database.engine, store.database.within, f"sqlite:///{folder / 'dbos.db'}", executor)

    def step(incident: str) -> str:
        if incident == CALM:
            while not store.incidents.row(BAD)["closed_at"]:
                threading.Event().wait(0.02)
        elif kind == "dies":
            os._exit(DIED)
        elif kind == "errs":
            raise KeyError("a mistake of ours")
        else:
            threading.Event().wait(60)
        return "over"

    def body(incident: str) -> str:
        answer = durable.step("look", step, incident)
        durable.transact("end", lambda: store.incidents.save(incident, state="closed", closed_at=now()))
        return answer

    def begin(story: str, name: str, subject: str) -> bool:
        durable.begin(name, story, subject)
        return True

    made = Resuming(parts, durable, begin, threading.Lock())
    durable.story("incident", body, made.broken)
    durable.launch()
    made.take_over(executor)
    for found in reversed(store.incidents.list(open_only=True)):
        made.begin_incident(found.id)
        threading.Event().wait(1.1 if not store.settings.get("once") else 0)  # so fine are the times of DBOS on SQLite
        store.settings.put("once", 1, "test")
    deadline = monotonic() + (1.0 if kind == "waits" else 30)
    while monotonic() < deadline and store.incidents.list(open_only=True):
        threading.Event().wait(0.02)
    os._exit(0)


@pytest.fixture
def lives(tmp_path: Path) -> Callable[..., int]:
    """Runs one healer to its end. Returns its exit code."""
    store = SqlStore(url(tmp_path))
    for name in (CALM, BAD):
        service = name.split("-")[1]
        symptom = Symptom("errors", service, "fails", now(), now())
        store.incidents.open(Incident(name, service, (symptom,), now(), IncidentState.SEEN, title=f"{service} fails"))
    store.close()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.heal.test_resuming"])

    def live(kind: str, most: int = 3, version: str = "a") -> int:
        process = context.Process(target=healer, args=(tmp_path, kind, most, version), daemon=True)
        process.start()
        process.join(60)
        assert process.exitcode is not None, "it did not end"
        return process.exitcode

    return live


def outcome(folder: Path, name: str) -> tuple[str, str]:
    """(outcome, the last entry about it)."""
    store = SqlStore(url(folder))
    try:
        entries = store.ledger.entries(incident=name)
        return str(store.incidents.row(name)["outcome"] or ""), entries[-1].text if entries else ""
    finally:
        store.close()


def told(folder: Path) -> str:
    return (folder / "told").read_text() if (folder / "told").exists() else ""


def test_a_story_that_healers_die_of_is_handed_to_a_person_and_the_others_go_on(
    tmp_path: Path, lives: Callable[..., int]
) -> None:
    codes = [lives("dies") for _ in range(4)]
    assert codes == [DIED] * 4, "the first, and three that resumed it"
    assert told(tmp_path) == ""
    assert lives("dies") == 0
    assert outcome(tmp_path, BAD) == (Outcome.ESCALATED.value, f"escalated: {OFTEN}")
    assert "api needs a person: api fails" in told(tmp_path)
    assert told(tmp_path).count("needs a person") == 1
    assert outcome(tmp_path, CALM)[0] == "", "its story came to its own end"


def test_a_story_that_breaks_ends_with_a_person_in_the_same_healer(tmp_path: Path, lives: Callable[..., int]) -> None:
    assert lives("errs") == 0
    assert outcome(tmp_path, BAD)[0] == Outcome.ESCALATED.value
    assert "KeyError" in told(tmp_path)
    assert outcome(tmp_path, CALM)[0] == ""


def test_a_story_of_another_version_is_handed_over_and_not_left_lying(
    tmp_path: Path, lives: Callable[..., int]
) -> None:
    assert lives("waits") == 0
    assert outcome(tmp_path, BAD)[0] == ""
    assert lives("waits", version="b") == 0
    assert (outcome(tmp_path, BAD)[0], outcome(tmp_path, CALM)[0]) == (Outcome.ESCALATED.value,) * 2
    assert "another version" in told(tmp_path)


@pytest.mark.parametrize(("waits", "looks_s"), [(True, stories.POLL_S), (False, stories.RARELY_S)])
def test_while_a_story_waits_to_be_resumed_it_is_looked_for_often(
    monkeypatch: pytest.MonkeyPatch, waits: bool, looks_s: float
) -> None:
    queue, asked = SimpleNamespace(_polling_interval_sec=stories.RESUME_S), list[list[str]]()
    monkeypatch.setattr(Durable, "_resumed", queue, raising=False)
    monkeypatch.setattr(DBOS, "resume_workflows", asked.append)
    monkeypatch.setattr(stories, "TAKEN_S", 0.15)
    monkeypatch.setattr(stories, "_queued", lambda stories: waits)
    Durable.resume(["ship-2"])
    assert (asked, queue._polling_interval_sec) == ([["ship-2"]], looks_s)


class Ended(Memory):
    """Stands for Durable, which knows these stories as ended."""

    over: tuple[str, ...] = ()

    def ended(self, story: str) -> bool:
        return story in self.over


@pytest.fixture
def ramped(tmp_path: Path, store: SqlStore) -> tuple[Parts, str]:
    """A release that half of the users meet."""
    parts = parts_of(tmp_path, store)
    target = parts.target
    target.build("1-aaaaaaa", "a" * 40)
    for service in ("web", "api"):
        target.start(Order(f"{service} a", 0, "test"), service, SlotName.A, "1-aaaaaaa")
    store.releases.adopt("1-aaaaaaa", "a" * 40, "it ran")
    release = store.releases.create("b" * 40, "ana").id
    target.build(release, "b" * 40)
    target.start(Order("b", 0, "test"), "web", SlotName.B, release)
    target.switch(Order("half", target.acquire("healer"), "test"), "web", Switch(SlotName.A, 0.5))
    store.rollouts.put(Rollout(release, "1-aaaaaaa", RolloutState.RAMPING, "50 %", 0.5, now()))
    symptom = Symptom("release", "web", "worse", now(), now(), release=release)
    store.incidents.open(Incident(f"inc-{release}", "web", (symptom,), now(), IncidentState.APPLYING))
    return parts, release


def test_a_release_whose_story_cannot_go_on_is_taken_from_users(
    tmp_path: Path, store: SqlStore, ramped: tuple[Parts, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Life, "lives_on", lambda self: None)
    parts, release = ramped
    durable = cast(Durable, Memory(store, Life(store), {}))
    token = parts.target.acquire("healer")
    hands = Hands(durable, store.ledger, parts.target, lambda: token)
    intake = cast(Intake, type("_Intake", (), {"end_rollout": lambda self, release: None})())
    returning = Returning(parts, durable, hands, intake)
    parts.target.restart(Order("begun", token, "test"), "web", SlotName.A, 1)
    ship = f"ship-{release}"
    for key, story in (("half", ship), ("never", ship), ("begun", ship), ("other", "inc-web-1")):
        left = Effect(key, story, "web", "switch", {}, "", 0, now())
        store.ledger.intend(left)
    assert Withdrawing(parts, durable, returning, intake).run(release) == ""
    states = {one.key: one.state for one in store.ledger.effects()}
    results = {one.key: one.result for one in store.ledger.effects()}
    assert "was begun and is not seen" in results["begun"]
    assert "is seen not to have taken effect" in results["never"]
    assert (states["half"], states["never"]) == (EffectState.DONE, EffectState.FAILED), "as the target tells"
    assert states["other"] is EffectState.INTENT, "its story is not over"
    assert moves.gone(parts.shipped, parts.target.observe(), release)
    assert store.releases.load(release).state is ReleaseState.FAILED
    assert (store.rollouts.current(), share_of(store, release)) == (None, 0.0)
    assert outcome_of(store, f"inc-{release}") == Outcome.ESCALATED.value
    assert f"Release {release} was given up" in told(tmp_path)


def test_a_release_is_on_its_way_only_while_a_story_is_at_it(
    tmp_path: Path, store: SqlStore, ramped: tuple[Parts, str]
) -> None:
    parts, release = ramped
    begun: list[str] = []
    durable = Ended(store, Life(store), {})

    def begin(story: str, name: str, subject: str) -> bool:
        begun.append(name)
        return True

    made = Resuming(parts, cast(Any, durable), begin, threading.Lock())
    made.begin_ship(release)
    durable.over = (f"ship-{release}",)
    made.begin_ship(release)
    assert begun == [f"ship-{release}", f"withdraw-{release}"]
    durable.over = (*durable.over, f"withdraw-{release}")
    made.begin_ship(release)
    assert (len(begun), store.rollouts.current(), share_of(store, release)) == (2, None, 0.5), (
        "it may have its users still"
    )
    assert f"Release {release} could not be taken from users" in told(tmp_path)
    made.begin_ship(release)
    assert len(begun) == 2, "it is over"


@pytest.mark.full
@ON_BOTH
@pytest.mark.timeout(240)
def test_users_of_a_release_whose_story_broke_are_brought_back(house: House) -> None:
    """A real app, proxy and healer; the story ends in an error, as if it had broken for good, while half of the users are on it."""
    stable = house.serving().release
    apps.commit(house.dir)
    release = str(house.api.post("deploy", ref="HEAD")["release"])
    apps.until(lambda: house.switch.share > 0, 30, "the ramp")
    house.end_healer()
    schema = "dbos." if "postgres" in house.url else ""
    engine = sa.create_engine(dbos_url(house.target.layout, house.url))
    with engine.begin() as connection:
        broken = sa.text(f"UPDATE {schema}workflow_status SET status = 'ERROR' WHERE workflow_uuid = :id")
        assert connection.execute(broken, {"id": f"ship-{release}"}).rowcount == 1
    engine.dispose()
    with traffic(house.address) as seen:
        house.ready()
        apps.until(lambda: house.state_of(release) == "failed", 60, "the end of the release")
        apps.until(lambda: house.serves(stable), 20, "the return")
        apps.until(lambda: f"Release {release} was given up" in house.told(), 20, "the message")
    assert seen.failed == 0, seen.answers
    assert house.store.rollouts.current() is None
    assert "users are on the release before it" in house.told()
    house.whole()


def outcome_of(store: SqlStore, name: str) -> str:
    return str(store.incidents.row(name)["outcome"] or "")


def share_of(store: SqlStore, release: str) -> float | None:
    kept = store.rollouts.load(release)
    return kept.share if kept is not None else None
