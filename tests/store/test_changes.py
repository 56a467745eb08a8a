"""What changes did is kept once, on both databases, and survives the figures that it was made from."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from prodwise import clock
from prodwise.config import validate
from prodwise.heal.aftermath import Aftermath, gather, kept
from prodwise.loop.changes.effects import everything
from prodwise.model.change import Change, ChangeKind
from prodwise.model.record import Effect, EffectState, Rollout, RolloutState
from prodwise.store.sql import SqlStore
from prodwise.testing.fake_controls import FakeVitals

SERVICES = validate(
    {"version": 1, "services": {"web": {"command": "x"}, "job": {"command": "y", "kind": "worker"}}}, "t"
).inventory()


def busy(at: float, failing: float) -> FakeVitals:
    """Ten requests a second for two hours; since `at` a part of them fails."""
    draw = Random(5)
    times = [at - 3600 + n * 0.5 for n in range(14_400)]
    return FakeVitals(requests=[(one, one > at and draw.random() < failing) for one in times])


def test_what_a_release_did_is_kept_once_its_time_is_over(store: SqlStore) -> None:
    at = clock.now() - 2400
    made = Change("release-2-b", at, ChangeKind.RELEASE, "", "1-a", "2-b", "ana", "", "release 2-b replaced 1-a")
    store.changes.record(made)
    store.changes.record(replace(made, id="release-3-c", at=clock.now() - 120, before="2-b", after="3-c"))
    for _ in range(2):
        Aftermath(store, SERVICES, busy(at, 0.2)).turn()
    assert list(kept(store)) == ["release-2-b"], "the newer one's time is running"
    figure = kept(store)["release-2-b"].figures[0]
    assert 0.15 < figure.low < figure.after < figure.high < 0.25
    (entry,) = store.ledger.recent(10, ["measured"])
    assert entry.service == "web"
    assert entry.text.startswith("what release-2-b did: failed requests 0.00 % before")
    Aftermath(store, SERVICES, FakeVitals()).turn()
    assert kept(store)["release-2-b"].figures[0] == figure


def test_nothing_is_kept_of_what_could_not_be_measured(store: SqlStore) -> None:
    at = clock.now() - 2400
    store.changes.record(Change("release-2-b", at, ChangeKind.RELEASE, "", "1-a", "2-b", "ana", ""))
    Aftermath(store, SERVICES, FakeVitals()).turn()
    assert kept(store) == {}


def test_all_that_altered_production_is_read_back_from_its_records(store: SqlStore) -> None:
    since = clock.now()
    store.changes.record(Change("release-2-b", clock.now(), ChangeKind.RELEASE, "", "1-a", "2-b", "ana", ""))
    store.settings.put("autonomy", "auto", "ana")
    store.settings.put("baseline:web", {"n": 1}, "prodwise")
    store.settings.put("freeze", {"until": None, "reason": "sale", "who": "ana"}, "ana")
    store.ledger.append("stop", "ana stopped the automation", actor="ana")
    store.ledger.append("told", "noise", actor="github")
    store.ledger.intend(Effect("k", "s", "web", "restart", {"actor": "prodwise"}, None, 1, clock.now()))
    store.ledger.intend(Effect("l", "s", "web", "switch", {"actor": "prodwise"}, None, 1, clock.now()))
    for key in ("k", "l"):
        store.ledger.settle(key, EffectState.DONE, "")
    numbers = {"web": {"arms": {"stable": {"n": 9, "errors": 0}, "canary": {"n": 9, "errors": 9}}}}
    store.settings.put("cancel:4-d", {"who": "ben", "reason": "ben asked to go back"}, "ben")
    store.rollouts.put(Rollout("4-d", "2-b", RolloutState.FAILED, "5 %", 0.0, since, clock.now(), numbers=numbers))
    found = everything(gather(store, SERVICES, since))
    assert [(one.kind.value, one.who, one.after) for one in reversed(found)] == [
        ("release", "ana", "2-b"),
        ("config", "ana", "auto"),
        ("config", "ana", "frozen"),
        ("config", "ana", "stopped"),
        ("heal", "prodwise", ""),
        ("manual", "ben", "2-b"),
    ]
    assert everything(gather(store, SERVICES, clock.now() + 1)) == ()
