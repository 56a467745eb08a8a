"""What a real SDK reports to a real receiver, as the healer takes it in: a fault, its facts, and what is known after a restart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import pytest
import sentry_sdk

from prodwise.clock import now
from prodwise.heal import reports as heal_reports
from prodwise.heal.parts import Parts, ReportsIn
from prodwise.heal.reports import POSITION, USUAL, Reported
from prodwise.loop.detect.rate import YOUNG_S
from prodwise.loop.detect.reports import ReportMonitor
from prodwise.loop.group import RESOLVED, Resolution
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

    def ear(self) -> Reported:
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
        return Reported(parts, lambda service, second: True)


class _Nobody:
    """Implements ports.Prober: nothing is probed."""

    def see(self, seen: object) -> None: ...

    def results(self) -> list[object]:
        return []


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(heal_reports, "SAVE_S", 0.0)
    with receivers(tmp_path / "app", 1, 'important = ["POST /order"]') as running:
        store = SqlStore(f"sqlite:///{tmp_path}/prodwise.db")
        listened = {**ReportMonitor(running.project).to_json(), "used": YOUNG_S}
        store.settings.put(f"{USUAL}1", listened, "test")
        sentry_sdk.init(dsn=running.dsn, release="1-aaaaaaa")
        try:
            yield World(tmp_path / "app", running, store)
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


def _heard(ear: Reported, done: Callable[[], object]) -> None:
    def look() -> bool:
        ear.turn()
        return bool(done())

    apps.until(look, 15, "a judgement")


def test_one_error_where_it_matters_is_told_with_its_calls_and_is_known_after_a_restart(world: World) -> None:
    ear = world.ear()
    _fail("POST /order")
    _heard(ear, lambda: ear.standing("web"))
    (said,) = ear.look()["web"]
    assert (said.kind, said.source, said.route, said.ours) == ("errors", "reports:shop", "POST /order", False)
    assert (
        said.text
        == "ValueError: no price for tea: reported 1 times on POST /order; never seen before, first in release 1-aaaaaaa"
    )
    (facts,) = ear.facts("web", [said])
    assert facts.subject == said.subject
    assert (facts.count, facts.where) == (1, f"{Path(__file__).relative_to(Path.cwd())}:_fail")
    assert facts.calls[0].endswith(" _fail")
    _heard(ear, lambda: world.store.settings.get(POSITION))
    _heard(ear, lambda: world.store.settings.get(f"{USUAL}1")["rates"])
    again = world.ear()
    before = world.store.settings.get(f"{USUAL}1")["used"]
    _heard(again, lambda: world.store.settings.get(f"{USUAL}1")["used"] > before + 1)
    assert not again.standing("web"), "once is no rate, and it is not new any more"


@pytest.mark.full
def test_what_was_called_resolved_and_is_back_is_in_the_ledger(world: World) -> None:
    _fail("GET /")
    (group,) = world.receiving.archive.groups()[0]
    resolution = Resolution(now(), "ana", ("0-0000000",))
    world.store.settings.put(RESOLVED + group.key, asdict(resolution), "ana")
    ear = world.ear()
    for _ in range(2):
        _fail("GET /")
    _heard(ear, lambda: [one for one in world.store.ledger.recent(20) if one.kind == "regressed"] or _fail("GET /"))
    (told,) = [one for one in world.store.ledger.recent(20) if one.kind == "regressed"]
    assert told.text.startswith("ValueError: no price for tea: it was resolved, and is back")


def test_a_feed_that_cannot_be_read_is_said_once_and_ends_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ear = world.ear()
    monkeypatch.setattr(heal_reports, "PACE_S", 0.01)
    tries = []

    def broken() -> None:
        tries.append(1)
        raise OSError("the disk is gone")

    monkeypatch.setattr(ear, "turn", broken)
    ear.start()
    apps.until(lambda: len(tries) > 3)
    ear.stop()
    assert [one.text for one in world.store.ledger.recent(20) if one.kind == "blind"] == [
        "what programs report cannot be read: OSError"
    ]
