"""Going back to a release that no longer runs: what is left of a try that failed."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from prodwise.heal.durable import Durable
from prodwise.heal.hands import Hands
from prodwise.heal.intake import Intake
from prodwise.heal.parts import Parts
from prodwise.heal.returning import Returning
from prodwise.loop import moves
from prodwise.model.release import ReleaseState
from prodwise.model.service import SlotName
from prodwise.model.target import Order, TargetSeen
from prodwise.store.sql import SqlStore
from prodwise.testing.fake_target import FakeTarget
from tests.heal.test_resuming import parts_of
from tests.heal.test_ship_progress import Life, Memory

OLD, NEW = "1-aaaaaaa", "2-bbbbbbb"


class Losing:
    """Stands for the intake. Once the old release answers everywhere, one service's slot is taken for something else."""

    def __init__(self, target: FakeTarget) -> None:
        self._target = target

    def target(self) -> TargetSeen:
        return self._target.observe()

    def probe_health(self, service: str, slot: SlotName, release: str) -> bool:
        if service == "web":
            self._target.stop(Order("taken", 0, "test"), "api", slot, 0.0)
        return True


def returning(parts: Parts, store: SqlStore) -> Returning:
    """Two services on the newer of two good releases."""
    target = cast(FakeTarget, parts.target)
    for commit in ("a" * 40, "b" * 40):
        made = store.releases.create(commit, "ana").id
        target.build(made, commit)
        for service in ("web", "api"):
            target.start(Order(f"{service} {made}", 0, "test"), service, SlotName.A, made)
        store.releases.set_state(made, ReleaseState.VERIFIED_GOOD, "")
    token = target.acquire("healer")
    durable, intake = cast(Durable, Memory(store, Life(store), {})), cast(Intake, Losing(target))
    return Returning(parts, durable, Hands(durable, store.ledger, target, lambda: token), intake)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_nothing_is_left_beside_what_serves_of_a_return_that_failed_at_the_switch(
    tmp_path: Path, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Life, "lives_on", lambda self: None)
    parts = parts_of(tmp_path, store)
    failure = returning(parts, store).go_back("return-1", "return", OLD, "ana", "ana asked to go back")
    assert failure == f"the users of api, web are not on {OLD}: it no longer ran beside what serves them"
    seen = parts.target.observe()
    assert moves.returned(parts.shipped, seen, NEW), "users are where they were"
    assert moves.gone(parts.shipped, seen, OLD), "the next release would wait for it for ever"
    assert store.releases.load(OLD).state is ReleaseState.VERIFIED_GOOD
