"""Real receivers, with real SDKs as their clients: what programs say is stored, grouped, cleaned and told to detectors."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import signal
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import brotli
import flask
import pytest
import sentry_sdk
import zstandard

from prodwise.clock import now
from prodwise.model.event import ErrorSeen
from prodwise.model.report import CheckIn, Reason, Sessions, Timed
from prodwise.testing import apps
from prodwise.testing.receivers import Receivers, receivers
from tests.signals.sentry_kit import envelope, item

CARD = "4111 1111 1111 1111"


@pytest.fixture(scope="module")
def receiving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receivers]:
    """Two receivers for all tests of this file; each test looks for its own events."""
    settings = '[signals.projects.jobs]\nservice = "web"'
    with receivers(tmp_path_factory.mktemp("receiving"), 2, settings) as running:
        yield running


@pytest.fixture
def sdk(receiving: Receivers) -> Iterator[Receivers]:
    sentry_sdk.init(
        dsn=receiving.dsn, release="12-abc1234", environment="test", traces_sample_rate=1.0, enable_logs=True
    )
    try:
        with sentry_sdk.isolation_scope() as isolation, sentry_sdk.new_scope() as current:
            isolation.clear()  # what an earlier request was about must not be said of this one
            current.clear()
            yield receiving
    finally:
        sentry_sdk.get_client().close(timeout=5)
        sentry_sdk.init()


def raised(error: Exception) -> str:
    """The event's id."""
    try:
        raise error
    except Exception:  # noqa: BLE001 - that is what is reported
        event = sentry_sdk.capture_exception()
    sentry_sdk.flush(10)
    assert event is not None
    return event


def post(
    to: Receivers, *items: bytes, headers: dict[str, str] | None = None, **more: Any
) -> tuple[int, bytes, dict[str, str]]:
    return to.post("/api/1/envelope/", envelope(*items, **more), headers if headers is not None else key(to))


def key(to: Receivers, project: int = 0) -> dict[str, str]:
    return {"X-Sentry-Auth": f"Sentry sentry_version=7, sentry_key={to.projects[project].key}"}


def error(event: str = "", **more: Any) -> bytes:
    return item("event", {"event_id": event or uuid.uuid4().hex, "level": "error", "message": "no stock", **more})


def seen(to: Receivers, title: str) -> list[ErrorSeen]:
    return [one.item for one in to.heard() if isinstance(one.item, ErrorSeen) and title in one.item.title]


def test_an_exception_is_stored_grouped_and_told_before_it_is_acknowledged(sdk: Receivers) -> None:
    sentry_sdk.set_user({"id": "ada@example.org"})
    ids = [raised(ValueError(f"no price for {CARD}")) for _ in range(2)]
    kept = sdk.archive.event(ids[0])
    assert kept is not None
    assert kept.detail is not None
    group = sdk.archive.group(kept.group)
    assert group is not None
    assert (group.count, group.users, group.rule, dict(group.releases)) == (2, 1, "frames", {"12-abc1234": 2})
    assert group.title.startswith("ValueError: no price for")
    assert group.where.endswith("test_receiver.py:raised")
    assert CARD not in json.dumps(kept.detail) + group.title
    assert "ada" not in kept.user
    assert len(kept.user) == 16
    told = seen(sdk, "no price for")
    assert {(one.id, one.service, one.release, one.level, one.group) for one in told} == {
        (event, "web", "12-abc1234", "error", kept.group) for event in ids}  # fmt: skip


def test_flask_gives_route_timing_and_an_unhandled_error(sdk: Receivers) -> None:
    app = flask.Flask("shop")

    @app.get("/basket/<int:number>")
    def basket(number: int) -> str:
        raise LookupError("basket is gone")

    app.test_client().get("/basket/42")
    sentry_sdk.flush(10)
    (told,) = seen(sdk, "basket is gone")
    assert (told.route, told.handled) == ("GET /basket/:id", False)
    assert any(isinstance(one.item, Timed) and one.item.route == "basket" and not one.item.ok for one in sdk.heard())


def test_fastapi_is_understood_too(sdk: Receivers) -> None:
    import httpx2
    from fastapi import FastAPI

    app = FastAPI()

    @app.get("/orders/{number}")
    def order(number: int) -> str:
        raise OSError("order is locked")

    async def ask() -> None:
        transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://shop") as client:
            await client.get("/orders/7")

    asyncio.run(ask())
    sentry_sdk.flush(10)
    told = seen(sdk, "order is locked")
    assert [(one.route, one.handled) for one in told] == [("GET /orders/:id", False)]


