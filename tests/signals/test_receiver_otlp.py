"""Real receivers, with the real OpenTelemetry SDK as their client: what it exports is stored, grouped, counted and told."""

from __future__ import annotations

import gzip
import json
import logging
import uuid
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import Counter as SdkCounter
from opentelemetry.sdk.metrics import Histogram as SdkHistogram
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

from prodwise.clock import now
from prodwise.loop.telemetry import graph_of, readings
from prodwise.model.report import Reason, Timed
from prodwise.testing.receivers import Receivers, receivers
from prodwise.wiring import reports
from tests.signals.test_receiver import _within, seen

CARD = "4111 1111 1111 1111"


@pytest.fixture(scope="module")
def receiving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receivers]:
    with receivers(tmp_path_factory.mktemp("otlp"), 2, '[signals.projects.jobs]\nservice = "web"') as running:
        yield running


def resource(service: str, **more: str) -> Resource:
    facts = {"service.name": service, "service.version": "12-abc", "deployment.environment.name": "test", **more}
    return Resource.create(facts)


def headers(to: Receivers) -> dict[str, str]:
    return {"x-prodwise-key": to.project.key}


def url(to: Receivers, signal: str) -> str:
    return f"http://{to.address}/v1/{signal}"


def tracing(to: Receivers, service: str) -> TracerProvider:
    provider = TracerProvider(resource=resource(service))
    exporter = OTLPSpanExporter(endpoint=url(to, "traces"), headers=headers(to), compression=Compression.Gzip)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


@pytest.mark.filterwarnings("ignore:.LoggingHandler")
def test_an_error_that_is_logged_becomes_an_event_and_the_others_are_counted(receiving: Receivers) -> None:
    provider = LoggerProvider(resource=resource("shop"))
    provider.add_log_record_processor(
        BatchLogRecordProcessor(OTLPLogExporter(endpoint=url(receiving, "logs"), headers=headers(receiving)))
    )
    logger = logging.getLogger("shop.mail")
    handler = LoggingHandler(logger_provider=provider)
    logger.addHandler(handler)
    quiet = receiving.archive.received(1).counts.get(Reason.QUIET_LOG, 0)

    def send_mail() -> None:
        raise ConnectionError(f"no mail for {CARD}")

    try:
        logger.warning("almost full")
        try:
            send_mail()
        except ConnectionError:
            logger.exception("mail was not sent")
        logger.error("letter %s came back", 7)
        assert provider.force_flush(10_000)
    finally:
        logger.removeHandler(handler)
        provider.shutdown()
    (thrown,) = seen(receiving, "no mail for")
    assert (thrown.release, thrown.level, thrown.source, thrown.service) == ("12-abc", "error", "otlp", "web")
    group, kept = receiving.archive.group(thrown.group), receiving.archive.event(thrown.id)
    assert group is not None
    assert kept is not None
    assert (group.rule, group.title.split(":")[0]) == ("frames", "ConnectionError")
    assert group.where.endswith("test_receiver_otlp.py:send_mail")
    assert "mail was not sent" in json.dumps(kept.detail)
    assert CARD not in json.dumps(kept.detail) + group.title
    assert len(seen(receiving, "came back")) == 1
    assert receiving.archive.received(1).counts[Reason.QUIET_LOG] == quiet + 1


