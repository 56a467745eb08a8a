"""What a real SDK reports to a real receiver, as the healer takes it in: a fault, its facts, and what is known after a restart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import pytest
import sentry_sdk

from prodwise.clock import now
from prodwise.heal import reports as heal_reports
from prodwise.heal.on_trial import PATIENCE_S
from prodwise.heal.parts import Parts, ReportsIn
from prodwise.heal.reports import POSITION, USUAL, ReportsIntake
from prodwise.loop.detect.rate import YOUNG_S, GroupRate
from prodwise.loop.detect.reports import ReportMonitor
from prodwise.loop.group import RESOLVED, Resolution
from prodwise.loop.watch.reports import ReportsContrast
from prodwise.model.incident import Symptom
from prodwise.model.service import SlotName
from prodwise.model.target import Order
from prodwise.notify.command import CommandNotifier
from prodwise.signals.access_log import AccessLog
from prodwise.signals.replay import Replay
from prodwise.store.sql import SqlStore
from prodwise.testing import apps
from prodwise.testing.fake_target import FakeTarget
from prodwise.testing.receivers import Receivers, receivers
from prodwise.wiring import reports


@dataclass
class World:
    """A receiver, a store and a healer's ear; everything is real but the target, which runs one release."""

    folder: Path
    receiving: Receivers
    store: SqlStore
    ahead_s: float = 0.0  # of the healer's clock

    def heard(self, ear: ReportsIntake, done: Callable[[], object], each_s: float = 1.0) -> None:
        """Lets it read, as many seconds later at each turn, until it says so."""

        def look() -> bool:
            self.ahead_s += each_s
            ear.turn()
            return bool(done())

        apps.until(look, 15, "a judgement")

    def ear(self) -> ReportsIntake:
        config = self.receiving.config
        target = FakeTarget(config.inventory(), now)
        target.build("1-aaaaaaa", "aaaaaaa")
        target.start(Order("k", 0, "test"), "web", SlotName.A, "1-aaaaaaa")
        came = ReportsIn(
            partial(reports.feed, self.folder, config),
            self.receiving.archive,
            partial(reports.projects, self.folder, config),
        )
        parts = Parts(config, self.folder, "", self.store, target, AccessLog(self.folder / "access.log"), _Nobody(), Replay(),
                      CommandNotifier(""), reporting=came)  # fmt: skip
        return ReportsIntake(parts, lambda service, second: True)


class _Nobody:
    """Implements ports.Prober: nothing is probed."""

    def see(self, seen: object) -> None: ...

    def results(self) -> list[object]:
        return []


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(heal_reports, "SAVE_S", 0.0)
    monkeypatch.setattr(heal_reports, "SETTLE_S", 0.0)
    with receivers(tmp_path / "app", 1, 'important = ["POST /order"]') as running:
        store = SqlStore(f"sqlite:///{tmp_path}/prodwise.db")
        listened = {**ReportMonitor(running.project).to_json(), "used": YOUNG_S}
        store.settings.put(f"{USUAL}1", listened, "test")
        sentry_sdk.init(dsn=running.dsn, release="1-aaaaaaa")
        made = World(tmp_path / "app", running, store)
        monkeypatch.setattr(heal_reports, "now", lambda: now() + made.ahead_s)
        try:
            yield made
        finally:
            sentry_sdk.get_client().close(timeout=5)
            sentry_sdk.init()
            store.close()


def _fail(route: str) -> None:
    sentry_sdk.get_current_scope().set_transaction_name(route)
    try:
        raise ValueError("no price for tea")
    except ValueError:
        sentry_sdk.capture_exception()
    sentry_sdk.flush(10)


def test_one_error_where_it_matters_is_told_with_its_calls_and_is_known_after_a_restart(world: World) -> None:
    ear = world.ear()
    _fail("POST /order")
    world.heard(ear, lambda: ear.standing("web"))
    (said,) = ear.look()["web"]
    assert (said.kind, said.source, said.route, said.ours) == ("errors", "reports:shop", "POST /order", False)
    assert (
        said.text
        == "ValueError: no price for tea: reported once on POST /order; never seen before, first in release 1-aaaaaaa"
    )
    (facts,) = ear.facts("web", [said])
    assert facts.subject == said.subject
    assert (facts.count, facts.where) == (1, f"{Path(__file__).relative_to(Path.cwd())}:_fail")
    assert facts.calls[0].endswith(" _fail")
    world.heard(ear, lambda: world.store.settings.get(POSITION))
    world.heard(ear, lambda: world.store.settings.get(f"{USUAL}1")["rates"])
    again = world.ear()
    before = world.store.settings.get(f"{USUAL}1")["used"]
    world.heard(again, lambda: world.store.settings.get(f"{USUAL}1")["used"] > before + 1)
    assert not again.standing("web"), "once is no rate, and it is not new any more"


