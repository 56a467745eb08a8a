"""A deploy gets on however early each of its healers dies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from prodwise.config import validate
from prodwise.heal import resuming, ship, unmet
from prodwise.heal.durable import Durable
from prodwise.heal.hands import Hands
from prodwise.heal.intake import Intake
from prodwise.heal.parts import Parts
from prodwise.heal.resuming import Withdrawing
from prodwise.heal.returning import Returning
from prodwise.heal.ship import ShipStory
from prodwise.heal.vitals import LiveVitals
from prodwise.loop import moves
from prodwise.loop import ship as turns
from prodwise.loop.watch.unmet import answers
from prodwise.model.errors import TargetError
from prodwise.model.gate import GateResult, Verdict
from prodwise.model.outcome import Outcome
from prodwise.model.record import Rollout, RolloutState
from prodwise.model.release import ReleaseState
from prodwise.model.rollout import Stage
from prodwise.model.service import SlotName
from prodwise.model.target import Order, Switch, TargetSeen
from prodwise.model.unmet import UnmetAt
from prodwise.notify.command import CommandNotifier
from prodwise.signals.access_log import AccessLog
from prodwise.signals.replay import Replay
from prodwise.store.sql import SqlStore
from prodwise.testing.fake_target import FakeTarget

LIVES_MAX = 60
SETTINGS = {"version": 1, "services": {"web": {"command": "x"}}, "ramp": {"watch_seconds": 5}}


class Died(BaseException):
    """By kill -9: nothing catches it."""


class Life:
    """One healer's: it ends right after the first transaction that has added to the ledger."""

    def __init__(self, store: SqlStore) -> None:
        self._store, self.within = store, False
        self._began = self._written()

    def _written(self) -> int:
        return next((one.seq for one in self._store.ledger.recent(1)), 0)

    def lives_on(self) -> None:
        if not self.within and self._written() > self._began:
            raise Died


class Mortal:
    """A part of the store, used by one healer."""

    def __init__(self, part: Any, life: Life) -> None:
        self._part, self._life = part, life

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._part, name)
        if not callable(found):
            return Mortal(found, self._life)

        def call(*arguments: Any, **named: Any) -> Any:
            answer = found(*arguments, **named)
            self._life.lives_on()
            return answer

        return call


class Memory:
    """Stands for Durable: what finished is on record, and is not done again in the next life."""

    def __init__(self, store: SqlStore, life: Life, kept: dict[str, Any]) -> None:
        self._store, self._life, self._kept = store, life, kept

    def step(self, name: str, function: Callable[..., Any], *arguments: Any) -> Any:
        if name not in self._kept:
            self._kept[name] = function(*arguments)
        return self._kept[name]

    def transact(self, name: str, function: Callable[..., Any], *arguments: Any) -> Any:
        if name not in self._kept:
            self._life.within = True
            with self._store.unit():
                answer = function(*arguments)
            self._life.within, self._kept[name] = False, answer
            self._life.lives_on()
        return self._kept[name]

    @staticmethod
    def goes_on(story: str) -> bool:
        """Nobody asked for anything else."""
        return False


class Eyes:
    """Stands for the intake. What a release showed is forgotten with the healer: its gates hold at the first look of each life."""

    def __init__(self) -> None:
        self.looks = 0

    def probe_health(self, service: str, slot: SlotName, release: str) -> bool:
        return True

    def why_unhealthy(self, service: str, slot: SlotName, release: str, seen: TargetSeen) -> str:
        return ""

    def check_canary(self, release: str) -> tuple[GateResult, ...]:
        return (GateResult("web: checks", Verdict.PASS, "answers"),)

    def ramp_gates(self, release: str, stage: Stage) -> tuple[GateResult, ...]:
        self.looks += 1
        verdict = Verdict.HOLD if self.looks < 3 else Verdict.PASS
        return (GateResult("web: errors", verdict, "too few requests yet"),)

    def watch_gates(self, release: str) -> tuple[GateResult, ...]:
        return self.ramp_gates(release, Stage("", 1.0, 0.02))

    def numbers_of(self, release: str) -> dict[str, Any]:
        return {}

    def begin_rollout(self, release: str, previous: str) -> None: ...

    def end_rollout(self, release: str) -> None: ...

    def make_evidence(self, release: str) -> None: ...


