"""Real processes, proxy and traffic: what users see while things happen to the app."""

from __future__ import annotations

import json
import os
import signal
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from prodwise.model.service import SlotName
from prodwise.model.signal import ProcessState
from prodwise.targets.local import procs
from prodwise.testing import apps

from .conftest import LocalApp, Up


def test_a_killed_process_is_back_without_a_failed_get(local_app: LocalApp) -> None:
    before = local_app.process()
    with apps.load(local_app.address) as seen:
        for _ in range(3):
            pid = local_app.process().pid
            os.kill(pid, signal.SIGKILL)
            apps.until(lambda pid=pid: local_app.process().pid not in (0, pid), what="the respawn")
            apps.until(lambda: local_app.well("a"))
            enough = seen.total + 20
            apps.until(lambda enough=enough: seen.total > enough, what="traffic")
    assert seen.failed == 0, seen
    after = local_app.process()
    assert (after.restarts, after.exit_code, after.state) == (
        before.restarts + 3,
        -signal.SIGKILL,
        ProcessState.RUNNING,
    )


def test_restart_of_a_hung_process_happens_once_per_key(local_app: LocalApp) -> None:
    hung = local_app.process().pid
    os.kill(hung, signal.SIGSTOP)
    order = local_app.order()
    local_app.target.restart(order, "web", SlotName.A, hung)
    apps.until(lambda: local_app.process().pid not in (0, hung))
    apps.until(lambda: local_app.well("a"))
    newer = local_app.process().pid
    local_app.target.restart(order, "web", SlotName.A, hung)
    local_app.target.restart(local_app.order(), "web", SlotName.A, hung)
    assert local_app.process().pid == newer
    assert dict(local_app.target.observe().effects)[order.key] == 1


def test_a_share_holds_for_requests_and_each_user_keeps_a_lane(local_app: LocalApp) -> None:
    stable = local_app.process().release
    canary = local_app.ramped(apps.GOOD, 0.25)
    seen = [apps.get(local_app.address).text for _ in range(400)]
    assert set(seen) == {stable, canary}
    assert 55 <= seen.count(canary) <= 150  # 100 expected, 5.2 standard deviations either way
    for lane in [str(uuid.uuid4()) for _ in range(40)]:
        expected = canary if int(lane[:8], 16) < 2**32 // 4 else stable
        assert {apps.get(local_app.address, lane=lane).text for _ in range(3)} == {expected}
    answer = apps.get(local_app.address)
    lane = answer.header("Set-Cookie").removeprefix("prodwise_lane=").partition(";")[0]
    assert apps.get(local_app.address, lane=lane).text == answer.text
    assert not apps.get(local_app.address, lane=lane).header("Set-Cookie")
    local_app.switch("a", 1.0)
    assert {apps.get(local_app.address).text for _ in range(20)} == {canary}
    local_app.switch("a", 0.0)
    assert {apps.get(local_app.address).text for _ in range(20)} == {stable}


def test_a_dead_stable_never_sends_users_to_a_release_that_was_rolled_back(local_app: LocalApp) -> None:
    stable = local_app.process().release
    failed = local_app.ramped(apps.BAD, 0.5)
    local_app.switch("a", 0.0)
    local_app.target.stop(local_app.order(), "web", SlotName.A, 0.0)
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda _: apps.get(local_app.address), range(8)))
    assert {answer.status for answer in answers} <= {502, 503, 504}
    assert not {answer.text for answer in answers} & {failed, stable}


def test_a_dead_canary_falls_over_to_stable_and_the_log_says_so(local_app: LocalApp) -> None:
    stable = local_app.process().release
    canary = local_app.ramped(apps.GOOD, 1.0)
    local_app.target.stop(local_app.order(), "web", SlotName.B, 0.0)
    assert apps.get(local_app.address).text == stable

    def logged() -> list[dict[str, object]]:
        lines = local_app.target.layout.access_log.read_text().splitlines()
        return [record for record in map(json.loads, lines) if record.get("slot") == "b"]

    apps.until(logged, what="the access log's line")
    record = logged()[-1]
    assert (record["service"], record["switch"], record["release"], record["status"]) == ("web", "ag", canary, 200)
    assert record["upstream"] != record["intended"]
    assert "headers" not in record["request"]  # type: ignore[operator]


def test_stop_drains_requests_in_flight_by_a_deadline(local_app: LocalApp) -> None:
    canary = local_app.ramped(apps.GOOD, 1.0)
    with apps.load(local_app.address, "/wait?1", clients=3) as seen:
        apps.until(lambda: _in_flight(local_app, "b") > 0)
        local_app.switch("a", 0.0)
        local_app.target.stop(local_app.order(), "web", SlotName.B, 8.0)
        assert local_app.process("b").state is ProcessState.STOPPED
    assert seen.failed == 0
    assert canary in seen.texts


def _in_flight(app: LocalApp, slot: str) -> int:
    from prodwise.targets.local import rpc

    return rpc.requests_in_flight(app.target.layout.socket("caddy-admin"), f"127.0.0.1:{app.seen().port(slot)}") or 0


def test_a_stream_arrives_piece_by_piece(local_app: LocalApp) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://{local_app.address}/stream", timeout=10) as stream:
        assert stream.readline() == b"data: 0\n"
        pid = local_app.process().pid
        assert procs.start_ticks(pid)  # the answer is still being written: the first piece did not wait for the last
        assert _in_flight(local_app, "a") == 1


def test_nothing_of_ours_leaks_into_the_app(bring_up: Up, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRODWISE_SECRET_THING", "x")
    monkeypatch.setenv("SENTRY_DSN", "x")
    settings = apps.SETTINGS.replace("version = 1", 'version = 1\nenv_file = "app.env"') + "env = { MODE = 'live' }\n"
    app = apps.make_app(tmp_path, settings=settings)
    (app / "app.env").write_text("export TOKEN='a b'\nMODE=override\n")
    local = bring_up(app)
    told = apps.environment_of(local.address)
    assert told["TOKEN"] == "a b"
    assert told["MODE"] == "override"
    assert told["PRODWISE_RELEASE"] == local.process().release
    assert told["PRODWISE_SERVICE"] == "web"
    assert told["PATH"].split(":")[0].endswith(f"{local.process().release}/venv/bin")
    ours = {key for key in told if key.startswith(("PRODWISE", "SUPERVISOR", "SENTRY", "DBOS"))}
    assert ours == {"PRODWISE_RELEASE", "PRODWISE_SERVICE"}
    (app / "app.env").write_text("TOKEN=new\n")
    local.target.restart(local.order(), "web", SlotName.A, local.process().pid)
    apps.until(lambda: apps.environment_of(local.address).get("TOKEN") == "new", what="the new env_file")
    assert "a b" not in (local.target.layout.record(local.process().release)).read_text()