def test_what_was_called_resolved_and_is_back_is_in_the_ledger(world: World) -> None:
    _fail("GET /")
    (group,) = world.receiving.archive.groups()[0]
    resolution = Resolution(now(), "ana", ("0-0000000",))
    world.store.settings.put(RESOLVED + group.key, asdict(resolution), "ana")
    ear = world.ear()
    for _ in range(2):
        _fail("GET /")
    world.heard(
        ear, lambda: [one for one in world.store.ledger.recent(20) if one.kind == "regressed"] or _fail("GET /")
    )
    (told,) = [one for one in world.store.ledger.recent(20) if one.kind == "regressed"]
    assert told.text.startswith("ValueError: no price for tea: it was resolved, and is back")


def test_a_feed_that_cannot_be_read_is_said_once_and_ends_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heal_reports, "PACE_S", 0.01)
    tries = []

    def broken(ear: ReportsIntake) -> None:
        tries.append(1)
        raise OSError("the disk is gone")

    monkeypatch.setattr(ReportsIntake, "turn", broken)
    ear = world.ear()
    ear.start()
    apps.until(lambda: len(tries) > 3)
    ear.stop()
    assert [one.text for one in world.store.ledger.recent(20) if one.kind == "blind"] == [
        "what programs report cannot be read: OSError"
    ]


def test_what_a_good_release_should_have_had_by_now_and_has_not_is_resolved_in_it(world: World) -> None:
    sentry_sdk.init(dsn=world.receiving.dsn, release="0-0000000")
    _fail("GET /")
    (group,) = world.receiving.archive.groups()[0]
    often = {
        **GroupRate(0, YOUNG_S).to_json(),
        "used": YOUNG_S,
        "hit": YOUNG_S,
        "usual": [[800, 100, 100, 0]] * 4,
        "last": "0-0000000",
    }
    usual = world.store.settings.get(f"{USUAL}1")
    world.store.settings.put(f"{USUAL}1", {**usual, "rates": {group.key: often}}, "test")
    world.store.releases.adopt("1-aaaaaaa", "aaaaaaa" + "0" * 33, "taken as it was found running")
    ear = world.ear()
    world.heard(ear, lambda: world.ahead_s > 20)
    assert world.store.settings.get(RESOLVED + group.key) is None, (
        "absence of twenty seconds is no proof at a tenth of them"
    )
    world.heard(ear, lambda: world.store.settings.get(RESOLVED + group.key), each_s=10.0)
    told = world.store.settings.get(RESOLVED + group.key)
    assert (told["who"], told["releases"]) == ("release 1-aaaaaaa", ["0-0000000"])


def test_what_began_while_a_release_was_on_trial_is_left_to_its_judges_for_a_while(world: World) -> None:
    trial = world.ear().on_trial
    release = world.store.releases.create("a" * 40, "ana").id
    before, during = (Symptom("errors", "web", "x", at, at, source="reports:shop") for at in (90.0, 110.0))
    assert not trial.left_to_judges(before, 95.0), "nothing was ever on trial"
    trial.want(release)
    trial.follow(100.0)
    assert trial.left_to_judges(during, 111.0)
    assert not trial.left_to_judges(during, 110.0 + PATIENCE_S), "they had their time: a person is told"
    trial.unwant(release)
    trial.follow(115.0)
    assert trial.left_to_judges(during, 116.0), "it was taken back; what it reported comes in yet"
    after = replace(during, onset_at=116.0)
    assert not trial.left_to_judges(after, 117.0), "this one began with what serves now"
    assert not trial.left_to_judges(during, 115.0 + PATIENCE_S)


def test_what_was_told_during_a_trial_goes_on_after_it(world: World) -> None:
    """Else its incident would end as one that went away, though the errors go on."""
    trial, monitor = world.ear().on_trial, ReportMonitor(world.receiving.project)
    number = monitor.project.id
    release = world.store.releases.create("a" * 40, "ana").id
    trial.want(release)
    trial.follow(100.0)
    contrast = ReportsContrast(0.01)
    for at in range(80):
        contrast.observe("group", "KeyError: a", f"user-{at}", True, 0.1)
    assert [key for key, _ in contrast.worse()] == ["group"]
    trial._contrasts[number], trial._worse_since["group"] = (monitor, contrast), 101.0
    own = Symptom("errors", "web", "x", 101.0, 101.0, source="reports:shop", subject="group")
    assert trial.symptoms(number, 110.0) == []
    assert trial.left_to_judges(own, 110.0)
    assert [one.subject for one in trial.symptoms(number, 101.0 + PATIENCE_S)] == ["group"]
    trial.unwant(release)
    trial.follow(122.0)
    assert not trial.left_to_judges(own, 123.0)
    assert trial.left_to_judges(replace(own, subject="another"), 123.0)
