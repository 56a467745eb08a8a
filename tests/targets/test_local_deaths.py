"""What dies besides the app: the guard, the supervisor, the lease's holder, the proxy."""

from __future__ import annotations

import os
import signal

import pytest

from prodwise.config import load
from prodwise.model.errors import Fenced, Refused
from prodwise.model.service import SlotName
from prodwise.model.target import Order, Switch
from prodwise.targets.local import end_all, guard_state, local_control, procs
from prodwise.testing import apps

from .conftest import HEALER, LocalApp, Up


def _pid(app: LocalApp, program: str) -> procs.PidFile:
    return procs.read_pid(app.target.layout.pid(program))


def test_a_killed_guard_comes_back_with_its_memory(local_app: LocalApp) -> None:
    canary = local_app.ramped(apps.GOOD, 0.3)
    before, guard = local_app.target.observe(), _pid(local_app, "guard")
    with apps.load(local_app.address) as seen:
        os.kill(guard.pid, signal.SIGKILL)
        apps.until(lambda: _pid(local_app, "guard").pid != guard.pid, what="the next guard")
        after = local_app.target.observe()
    assert seen.failed == 0
    assert (after.token, after.holder, after.effects) == (before.token, HEALER, before.effects)
    assert after.revision == before.revision
    assert local_app.process("b").release == canary


def test_a_process_that_dies_while_the_guard_is_away_is_back_too(local_app: LocalApp) -> None:
    guard, app = _pid(local_app, "guard"), local_app.process()
    os.kill(guard.pid, signal.SIGSTOP)
    os.kill(app.pid, signal.SIGKILL)
    apps.until(lambda: _pid(local_app, "web-a").pid not in (0, app.pid), what="the supervisor's own respawn")
    os.kill(guard.pid, signal.SIGKILL)
    apps.until(lambda: local_app.well("a"))