class Deploy:
    """One deploy of a fake app, and the healers that are at it one after the other."""

    def __init__(self, folder: Path, store: SqlStore, clock: Callable[[], float], eyes: Eyes | None = None) -> None:
        self.eyes = eyes
        self.store, self.folder, self.kept = store, folder, dict[str, Any]()
        self.config = validate(SETTINGS, "test")
        self.target = FakeTarget(self.config.inventory(), clock, lease_s=1e9)
        self.target.commits["HEAD"] = "b" * 40
        self.target.build("1-aaaaaaa", "a" * 40)
        self.target.start(Order("stable", 0, "test"), "web", SlotName.A, "1-aaaaaaa")
        store.releases.adopt("1-aaaaaaa", "a" * 40, "it ran")
        self.release = store.releases.create("b" * 40, "ana").id
        store.rollouts.put(Rollout(self.release, "", RolloutState.QUEUED, "", 0.0, clock()))

    def given_up(self) -> str:
        """What is done once its story has broken."""
        memory, eyes = cast(Durable, Memory(self.store, Life(self.store), {})), cast(Intake, self.eyes or Eyes())
        log = AccessLog(self.folder / "access.log")
        parts = Parts(
            self.config, self.folder, "", self.store, self.target, log, cast(Any, None), Replay(), CommandNotifier("")
        )
        hands = Hands(memory, self.store.ledger, self.target, lambda: self.target.acquire("healer"))
        return Withdrawing(parts, memory, Returning(parts, memory, hands, eyes), eyes).run(self.release)

    def live(self) -> str:
        """Raises Died."""
        life = Life(self.store)
        records, memory = cast(SqlStore, Mortal(self.store, life)), cast(Durable, Memory(self.store, life, self.kept))
        log = AccessLog(self.folder / "access.log")
        parts = Parts(
            self.config,
            self.folder,
            "",
            records,
            self.target,
            log,
            cast(Any, None),
            Replay(),
            CommandNotifier(f"cat >> {self.folder / 'told'}"),
        )
        eyes, token = cast(Intake, self.eyes or Eyes()), self.target.acquire("healer")
        hands = Hands(memory, records.ledger, self.target, lambda: token)
        return ShipStory(parts, memory, hands, eyes, Returning(parts, memory, hands, eyes)).run(self.release)


