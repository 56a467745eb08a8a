"""A real Prometheus that scrapes, a real Alertmanager that calls: an alarm that fires, and one that ends."""

from __future__ import annotations

import http.server
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.server.running_server import CONFIG, World, start_world, until

HOUSE = {**CONFIG, "hooks": {"alertmanager": {"services": {"shop": "web"}}}}
PROMETHEUS = """
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: [rules.yml]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ["127.0.0.1:{alertmanager}"]}}]}}]}}
scrape_configs: [{{job_name: shop, static_configs: [{{targets: ["127.0.0.1:{shop}"]}}]}}]
"""
RULES = """
groups:
  - name: shop
    rules:
      - {alert: ShopDown, expr: 'up{job="shop"} == 0', labels: {service: shop}, annotations: {summary: nobody answers}}
      - {alert: Watchdog, expr: vector(1), labels: {severity: none}}
"""
ALERTMANAGER = """
route: {{receiver: prodwise, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers:
  - name: prodwise
    webhook_configs:
      - url: {url}/hooks/alertmanager
        send_resolved: true
        http_config: {{authorization: {{credentials_file: {secret}}}}}
"""
MISSING = next((one for one in ("prometheus", "prometheus-alertmanager") if shutil.which(one) is None), "")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(folder: Path, *argv: str) -> Iterator[None]:
    with (folder / f"{argv[0]}.log").open("wb") as log:
        process = subprocess.Popen(argv, cwd=folder, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(15)


@contextmanager
def shop(port: int) -> Iterator[None]:
    """Something that can be scraped."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield
        server.shutdown()
        thread.join(5)


class Quiet(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/plain")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def house(tmp_path: Path) -> Iterator[World]:
    made = start_world(tmp_path, HOUSE)
    yield made
    made.close()


@pytest.mark.skipif(bool(MISSING), reason=f"not run: {MISSING} is not installed")
def test_an_alarm_fires_and_ends(house: World, tmp_path: Path) -> None:
    ports = {"alertmanager": free_port(), "shop": free_port(), "prometheus": free_port()}
    secret = tmp_path / "secrets" / "alertmanager"
    (tmp_path / "prometheus.yml").write_text(PROMETHEUS.format(**ports))
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "alertmanager.yml").write_text(ALERTMANAGER.format(url=house.url, secret=secret))
    alertmanager = (
        "prometheus-alertmanager", "--config.file=alertmanager.yml", "--storage.path=alerts",
        f"--web.listen-address=127.0.0.1:{ports['alertmanager']}", "--cluster.listen-address=",
    )  # fmt: skip
    prometheus = (
        "prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=series",
        f"--web.listen-address=127.0.0.1:{ports['prometheus']}",
    )  # fmt: skip
    with running(tmp_path, *alertmanager), running(tmp_path, *prometheus):
        until(lambda: house.store.outside.alarms(), "the alarm", 40)
        (alarm,) = house.store.outside.alarms()
        assert (alarm.name, alarm.service, alarm.about, alarm.text) == ("ShopDown", "web", "shop", "nobody answers")
        assert len(alarm.subject) == 16, "Alertmanager's own fingerprint"
        with shop(ports["shop"]):
            until(lambda: not house.store.outside.alarms(), "its end", 40)
        until(lambda: house.store.outside.alarms(), "the alarm again", 40)
    with house.local() as client:
        (hook,) = client.get("/api/v1/ways-in").json()["hooks"]
    assert hook["taken"] >= 3
    assert hook["refused"] == {}
