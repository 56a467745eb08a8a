"""The real Python SDK's deliveries, decoded."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import flask
import pytest
import sentry_sdk

from prodwise.clock import now
from prodwise.model.report import Reason, Report
from prodwise.signals.sentry.envelope import SentryDecoder
from tests.signals.sentry_kit import KEY, NOW, Sent, envelope, item, receiver

DECODER = SentryDecoder()


@pytest.fixture
def sent(request: pytest.FixtureRequest) -> Iterator[list[Sent]]:
    options = getattr(request, "param", {})
    with receiver() as (dsn, seen):
        sentry_sdk.init(dsn=dsn, release="12-abc1234", environment="test", traces_sample_rate=1.0, enable_logs=True,
                        _experiments={"transport_compression_algo": options.get("algorithm", "gzip")})  # fmt: skip
        try:
            yield seen
        finally:
            sentry_sdk.get_client().close(timeout=5)
            sentry_sdk.init()


def reports(seen: list[Sent]) -> list[Report]:
    """Everything so far, decoded; every delivery carried the DSN's key."""
    sentry_sdk.flush(10)
    assert seen, "the SDK sent nothing"
    assert {DECODER.key(one.headers, b"") for one in seen} == {KEY}
    assert {one.path for one in seen} == {"/api/7/envelope/"}
    return [DECODER.envelope(one.body, one.encoding, 7, now()) for one in seen]


@pytest.mark.parametrize("sent", [{"algorithm": "gzip"}, {"algorithm": "br"}], indirect=True)
def test_an_exception_with_its_cause_arrives_root_cause_first(sent: list[Sent]) -> None:
    sentry_sdk.set_user({"id": "ada"})
    try:
        try:
            int("tea")
        except ValueError as error:
            raise RuntimeError("no price") from error
    except RuntimeError:
        sentry_sdk.capture_exception()
    event = next(one for report in reports(sent) for one in report.events).event
    assert [(thrown.kind, thrown.message) for thrown in event.chain] == [
        ("ValueError", "invalid literal for int() with base 10: 'tea'"),
        ("RuntimeError", "no price"),
    ]
    frame = event.chain[-1].frames[-1]
    assert (frame.function, frame.in_app) == ("test_an_exception_with_its_cause_arrives_root_cause_first", True)
    assert frame.code.strip() == 'raise RuntimeError("no price") from error'
    assert (event.project, event.release, event.environment, event.level) == (7, "12-abc1234", "test", "error")
    assert (event.platform, event.user) == ("python", "ada")
    assert abs(event.at - now()) < 30
    assert len(event.id) == 32


def test_a_flask_request_that_fails_gives_its_route_and_its_time(sent: list[Sent]) -> None:
    app = flask.Flask("shop")

    @app.get("/cart/<int:number>")
    def cart(number: int) -> str:
        raise KeyError(number)

    app.test_client().get("/cart/42")
    found = reports(sent)
    event = next(one for report in found for one in report.events if one.event.chain).event
    assert (event.route, event.chain[-1].handled) == ("GET /cart/:id", False)
    timed = next(one for report in found for one in report.timed)
    assert (timed.route, timed.release, timed.ok) == ("cart", "12-abc1234", False)
    assert 0 < timed.ms < 30_000


def test_logging_gives_errors_with_their_template_and_counts_quiet_lines(sent: list[Sent]) -> None:
    logging.getLogger("shop.orders").error("order %s failed", 41)
    sentry_sdk.logger.info("all is well")
    sentry_sdk.logger.error("order {number} lost", number=42)
    found = reports(sent)
    events = [one.event for report in found for one in report.events]
    logged = next(event for event in events if event.logger == "shop.orders" and event.template)
    assert (logged.message, logged.template) == ("order 41 failed", "order %s failed")
    assert any(event.message == "order 42 lost" for event in events)
    assert sum(report.counts.get(Reason.QUIET_LOG, 0) for report in found) >= 1


def test_what_the_sdk_dropped_itself_is_counted(sent: list[Sent]) -> None:
    sentry_sdk.get_client().transport.record_lost_event("before_send", "error")
    sentry_sdk.capture_message("hello", level="error")
    sentry_sdk.get_client().transport._flush_client_reports(force=True)
    assert sum(report.counts.get(Reason.SDK_DROPPED, 0) for report in reports(sent)) == 1


def test_sessions_check_ins_spans_and_feedback_are_read() -> None:
    body = envelope(
        item("sessions", {"attrs": {"release": "r1", "environment": "e"},
                          "aggregates": [{"started": "2026-11-24T00:23:00Z", "exited": 5, "errored": 2, "crashed": 1}]}),
        item("session", {"status": "crashed", "errors": 1, "timestamp": NOW, "attrs": {"release": "r1"}}),
        item("session", {"status": "ok", "attrs": {"release": "r1"}}),
        item("check_in", {"monitor_slug": "nightly", "status": "ok", "duration": 2.5}),
        item("span", {"items": [
            {"name": "GET /", "is_segment": True, "start_timestamp": NOW - 0.5, "end_timestamp": NOW, "status": "ok"},
            {"name": "db", "is_segment": False, "start_timestamp": NOW - 0.5, "end_timestamp": NOW},
        ]}),
        item("feedback", {"contexts": {"feedback": {"message": "the cart is empty"}}}),
        item("profile", {"samples": []}),
    )  # fmt: skip
    report = DECODER.envelope(body, "", 1, NOW)
    assert [(one.total, one.errored, one.crashed) for one in report.sessions] == [(8, 3, 1), (1, 1, 1)]
    assert [(one.monitor, one.status, one.seconds) for one in report.check_ins] == [("nightly", "ok", 2.5)]
    assert [(one.route, round(one.ms), one.ok) for one in report.timed] == [("GET /", 500, True)]
    assert [(one.event.level, one.event.message) for one in report.events] == [("info", "the cart is empty")]
    assert report.counts == {Reason.UNKNOWN_ITEM: 1}


def test_an_old_sdk_sends_a_lone_event_and_a_browser_its_key_in_the_query() -> None:
    report = DECODER.lone_event(b'{"message":"hello","level":"warning"}', "", 1, NOW)
    assert [(one.event.message, one.event.level) for one in report.events] == [("hello", "warning")]
    assert DECODER.key({}, f"sentry_version=7&sentry_key={KEY}".encode()) == KEY
    assert DECODER.key({b"x-sentry-auth": f"Sentry sentry_version=7, sentry_key={KEY}".encode()}, b"") == KEY
    for wrong in (b"", b"sentry_key=short", b"sentry_key=" + b"G" * 32, b"sentry_key=" + KEY.encode() * 100):
        assert DECODER.key({}, wrong) == ""