def quick(monkeypatch: pytest.MonkeyPatch) -> Callable[[], float]:
    """A clock that a deploy's looks move on, so that nothing waits."""
    at = [1_000_000.0]

    def clock() -> float:
        at[0] += 0.25
        return at[0]

    monkeypatch.setattr(ship, "LOOK_S", 0.0)
    monkeypatch.setattr(ship, "now", clock)
    return clock


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_deploy_whose_every_healer_dies_after_its_first_write_is_carried_through(
    tmp_path: Path, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = quick(monkeypatch)
    deploy, died = Deploy(tmp_path, store, clock), 0
    while died < LIVES_MAX:
        try:
            deploy.live()
            break
        except Died:
            died += 1
    assert store.releases.load(deploy.release).state is ReleaseState.VERIFIED_GOOD, f"after {died} healers"
    assert 10 < died < LIVES_MAX, "each of them got as far as one write"
    stages = [one.data["stage"] for one in store.ledger.recent(500, ("rollout_stage",)) if one.data["stage"]]
    assert stages[::-1] == ["5 %", "25 %", "50 %", "100 %", "100 %"], "each was entered once, and then watched"


class Worse(Eyes):
    """A release that fails for its users."""

    vitals = LiveVitals()

    def ramp_gates(self, release: str, stage: Stage) -> tuple[GateResult, ...]:
        self.looks += 1
        fails = GateResult("web: errors", Verdict.FAIL, "7 of 9 failed")
        return (fails, GateResult("web: latency", Verdict.PASS, "as fast")) if self.looks > 3 else ()


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_release_that_is_worse_leaves_its_verdicts_and_what_was_done_about_it(
    tmp_path: Path, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = quick(monkeypatch)
    deploy = Deploy(tmp_path, store, clock, Worse())
    while True:
        try:
            deploy.live()
            break
        except Died:
            assert len(deploy.kept) < LIVES_MAX
    kept = store.rollouts.load(deploy.release)
    assert kept is not None
    assert [gate["verdict"] for gate in kept.gates] == ["fail", "pass"], "not those of the checks before it"
    decision = store.incidents.row(f"inc-{deploy.release}")["decision"]
    assert decision["verdicts"] == [dict(gate) for gate in kept.gates]
    assert decision["plan"]["action"]["kind"] == "rollback"
    assert any(effect.kind == "rollback" for effect in store.ledger.effects(story=f"inc-{deploy.release}"))


class Stuck(FakeTarget):
    """Gives a release users, and does not take them away again."""

    def switch(self, order: Order, service: str, switch: Switch) -> None:
        if switch.share == 0:
            raise TargetError("the file cannot be written")
        super().switch(order, service, switch)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_release_that_could_not_be_withdrawn_is_a_persons_and_counts_as_nothing_healed(
    tmp_path: Path, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = quick(monkeypatch)
    monkeypatch.setattr(Life, "lives_on", lambda self: None)
    deploy = Deploy(tmp_path, store, clock, Worse())
    deploy.target.__class__ = Stuck
    assert deploy.live() == ReleaseState.FAILED.value
    assert deploy.target.observe().services[0].switch == Switch(SlotName.A, 0.05), "users still meet it"
    row = store.incidents.row(f"inc-{deploy.release}")
    assert (row["outcome"], row["closed_at"] is not None) == (Outcome.ESCALATED.value, True)
    kept = store.rollouts.load(deploy.release)
    assert kept is not None
    assert (kept.state, kept.share) == (RolloutState.FAILED, 0.05), "as the target tells"
    assert "could not be withdrawn after" in (tmp_path / "told").read_text()


class Late(FakeTarget):
    """A person's wish to go back comes while the release is becoming stable."""

    wish: Callable[[], None]

    def switch(self, order: Order, service: str, switch: Switch) -> None:
        super().switch(order, service, switch)
        if switch == Switch(SlotName.B):
            self.wish()


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_wish_to_go_back_that_came_at_the_last_moment_and_failed_is_told(
    tmp_path: Path, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = quick(monkeypatch)
    monkeypatch.setattr(Life, "lives_on", lambda self: None)
    deploy = Deploy(tmp_path, store, clock)
    deploy.target.__class__ = Late
    wish = {"who": "ana", "reason": "ana asked to go back"}
    cast(Late, deploy.target).wish = lambda: store.settings.put(f"cancel:{deploy.release}", wish, "ana")
    deploy.target.unbuildable.add("a" * 40)
    assert deploy.live() == ReleaseState.VERIFIED_GOOD.value
    assert "going back to 1-aaaaaaa, as ana asked, failed: release 1-aaaaaaa failed" in (tmp_path / "told").read_text()


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_deploy_for_which_there_is_no_room_says_so_and_ends(
    tmp_path: Path, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = quick(monkeypatch)
    monkeypatch.setattr(Life, "lives_on", lambda self: None)
    monkeypatch.setattr(turns, "BESIDE_S", 1.0)
    deploy = Deploy(tmp_path, store, clock)
    deploy.target.build("0-fffffff", "f" * 40)
    deploy.target.start(Order("left", 0, "test"), "web", SlotName.B, "0-fffffff")
    assert deploy.live() == ReleaseState.FAILED.value
    assert "0-fffffff has run beside what serves" in store.releases.load(deploy.release).reason
    assert not deploy.target.observe().services[0].switch.share  # type: ignore[union-attr]


class Refuses(Eyes):
    """Its checks fail."""

    def check_canary(self, release: str) -> tuple[GateResult, ...]:
        return (GateResult("web: checks", Verdict.FAIL, answers("/cart", 500, 200)),)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("breaks", "said"),
    [
        ("withdraw", "was refused before any user met it (checks): "),
        ("start_canaries", "Nothing was seen to be wrong with it before that"),
    ],
)
def test_what_a_release_was_refused_for_is_known_whatever_becomes_of_its_story(
    tmp_path: Path, store: SqlStore, monkeypatch: pytest.MonkeyPatch, breaks: str, said: str
) -> None:
    clock = quick(monkeypatch)
    monkeypatch.setattr(Life, "lives_on", lambda self: None)
    deploy, told = Deploy(tmp_path, store, clock, Refuses()), list[str]()

    def broken(*_: object) -> None:
        raise KeyError("a mistake of ours")

    with monkeypatch.context() as once:
        once.setattr(moves, breaks, broken)
        with pytest.raises(KeyError):
            deploy.live()
    monkeypatch.setattr(resuming, "tell", lambda parts, title, text, about: told.append(text))
    assert deploy.given_up() == ""
    assert store.releases.load(deploy.release).state is ReleaseState.FAILED
    assert store.rollouts.current() is None
    assert said in told[0]
    noted, looked_for = (
        unmet.found(store, deploy.release),
        unmet.asking(store, (), store.releases.list(1)[0].created_at),
    )
    if breaks == "withdraw":
        assert noted is not None
        assert (noted.at, noted.service, noted.path) == (UnmetAt.CHECKS, "web", "/cart")
        assert looked_for == deploy.release
        store.settings.put(f"cancel:{deploy.release}", {"who": "ana", "reason": "ana asked"}, "ana")
        assert unmet.asking(store, (), store.releases.list(1)[0].created_at) is None
    else:
        assert (noted, looked_for) == (None, None)
