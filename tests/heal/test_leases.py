"""A healer that dies in the middle of a ramp."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from prodwise.clock import monotonic
from prodwise.heal.durable import EXIT_DATABASE, EXIT_FENCED
from prodwise.model.errors import Fenced
from prodwise.model.service import SlotName
from prodwise.model.target import Order
from prodwise.testing import apps
from tests.heal.running_healer import LEASE_S, ON_BOTH, House, insist, kept_alive, traffic

pytestmark = [pytest.mark.timeout(150), ON_BOTH]

LEAVES = (EXIT_FENCED, EXIT_DATABASE)


def in_the_ramp(house: House) -> str:
    """Deploys a good release and waits until users reach it. Returns its id."""
    apps.commit(house.dir)
    known = {r.id for r in house.store.releases.list()}
    insist(lambda: house.api.post("deploy", ref="HEAD"), lambda: len(house.store.releases.list()) > len(known))
    apps.until(lambda: house.switch.share > 0, 40, "the ramp")
    return next(r.id for r in house.store.releases.list() if r.id not in known)


def its_end(house: House, release: str) -> None:
    """Waits for it. Raises AssertionError with where the story stands."""
    try:
        apps.until(lambda: house.state_of(release) in ("verified_good", "failed"), 60, "the story's end")
    except AssertionError as late:
        raise AssertionError(f"{late}: {house.store.rollouts.load(release)}") from None


def test_traffic_returns_to_stable_without_the_healer_and_the_next_one_ends_the_story(house: House) -> None:
    stable = house.serving().release
    with traffic(house.address) as seen:
        release = in_the_ramp(house)
        house.end_healer()
        died = monotonic()
        apps.until(lambda: house.switch.share == 0, LEASE_S + 2, "the return to stable")
        assert monotonic() - died < LEASE_S + 1.5
        assert house.serving().release == stable
        house.ready()
        with kept_alive(house):
            its_end(house, release)
    assert house.state_of(release) == "verified_good", house.store.releases.load(release)
    assert house.serves(release)
    assert seen.failed == 0, seen.answers
    house.whole()


def test_the_old_token_is_refused_at_the_door(house: House) -> None:
    """Even an order that was on its way when its sender was paused."""
    old = house.target.observe().token
    house.end_healer()
    house.ready()
    apps.until(lambda: house.target.observe().token > old, 20, "the new lease")
    process = house.serving()
    with pytest.raises(Fenced):
        house.target.restart(Order("late", old, "healer"), "web", SlotName(process.slot), process.pid)
    assert house.serving().pid == process.pid


@pytest.mark.full
def test_a_paused_healer_changes_nothing_when_it_wakes_up(house: House) -> None:
    with contextlib.ExitStack() as around:
        seen = around.enter_context(traffic(house.address))
        release = in_the_ramp(house)
        paused = house.healer
        assert paused is not None
        old = house.target.observe().token
        pause(house, paused)
        house.ready()
        apps.until(lambda: house.target.observe().token > old, 20, "the other healer's lease")
        around.enter_context(kept_alive(house))
        its_end(house, release)
        apps.until(lambda: house.serves(release), 10, "its release everywhere")
        before, switch, done = house.seen().slots, house.switch, house.target.observe().effects
        os.kill(paused.pid or 0, signal.SIGCONT)
        paused.join(20)
        assert paused.exitcode in LEAVES, "it is fenced off or has lost its database meanwhile, and leaves"
        assert house.switch == switch
        assert house.target.observe().effects == done
        assert [p.pid for p in house.seen().slots] == [p.pid for p in before]
    assert house.state_of(release) == "verified_good"
    assert seen.failed == 0, seen.answers
    house.whole()


def pause(house: House, healer: BaseProcess) -> None:
    """On SQLite not inside a write: whoever is paused with its write lock keeps every other healer out, too.

    PostgreSQL ends such a session by itself.
    """

    def paused() -> bool:
        os.kill(healer.pid or 0, signal.SIGSTOP)
        files = [house.dir / ".prodwise" / name for name in ("prodwise.db", "dbos.db")]
        if not house.store.database.is_sqlite or all(writable(file) for file in files):
            return True
        os.kill(healer.pid or 0, signal.SIGCONT)
        return False

    apps.until(paused, 10, "a pause outside of a write")


def writable(database: Path) -> bool:
    with contextlib.closing(sqlite3.connect(database, timeout=0.3)) as free:
        try:
            free.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
    return True