def test_a_lapsed_lease_returns_traffic_and_fences_the_paused_executor(
    bring_up: Up, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = bring_up()
    stable = app.process().release
    canary = app.ramped(apps.GOOD, 1.0)
    assert apps.get(app.address).text == canary
    paused = Order("late", app.token, HEALER)
    monkeypatch.setenv("PRODWISE_LEASE_SECONDS", "2")
    local_control.up(app.dir, load(app.dir), with_healer=False)
    app.target.acquire(HEALER)
    local_control.stop_all(app.dir)  # the return is allowed even then
    apps.until(lambda: app.seen().switch == Switch(SlotName.A, 0.0), 10, "the return of traffic")
    assert {apps.get(app.address).text for _ in range(10)} == {stable}
    lapses = guard_state.read(app.target.layout).lapses
    assert [(lapse.service, lapse.share, lapse.holder) for lapse in lapses] == [("web", 1.0, HEALER)]
    local_control.start_again(app.dir)
    before = app.target.observe()
    for token_again in (False, True):
        if token_again:
            assert app.target.acquire("healer-2") > paused.token
        with pytest.raises(Fenced):
            app.target.switch(paused, "web", Switch(SlotName.A, 1.0))
        with pytest.raises(Fenced):
            app.target.restart(paused, "web", SlotName.A, app.process().pid)
    assert app.target.observe().revision == before.revision
    assert "late" not in dict(app.target.observe().effects)


def test_stop_refuses_automation_and_not_a_person(local_app: LocalApp) -> None:
    order = local_app.order()
    local_control.stop_all(local_app.dir, reason="look closer")
    assert local_control.is_stopped(local_app.dir)
    assert local_app.target.observe().stopped
    pid = local_app.process().pid
    with pytest.raises(Refused, match="stopped"):
        local_app.target.restart(order, "web", SlotName.A, pid)
    assert local_app.process().pid == pid
    assert local_control.start_again(local_app.dir)
    assert not local_control.start_again(local_app.dir)
    local_app.target.restart(order, "web", SlotName.A, pid)
    apps.until(lambda: local_app.process().pid not in (0, pid))


def test_a_killed_supervisor_is_replaced_and_everything_is_served_all_along(bring_up: Up) -> None:
    app = bring_up(worker=True)
    layout = app.target.layout
    supervisor = end_all.supervisor_of(layout)
    before = {name: _pid(app, name) for name in ("web-a", "worker-a", "caddy", "guard")}
    release = app.process().release
    with apps.load(app.address) as seen:
        os.kill(supervisor, signal.SIGKILL)
        apps.until(lambda: end_all.supervisor_of(layout) not in (0, supervisor), what="the next supervisor")
        for name, old in before.items() - {("caddy", before["caddy"])}:
            apps.until(lambda old=old: not old.alive, 30, f"the end of the old {name}")
        apps.until(lambda: app.seen().switch == Switch(SlotName.B, 0.0))
        enough = seen.total + 50
        apps.until(lambda: seen.total > enough, what="traffic")
    assert seen.failed == 0, seen.statuses
    assert set(seen.texts) == {release}
    new = end_all.supervisor_of(layout)
    assert before["caddy"].alive  # closing its listener would reset connections: it stays, watched
    os.kill(before["caddy"].pid, signal.SIGKILL)
    apps.until(lambda: _pid(app, "caddy").alive and apps.get(app.address, timeout_s=1).status == 200)
    for name in ("web-b", "worker-a", "caddy", "guard"):
        assert _pid(app, name).alive
        assert procs.parent_of(_pid(app, name).pid) == new
    assert not _pid(app, "web-a").alive
    local_control.down(app.dir)
    assert end_all.strays_of(layout) == []


def test_orphans_of_a_rollout_serve_on_and_are_replaced_after_it(local_app: LocalApp) -> None:
    layout = local_app.target.layout
    stable, canary = local_app.process().release, local_app.ramped(apps.GOOD, 0.5)
    a, b, supervisor = _pid(local_app, "web-a"), _pid(local_app, "web-b"), end_all.supervisor_of(layout)
    with apps.load(local_app.address) as seen:
        os.kill(supervisor, signal.SIGKILL)
        apps.until(lambda: end_all.supervisor_of(layout) not in (0, supervisor), what="the next supervisor")
        apps.until(lambda: local_app.target.observe().token > 0)
        assert (a.alive, b.alive) == (True, True)
        local_app.switch("b")
        local_app.target.stop(local_app.order(), "web", SlotName.A, 5.0)
        apps.until(lambda: not b.alive, 30, "the orphan's end")
        enough = seen.total + 20
        apps.until(lambda: seen.total > enough)
    assert seen.failed == 0, seen.statuses
    assert set(seen.texts) == {stable, canary}
    assert local_app.seen().switch == Switch(SlotName.A, 0.0)
    assert local_app.process("a").release == canary


def test_a_killed_proxy_is_back(local_app: LocalApp) -> None:
    proxy = _pid(local_app, "caddy")
    os.kill(proxy.pid, signal.SIGKILL)
    apps.until(lambda: apps.get(local_app.address, timeout_s=1).status == 200, what="the proxy")
    assert _pid(local_app, "caddy").pid != proxy.pid


def test_a_crash_loop_is_slowed_down_and_never_given_up(local_app: LocalApp) -> None:
    broken = local_app.release(apps.CRASH)
    local_app.start("b", broken)
    apps.until(lambda: local_app.process("b").restarts >= 4, 20, "four restarts")
    apps.until(lambda: _pid(local_app, "web-b").waiting_until > 0, what="a pause")
    seen = local_app.process("b")
    assert (seen.pid, seen.exit_code, seen.state.value) == (0, 1, "exited")
    good = local_app.release(apps.GOOD)
    local_app.start("b", good)
    apps.until(lambda: local_app.well("b"), what="the slot's new release")
    assert local_app.process("b").restarts == 0
