"""The real OpenTelemetry SDK for Node as a client. npm brings it; nothing of it lies here."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from prodwise.clock import now
from prodwise.loop.telemetry import graph_of, readings
from prodwise.model.report import Timed
from prodwise.testing.receivers import Receivers, receivers
from prodwise.wiring import reports
from tests.signals.test_receiver import seen
from tests.signals.test_receiver_javascript import install


@pytest.fixture(scope="module")
def receiving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receivers]:
    with receivers(tmp_path_factory.mktemp("receiving")) as running:
        yield running


NODE = """
const { NodeSDK, logs, metrics } = require("@opentelemetry/sdk-node");
const api = require("@opentelemetry/api");
const { SeverityNumber, logs: logsApi } = require("@opentelemetry/api-logs");
const form = process.argv[2];
const { OTLPLogExporter } = require(`@opentelemetry/exporter-logs-otlp-${form}`);
const { OTLPTraceExporter } = require(`@opentelemetry/exporter-trace-otlp-${form}`);
const { OTLPMetricExporter } = require(`@opentelemetry/exporter-metrics-otlp-${form}`);
const sdk = new NodeSDK({
  traceExporter: new OTLPTraceExporter(),
  logRecordProcessors: [new logs.BatchLogRecordProcessor({ exporter: new OTLPLogExporter() })],
  metricReaders: [new metrics.PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter(), exportIntervalMillis: 3600000 })],
});
sdk.start();
function checkout(cart) { return cart.total.toFixed(2); }
const tracer = api.trace.getTracer("t");
const attributes = { "http.request.method": "POST", "url.path": "/pay/12", "http.response.status_code": 500 };
tracer.startActiveSpan("POST", { kind: api.SpanKind.SERVER, attributes }, (server) => {
  tracer.startActiveSpan("GET", { kind: api.SpanKind.CLIENT, attributes: { "peer.service": "stock" } }, (span) => span.end());
  try { checkout({}); } catch (error) { server.recordException(error); server.setStatus({ code: api.SpanStatusCode.ERROR }); }
  server.end();
});
logsApi.getLogger("mail").emit({ severityNumber: SeverityNumber.ERROR, body: `letter came back as ${form}` });
api.metrics.getMeter("t").createCounter("orders").add(3, { route: "/pay" });
sdk.shutdown().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
"""
PACKAGES = ["sdk-node", "api", "api-logs", *(f"exporter-{one}-otlp-{form}" for one in ("logs", "trace", "metrics")
                                             for form in ("proto", "http"))]  # fmt: skip


@pytest.mark.full
@pytest.mark.timeout(600)
def test_the_node_sdk_reports_as_protobuf_and_as_json(receiving: Receivers, tmp_path: Path) -> None:
    folder = tmp_path / "node"
    install(folder, *(f"@opentelemetry/{one}" for one in PACKAGES))
    (folder / "shop.js").write_text(NODE)
    for form in ("proto", "http"):
        began = now()
        env = {
            **os.environ,
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{receiving.address}",
            "OTEL_EXPORTER_OTLP_HEADERS": f"x-prodwise-key={receiving.project.key}",
            "OTEL_RESOURCE_ATTRIBUTES": "service.version=node-1",
            "OTEL_NODE_RESOURCE_DETECTORS": "env",
            "OTEL_SERVICE_NAME": f"shop-{form}",
        }
        subprocess.run(["node", "shop.js", form], cwd=folder, env=env, check=True, timeout=60)
        timed = [one.item for one in receiving.heard() if isinstance(one.item, Timed) and one.at >= began]
        assert [(one.route, one.ok, one.release) for one in timed] == [("POST /pay/:id", False, "node-1")]
        assert len(seen(receiving, f"letter came back as {form}")) == 1
        telemetry = reports.telemetry(receiving.folder)
        edges = graph_of(telemetry.calls(began - 60, now() + 60)).edges
        assert (f"shop-{form}", "stock", 1) in [(one.caller, one.callee, one.count) for one in edges]
        (orders,) = [one.series for one in telemetry.series()[0] if one.series.service == f"shop-{form}"]
        assert [one.value for one in readings(orders.kind, telemetry.points(orders.key, 0))] == [3.0]
    thrown = seen(receiving, "TypeError: Cannot read properties of undefined")
    assert {one.release for one in thrown} == {"node-1"}
    (group,) = {one.group for one in thrown}
    found = receiving.archive.group(group)
    assert found is not None
    assert found.where.endswith("shop.js:checkout")
