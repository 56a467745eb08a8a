"""OTLP as OpenTelemetry's SDKs mean it: logs, spans and points become events, timings, calls and series."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from prodwise.model.report import Reason, Report
from prodwise.model.telemetry import Kind
from prodwise.signals.otlp.decoder import JSON, OtlpSpeech
from prodwise.signals.otlp.events import EVENTS_MAX
from prodwise.signals.otlp.metrics import POINTS_MAX
from prodwise.signals.otlp.traces import CALLS_MAX, OTHER
from prodwise.signals.otlp.values import RECORDS_MAX

NOW = 1_795_479_840.0
NANOS = int(NOW * 1e9)
KEY = "ab" * 16


def decoded(signal: str, data: object, form: bytes = JSON) -> Report:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return OtlpSpeech(signal).decoder({b"content-type": form})(raw, 1, NOW)


def facts(**values: Any) -> list[dict[str, Any]]:
    """Attributes: `_` in a name is a dot, `__` is itself."""
    names = {key: key.replace("__", " ").replace("_", ".").replace(" ", "_") for key in values}
    return [{"key": names[key], "value": any_value(value)} for key, value in values.items()]


def any_value(value: Any) -> dict[str, Any]:
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"doubleValue": value} if isinstance(value, float) else {"stringValue": value}


def logs(*records: dict[str, Any], **resource: Any) -> Report:
    group = {
        "resource": {"attributes": facts(**resource)},
        "scopeLogs": [{"scope": {"name": "t"}, "logRecords": list(records)}],
    }
    return decoded("logs", {"resourceLogs": [group]})


def traces(*spans: dict[str, Any], **resource: Any) -> Report:
    group = {"resource": {"attributes": facts(**resource)}, "scopeSpans": [{"spans": list(spans)}]}
    return decoded("traces", {"resourceSpans": [group]})


def metrics(*found: dict[str, Any], **resource: Any) -> Report:
    group = {"resource": {"attributes": facts(**resource)}, "scopeMetrics": [{"metrics": list(found)}]}
    return decoded("metrics", {"resourceMetrics": [group]})


def span(**more: Any) -> dict[str, Any]:
    return {"name": "GET", "startTimeUnixNano": str(NANOS - 20_000_000), "endTimeUnixNano": str(NANOS), **more}


def test_a_record_says_level_release_user_route_and_logger() -> None:
    record = {"severityNumber": 21, "timeUnixNano": str(NANOS - 10**9), "body": {"stringValue": "down"},
              "attributes": facts(user_id="ada", http_request_method="GET", url_path="/cart/7?x=1")}  # fmt: skip
    (one,) = logs(record, service_name="shop", service_version="r1", deployment_environment="live").events
    event = one.event
    assert (event.level, event.message, event.release, event.environment) == ("fatal", "down", "r1", "live")
    assert (event.user, event.route, event.logger, event.at, event.source) == (
        "ada",
        "GET /cart/:id",
        "t",
        NOW - 1,
        "otlp",
    )


@pytest.mark.parametrize(
    ("record", "level"),
    [
        ({"severityNumber": 17}, "error"),
        ({"severityText": "ERROR"}, "error"),
        ({"severityText": "critical"}, "fatal"),
        ({"severityNumber": 9, "attributes": facts(exception_type="E")}, "info"),
        ({"attributes": facts(exception_message="m")}, "error"),
        ({"severityNumber": 16}, ""),
        ({"severityNumber": 99}, ""),
        ({"severityNumber": -3, "severityText": "info"}, ""),
        ({}, ""),
    ],
)
def test_errors_become_events_and_the_others_are_quiet(record: dict[str, Any], level: str) -> None:
    report = logs({**record, "body": {"stringValue": "x"}})
    assert [one.event.level for one in report.events] == ([level] if level else [])
    assert report.counts.get(Reason.QUIET_LOG, 0) == (not level)


def test_one_exception_of_a_trace_is_one_event_with_its_longest_trace_of_calls() -> None:
    def thrown(lines: int) -> dict[str, Any]:
        calls = "".join(f'  File "/srv/{n}.py", line {n}, in f{n}\n    g()\n' for n in range(9 - lines, 9))
        text = f"Traceback (most recent call last):\n{calls}ValueError: no"
        return {"name": "exception", "timeUnixNano": str(NANOS),
                "attributes": facts(exception_type="ValueError", exception_message="no", exception_stacktrace=text)}  # fmt: skip

    inner, outer = span(traceId="aa" * 16, events=[thrown(2)]), span(traceId="aa" * 16, events=[thrown(4)])
    report = traces(inner, outer, span(traceId="bb" * 16, events=[thrown(1)]))
    assert [len(one.event.chain[0].frames) for one in report.events] == [4, 1]
    assert {one.event.id for one in traces(inner).events} == {report.events[0].event.id}


@pytest.mark.parametrize(
    ("more", "ok"),
    [
        ({"status": {"code": 2}}, False),
        ({"status": {"code": "STATUS_CODE_ERROR"}}, False),
        ({"attributes": facts(http_status__code=500)}, False),
        ({"attributes": facts(http_response_status__code=404)}, True),
        ({}, True),
    ],
)
def test_a_server_span_is_a_request_that_went_well_or_not(more: dict[str, Any], ok: bool) -> None:
    (one,) = traces(span(kind=2, **more), service_name="shop").timed
    assert (one.ok, one.ms, one.service, one.route) == (ok, pytest.approx(20.0, abs=0.01), "shop", "GET")


@pytest.mark.parametrize(
    ("kind", "attributes", "told"),
    [
        (2, facts(server_address="shop.example", server_port=80), ("", "shop", "shop.example:80")),
        (3, facts(server_address="10.0.0.7", server_port=80), ("shop", "", "10.0.0.7:80")),
        (3, facts(peer_service="stock"), ("shop", "stock", "")),
        (3, facts(url_full="http://u:p@pay.example:8443/x"), ("shop", "", "pay.example:8443")),
        (3, facts(url_full="http://[::1"), None),
        (3, facts(db_system="redis"), ("shop", "redis", "")),
        (4, facts(messaging_destination_name="mails"), ("shop", "queue mails", "")),
        ("SPAN_KIND_CONSUMER", facts(messaging_destination_name="mails"), ("queue mails", "shop", "")),
        (1, facts(peer_service="stock"), ("shop", "stock", "")),
        (1, facts(db_system="redis"), None),
        (3, [], None),
    ],
)
def test_spans_say_who_calls_whom(
    kind: object, attributes: list[dict[str, Any]], told: tuple[str, str, str] | None
) -> None:
    found = [
        (one.caller, one.callee, one.address)
        for one in traces(span(kind=kind, attributes=attributes), service_name="shop").calls
    ]
    assert found[-1:] == ([told] if told else [])
    assert traces(span(kind=kind, attributes=attributes)).calls == ()


@pytest.mark.parametrize(
    ("start", "end", "ms"),
    [
        (NANOS, NANOS - 5_000_000_000, 0.0),
        (1, NANOS, 0.0),
        ("x", NANOS, None),
        (NANOS, 0, None),
        (NANOS - 10**6, 2**64 - 1, 0.0),
        (-5, -4, None),
    ],
)
def test_absurd_times_are_cleaned_and_counted(start: object, end: object, ms: float | None) -> None:
    report = traces(span(kind=2, startTimeUnixNano=start, endTimeUnixNano=end), service_name="shop")
    assert [(one.ms, NOW - 31 * 86_400 < one.at <= NOW) for one in report.timed] == ([] if ms is None else [(ms, True)])
    assert report.left_out == (ms is None)
    assert sum(report.counts.values()) >= 1


def number_of(**more: Any) -> dict[str, Any]:
    return {"timeUnixNano": str(NANOS), **more}


@pytest.mark.parametrize("value", ["NaN", "Infinity", math.nan, math.inf, 1e308, None, "12x", [], True])
def test_a_number_that_is_none_is_left_out(value: object) -> None:
    report = metrics({"name": "m", "gauge": {"dataPoints": [number_of(asDouble=value), number_of(asInt="-7")]}})
    assert [one.point.value for one in report.measured] == [-7.0]
    assert (report.left_out, report.counts[Reason.SHAPE]) == (1, 1)


@pytest.mark.parametrize(
    ("form", "more", "kind"),
    [
        ("gauge", {}, Kind.GAUGE),
        ("sum", {"aggregationTemporality": 2, "isMonotonic": True}, Kind.TOTAL),
        ("sum", {"aggregationTemporality": "AGGREGATION_TEMPORALITY_DELTA", "isMonotonic": True}, Kind.CHANGE),
        ("sum", {"aggregationTemporality": 2}, Kind.GAUGE),
        ("sum", {}, None),
        ("histogram", {"aggregationTemporality": 2}, Kind.TOTAL),
        ("summary", {}, Kind.TOTAL),
    ],
)
def test_what_a_metrics_numbers_are(form: str, more: dict[str, Any], kind: Kind | None) -> None:
    point = number_of(asDouble=3.0) if form in ("gauge", "sum") else number_of(count=2, sum=3.0)
    report = metrics({"name": "m", form: {"dataPoints": [point], **more}})
    assert [(one.series.kind, one.point.value) for one in report.measured] == ([(kind, 3.0)] if kind else [])


@pytest.mark.parametrize(
    ("bounds", "counts"),
    [
        ([1, 2], [1, 2]),
        ([2, 1], [1, 1, 1]),
        ([1, 1], [1, 1, 1]),
        ([1, 2], [1, -1, 1]),
        (["x"], [1, 1]),
        (list(range(900)), [0] * 901),
    ],
)
def test_bounds_that_do_not_fit_leave_count_and_sum(bounds: list[Any], counts: list[int]) -> None:
    point = number_of(count="3", sum=4.5, explicitBounds=bounds, bucketCounts=counts)
    (one,) = metrics({"name": "m", "histogram": {"dataPoints": [point], "aggregationTemporality": 1}}).measured
    assert (one.point.count, one.point.value, one.point.buckets) == (3, 4.5, ())


def test_exponential_buckets_of_any_scale_become_bounds_that_fit_each_other() -> None:
    def buckets(scale: int, offset: int, counts: list[int]) -> Any:
        point = number_of(
            count=sum(counts), sum=1.0, scale=scale, zeroCount=1, positive={"offset": offset, "bucketCounts": counts}
        )
        found = metrics({"name": "m", "exponentialHistogram": {"dataPoints": [point], "aggregationTemporality": 1}})
        return found.measured[0].point.buckets

    coarse = buckets(0, 3, [5])
    assert coarse == ((0.0, 1), (8.0, 0), (16.0, 5))
    fine = buckets(6, 3 * 64, [1] * 64)
    assert sum(count for _, count in fine) == 65
    assert [fine[1][0], fine[-1][0]] == pytest.approx([8.0, 16.0])
    assert len(fine) == 10
    for scale, offset in ((20, 2**40), (-20, 5), (10, -(2**40)), (99, 0)):
        assert sum(count for _, count in buckets(scale, offset, [1])) <= 2


def test_two_processes_and_two_sets_of_attributes_are_series_of_their_own() -> None:
    point = {
        "name": "m",
        "gauge": {"dataPoints": [number_of(asInt=1), number_of(asInt=2, attributes=facts(route="/"))]},
    }
    found = [*metrics(point, service_instance_id="a").measured, *metrics(point, service_instance_id="b").measured]
    assert len({one.series.key for one in found}) == 4


def test_more_than_is_taken_of_one_delivery_is_counted_and_said() -> None:
    report = logs(*({"severityNumber": 17} for _ in range(EVENTS_MAX + 5)))
    assert (len(report.events), report.left_out, report.counts[Reason.ITEMS]) == (EVENTS_MAX, 5, 5)
    assert OtlpSpeech("logs").taken(report)["partialSuccess"]["rejectedLogRecords"] == 5
    report = metrics({"name": "m", "gauge": {"dataPoints": [number_of(asInt=1)] * (POINTS_MAX + 5)}})
    assert (len(report.measured), report.left_out) == (POINTS_MAX, 5)
    report = traces(
        *(span(kind=2, attributes=facts(http_host=f"h{n}")) for n in range(CALLS_MAX + 5)), service_name="s"
    )
    assert (len(report.calls), report.calls[-1].callee, report.counts[Reason.CALLS]) == (CALLS_MAX + 1, OTHER, 5)
    assert len(report.timed) == CALLS_MAX + 5
    report = logs(*({} for _ in range(RECORDS_MAX + 5)))
    assert (report.counts[Reason.QUIET_LOG], report.left_out) == (RECORDS_MAX, 5)


def test_keys_come_in_two_headers_and_nothing_else_is_one() -> None:
    key = OtlpSpeech("logs").key
    assert key({b"x-prodwise-key": KEY.encode()}) == key({b"authorization": f"bearer {KEY}".encode()}) == KEY
    for told in (
        {},
        {b"authorization": KEY.encode()},
        {b"x-prodwise-key": KEY.encode() + b"0"},
        {b"x-prodwise-key": b"\xff" * 32},
    ):
        assert key(told) == ""