def test_spans_give_route_timing_the_call_graph_and_one_event_an_exception(receiving: Receivers) -> None:
    shop, stock = tracing(receiving, "shop"), tracing(receiving, "stock")
    began = now()

    def reserve() -> None:
        raise LookupError("shelf is empty")

    try:
        with shop.get_tracer("t").start_as_current_span(
            "GET /cart/{id}",
            kind=SpanKind.SERVER,
            attributes={"http.request.method": "GET", "url.path": "/cart/77", "http.route": "/cart/{id}",
                        "http.response.status_code": 200},
        ):  # fmt: skip
            for status in (200, 503):
                with shop.get_tracer("t").start_as_current_span(
                    "GET", kind=SpanKind.CLIENT, attributes={"server.address": "10.0.0.7", "server.port": 8080}
                ):
                    facts = {"http.request.method": "GET", "url.path": "/shelf/1", "server.address": "10.0.0.7",
                             "server.port": 8080, "http.response.status_code": status}  # fmt: skip
                    with stock.get_tracer("t").start_as_current_span("GET", kind=SpanKind.SERVER, attributes=facts):
                        pass
            with shop.get_tracer("t").start_as_current_span(
                "SELECT", kind=SpanKind.CLIENT, attributes={"db.system.name": "postgresql", "db.namespace": "orders"}
            ):
                pass
            with pytest.raises(LookupError), shop.get_tracer("t").start_as_current_span("outer"), \
                    shop.get_tracer("t").start_as_current_span("inner"):  # fmt: skip
                reserve()
    finally:
        assert shop.force_flush(10_000)
        assert stock.force_flush(10_000)
        shop.shutdown()
        stock.shutdown()
    timed = [one.item for one in receiving.heard() if isinstance(one.item, Timed) and one.at >= began]
    assert sorted((one.route, one.ok, one.service, one.release, one.source) for one in timed) == [
        ("GET /cart/:id", True, "shop", "12-abc", "otlp"),
        ("GET /shelf/:id", False, "stock", "12-abc", "otlp"),
        ("GET /shelf/:id", True, "stock", "12-abc", "otlp"),
    ]
    graph = graph_of(reports.telemetry(receiving.folder).calls(began - 60, now() + 60, 1))
    assert [(one.caller, one.callee, one.count) for one in graph.edges] == [
        ("shop", "postgresql orders", 1), ("shop", "stock", 2)]  # fmt: skip
    assert [(one.name, one.count, one.errors) for one in graph.nodes] == [
        ("postgresql orders", 0, 0), ("shop", 1, 0), ("stock", 2, 1)]  # fmt: skip
    (thrown,) = seen(receiving, "shelf is empty")
    group = receiving.archive.group(thrown.group)
    assert group is not None
    assert group.where.endswith("test_receiver_otlp.py:reserve")


@pytest.mark.parametrize("temporality", [AggregationTemporality.CUMULATIVE, AggregationTemporality.DELTA])
def test_metrics_become_series(receiving: Receivers, temporality: AggregationTemporality) -> None:
    service = f"meter-{temporality.name}"
    reader = PeriodicExportingMetricReader(
        OTLPMetricExporter(
            endpoint=url(receiving, "metrics"),
            headers=headers(receiving),
            preferred_temporality={SdkCounter: temporality, SdkHistogram: temporality},
        ),
        export_interval_millis=3_600_000,
    )
    views = [View(instrument_name="size", aggregation=ExponentialBucketHistogramAggregation())]
    provider = MeterProvider([reader], resource=resource(service), views=views)
    meter = provider.get_meter("t")
    orders, took, size, free = (
        meter.create_counter("orders", "1"),
        meter.create_histogram("took", "ms"),
        meter.create_histogram("size", "By"),
        meter.create_gauge("free"),
    )
    for turn in range(2):
        for number in range(100):
            orders.add(2, {"route": "/pay"})
            took.record(number)
            size.record(1000 + number)
        free.set(0.25 + turn)
        assert provider.force_flush(10_000)
    provider.shutdown()
    telemetry = reports.telemetry(receiving.folder)
    found, _ = telemetry.series(1, limit=200)
    mine = {one.series.name: one.series for one in found if one.series.service == service}
    assert set(mine) == {"orders", "took", "size", "free"}
    assert (dict(mine["orders"].attributes), mine["took"].unit) == ({"route": "/pay"}, "ms")
    told = {name: readings(one.kind, telemetry.points(one.key, 0)) for name, one in mine.items()}
    assert sum(one.value for one in told["orders"]) == 400
    assert told["free"][-1].value == 1.25
    assert sum(one.count for one in told["took"]) == sum(one.count for one in told["size"]) == 200
    p95 = {name: max(one.p95 for one in told[name] if one.p95 is not None) for name in ("took", "size")}
    assert 90 <= p95["took"] <= 100
    assert 1000 <= p95["size"] <= 1200


def log_request(*bodies: str, severity: int = 17) -> ExportLogsServiceRequest:
    made = ExportLogsServiceRequest()
    records = made.resource_logs.add().scope_logs.add().log_records
    for body in bodies:
        record = records.add(severity_number=severity, time_unix_nano=int(now() * 1e9))  # type: ignore[arg-type]
        record.body.string_value = body
    return made