def test_logging_and_log_items_give_errors(sdk: Receivers) -> None:
    logging.getLogger("shop.mail").error("mail to %s bounced", 41)
    sentry_sdk.logger.error("letter {number} came back", number=42)
    sentry_sdk.flush(10)
    apps.until(lambda: len(seen(sdk, "bounced")) == 2, 10, "the event and the log line")
    assert len({one.group for one in seen(sdk, "bounced")}) == 1
    assert seen(sdk, "came back")


def test_sessions_and_check_ins_reach_detectors(receiving: Receivers) -> None:
    at = now()
    assert post(
        receiving,
        item("sessions", {"attrs": {"release": "r9"}, "aggregates": [{"started": "2026-11-24T00:23:00Z", "exited": 5, "crashed": 1}]}),
        item("check_in", {"monitor_slug": "nightly", "status": "ok", "duration": 2.5}),
        item("profile", {}),
    )[0] == 200  # fmt: skip
    items = [one.item for one in receiving.heard() if one.at >= at]
    assert [(one.total, one.crashed) for one in items if isinstance(one, Sessions)] == [(6, 1)]
    assert [one.monitor for one in items if isinstance(one, CheckIn)] == ["nightly"]
    assert receiving.archive.received(1).counts[Reason.UNKNOWN_ITEM] >= 1


@pytest.mark.parametrize("encoding", ["", "gzip", "deflate", "br", "zstd"])
def test_every_encoding_and_both_ways_to_give_the_key(receiving: Receivers, encoding: str) -> None:
    import zlib

    pack = {
        "": bytes,
        "gzip": gzip.compress,
        "deflate": zlib.compress,
        "br": brotli.compress,
        "zstd": zstandard.compress,
    }
    ids = [uuid.uuid4().hex for _ in range(2)]
    more = {"Content-Encoding": encoding} if encoding else {}
    for name, query, headers in ((ids[0], "", key(receiving)), (ids[1], f"?sentry_key={receiving.project.key}", {})):
        body = pack[encoding](envelope(error(name)))
        status, answer, _ = receiving.post(f"/api/1/envelope/{query}", body, {**headers, **more})
        assert (status, json.loads(answer)) == (200, {"id": name})
    assert all(receiving.archive.event(name) for name in ids)


def test_an_old_sdk_sends_lone_events(receiving: Receivers) -> None:
    name = uuid.uuid4().hex
    body = json.dumps({"event_id": name, "message": "from an old one"}).encode()
    assert receiving.post("/api/1/store/", body, key(receiving))[0] == 200
    assert receiving.archive.event(name) is not None


def test_nobody_comes_in_with_another_key_or_to_another_project(receiving: Receivers) -> None:
    name = uuid.uuid4().hex
    wrong = {"X-Sentry-Auth": "Sentry sentry_key=" + "0" * 32}
    for path, headers in (
        ("1", {}),
        ("1", wrong),
        ("1", key(receiving, 1)),
        ("2", key(receiving)),
        ("9", wrong),
        ("0", wrong),
    ):
        assert receiving.post(f"/api/{path}/envelope/", envelope(error(name)), headers)[0] == 401
    assert receiving.archive.event(name) is None
    for path in (
        "/",
        "/api/1/",
        "/api/x/envelope/",
        "/api/1/nothing/",
        "/api/../1/envelope/",
        f"/api/{'9' * 400}/envelope/",
    ):
        assert receiving.post(path, b"", key(receiving))[0] == 404


def test_a_browser_of_any_origin_may_report_and_nothing_else(receiving: Receivers) -> None:
    import http.client

    def ask(method: str, path: str) -> tuple[int, dict[str, str]]:
        link = http.client.HTTPConnection("127.0.0.1", receiving.port, timeout=10)
        link.request(method, path, headers={"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"})
        answer = link.getresponse()
        answer.read()
        link.close()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}

    status, headers = ask("OPTIONS", "/api/1/envelope/")
    assert (status, headers["access-control-allow-origin"]) == (204, "*")
    assert "x-sentry-auth" in headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in headers
    for path in ("/health", "/api/1/store/"):
        assert "access-control-allow-origin" not in ask("OPTIONS", path)[1]
    assert ask("GET", "/api/1/envelope/")[0] == 405


def test_a_repetition_is_counted_once_whoever_gets_it_and_after_a_restart(receiving: Receivers) -> None:
    name = uuid.uuid4().hex
    event = error(name, message="sent again and again")
    before = receiving.archive.received(1).counts.get(Reason.REPEATED, 0)
    assert post(receiving, event, event)[0] == 200
    for number in (0, 1):
        receiving.stop(number)
        for _ in range(4):
            assert post(receiving, event)[0] == 200
        receiving.start(number)
    assert post(receiving, event)[0] == 200
    assert len(seen(receiving, "sent again and again")) == 1
    assert receiving.archive.received(1).counts[Reason.REPEATED] - before == 10


def test_kill_9_during_load_loses_nothing_that_was_acknowledged(receiving: Receivers) -> None:
    acknowledged: list[str] = []
    over = threading.Event()

    def send() -> None:
        while not over.is_set():
            name = uuid.uuid4().hex
            try:
                if post(receiving, error(name, message="under fire"))[0] == 200:
                    acknowledged.append(name)
            except OSError:
                continue

    senders = [threading.Thread(target=send) for _ in range(8)]
    for one in senders:
        one.start()
    for turn in range(2):
        wanted = len(acknowledged) + 60
        assert _within(20, lambda wanted=wanted: len(acknowledged) >= wanted)  # type: ignore[misc]
        receiving.stop(turn % 2, signal.SIGKILL)
        receiving.start(turn % 2)
    over.set()
    for one in senders:
        one.join(30)
    found = {one.id for one in seen(receiving, "under fire")}
    assert set(acknowledged) <= found
    assert all(receiving.archive.event(name) for name in acknowledged[:: max(1, len(acknowledged) // 50)])
    groups = [one for one in receiving.archive.groups(1)[0] if one.title == "under fire"]
    assert sum(one.count for one in groups) == len(found)


def test_everything_is_passed_on_to_the_old_place_and_only_there(tmp_path: Path) -> None:
    got: list[tuple[str, dict[str, str], bytes]] = []

    class Old(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    old = ThreadingHTTPServer(("127.0.0.1", 0), Old)
    threading.Thread(target=old.serve_forever, daemon=True).start()
    dsn = f"http://{'cd' * 16}@127.0.0.1:{old.server_port}/base/77"
    with receivers(tmp_path, 1, f'forward = "{dsn}"') as running:
        body = gzip.compress(envelope(error()))
        assert running.post("/api/1/envelope/", body, {**key(running), "Content-Encoding": "gzip"})[0] == 200
        assert _within(10, lambda: bool(got))
        old.shutdown()
        old.server_close()
        for _ in range(3):
            assert post(running, error())[0] == 200
        assert _within(10, lambda: running.archive.received(1).counts.get(Reason.NOT_FORWARDED, 0) >= 1)
    path, headers, passed = got[0]
    assert (path, passed, len(got)) == ("/base/api/77/envelope/", body, 1)
    assert (headers["content-encoding"], "cd" * 16 in headers["x-sentry-auth"]) == ("gzip", True)
    assert running.project.key not in headers["x-sentry-auth"]


def test_a_project_over_its_quota_is_told_when_to_come_back_and_others_are_not_held_up(tmp_path: Path) -> None:
    with receivers(tmp_path, 1, "events_per_minute = 60\n[signals.projects.jobs]") as running:
        answers = [post(running, *(error() for _ in range(20))) for _ in range(5)]
        statuses = [status for status, _, _ in answers]
        assert statuses[0] == 200
        assert statuses[-1] == 429
        assert 1 <= int(answers[-1][2]["retry-after"]) <= 60
        assert running.post("/api/2/envelope/", envelope(error()), key(running, 1))[0] == 200
        assert _within(10, lambda: running.archive.received(1).counts.get(Reason.QUOTA, 0) == statuses.count(429))


def test_a_full_store_is_said_and_a_restart_cures_it(tmp_path: Path) -> None:
    with receivers(tmp_path) as running:
        assert post(running, error())[0] == 200
        database = running.folder / ".prodwise" / "reports-0.db"
        import sqlite3

        with sqlite3.connect(database) as link:
            link.execute("ALTER TABLE report_event RENAME TO report_event_away")
        status, _, headers = post(running, error())
        assert (status, headers["retry-after"]) == (503, "5")
        with sqlite3.connect(database) as link:
            link.execute("ALTER TABLE report_event_away RENAME TO report_event")
        assert post(running, error())[0] == 200
        assert "cannot be stored" in running.log(0).read_text()


def _within(seconds: float, done: Any) -> bool:
    import time

    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