@pytest.mark.parametrize("encoding", ["", "gzip", "deflate", "zstd"])
def test_both_forms_every_encoding_and_both_ways_to_give_the_key(receiving: Receivers, encoding: str) -> None:
    pack = {"": bytes, "gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstandard.compress}[encoding]
    more = {"Content-Encoding": encoding} if encoding else {}
    name = uuid.uuid4().hex[:12].translate(str.maketrans("0123456789", "ghijklmnop"))
    raw = log_request(f"protobuf {name}").SerializeToString()
    told = {**headers(receiving), "Content-Type": "application/x-protobuf", **more}
    status, body, answered = receiving.post("/v1/logs", pack(raw), told)
    assert (status, answered["content-type"]) == (200, "application/x-protobuf")
    assert not ExportLogsServiceResponse.FromString(body).HasField("partial_success")
    line = {"severityNumber": 17, "timeUnixNano": str(int(now() * 1e9)), "body": {"stringValue": f"json {name}"}}
    text = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [line]}]}]}).encode()
    told = {
        "Authorization": f"Bearer {receiving.project.key}",
        "Content-Type": "application/json; charset=utf-8",
        **more,
    }
    status, body, answered = receiving.post("/v1/logs", pack(text), told)
    assert (status, answered["content-type"], json.loads(body)) == (200, "application/json", {})
    assert len(seen(receiving, name)) == 2


def test_a_delivery_that_is_sent_again_is_counted_once(receiving: Receivers) -> None:
    raw = log_request("again", "and again").SerializeToString()
    told = {**headers(receiving), "Content-Type": "application/x-protobuf"}
    before = receiving.archive.received(1).counts.get(Reason.REPEATED, 0)
    for _ in range(4):
        assert receiving.post("/v1/logs", raw, told)[0] == 200
    assert len(seen(receiving, "again")) == 2
    assert receiving.archive.received(1).counts[Reason.REPEATED] == before + 6


def refused(to: Receivers, body: bytes, **more: str) -> tuple[int, bytes]:
    told = {
        **headers(to),
        "Content-Type": "application/x-protobuf",
        **{key.replace("_", "-"): one for key, one in more.items()},
    }
    status, answer, _ = to.post("/v1/traces", body, told)
    return status, answer


def test_what_cannot_be_taken_is_said_in_the_form_that_was_asked(receiving: Receivers) -> None:
    assert refused(receiving, b"", x_prodwise_key="0" * 32)[0] == 401
    assert refused(receiving, b"", x_prodwise_key="")[0] == 401
    for kind in ("", "text/plain", "application/x-protobuf, application/json", "application/json; charset=latin-1"):
        assert refused(receiving, b"{}", Content_Type=kind)[0] == 415
    assert refused(receiving, b"", Content_Encoding="lzma")[0] == 415
    assert refused(receiving, gzip.compress(b"\x0a\x00" * 2_000_000), Content_Encoding="gzip")[0] == 413
    assert refused(receiving, b"\x0a\x00" * 500_000)[0] == 413
    status, body = refused(receiving, b"\xff\xff\xff")
    assert (status, body[2:]) == (400, Reason.PROTOBUF.value.encode())  # a google.rpc.Status with a message
    status, body = refused(receiving, b"[1", Content_Type="application/json")
    assert (status, json.loads(body)) == (400, {"message": "item is no JSON"})
    assert _within(10, lambda: receiving.archive.received(1).counts.get(Reason.CONTENT_TYPE, 0) >= 4)


def test_spans_without_their_times_are_left_out_and_said(receiving: Receivers) -> None:
    made = ExportTraceServiceRequest()
    spans = made.resource_spans.add().scope_spans.add().spans
    spans.add(name="good", kind=2, start_time_unix_nano=1, end_time_unix_nano=int(now() * 1e9))  # type: ignore[arg-type]
    spans.add(name="bad")
    status, body = refused(receiving, made.SerializeToString())
    answer = ExportTraceServiceResponse.FromString(body)
    assert (status, answer.partial_success.rejected_spans) == (200, 1)
    assert "fields" in answer.partial_success.error_message


def test_over_its_quota_a_project_is_told_when_to_come_back(tmp_path: Path) -> None:
    with receivers(tmp_path, 1, "events_per_minute = 60") as running:
        told = {**headers(running), "Content-Type": "application/x-protobuf"}
        answers = [
            running.post("/v1/logs", log_request(*(f"{n} of {i}" for n in range(30))).SerializeToString(), told)
            for i in range(5)
        ]
        assert answers[0][0] == 200
        status, _, answered = answers[-1]
        assert (status, 1 <= int(answered["retry-after"]) <= 60) == (429, True)
