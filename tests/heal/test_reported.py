"""Only the Sentry SDK and the proxy see the fault: with both a release goes back; with the SDK alone a person is told."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from prodwise.clock import now
from prodwise.config import load
from prodwise.heal.reports import USUAL
from prodwise.loop.detect.rate import YOUNG_S
from prodwise.loop.detect.reports import ReportMonitor
from prodwise.model.digest import Delivery, Digested
from prodwise.model.event import ErrorSeen, Grouped
from prodwise.store.reports.writer import ReportWriter
from prodwise.targets.local import local_control, signals_file
from prodwise.targets.local.free_ports import FreePorts
from prodwise.testing import apps
from prodwise.testing.receivers import Receivers
from prodwise.wiring import reports
from tests.heal.running_healer import LEASE_S, SETTINGS, House

pytestmark = [pytest.mark.full, pytest.mark.timeout(240)]

STORM, STORM_S = 100_000, 60.0

SHOP = """\
import http.server, os, random, time
import sentry_sdk

VARIANT = open("variant").read().strip()
sentry_sdk.init(dsn=os.environ["SENTRY_DSN"], release=os.environ["PRODWISE_RELEASE"])


def price(cart):
    if VARIANT != "good":
        raise ValueError(f"no price for {cart}")
    return "12"


class Page(http.server.BaseHTTPRequestHandler):
    protocol_version, wbufsize = "HTTP/1.1", -1

    def do_GET(self):
        self.say(200, "well")

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            self.say(200, price("tea"))
        except ValueError:
            sentry_sdk.capture_exception()
            self.say(500 if VARIANT == "bad" else 200, "sorry")

    def say(self, status, text):
        time.sleep(random.uniform(0.01, 0.06))  # a page that takes no time would be slower by reporting alone
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Page).serve_forever()
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[House, Receivers]]:
    """A shop that reports with the real SDK, a real receiver, and a healer that may act and has listened for ten minutes."""
    monkeypatch.setenv("PRODWISE_LEASE_SECONDS", str(LEASE_S))
    with FreePorts() as free:
        address = f"127.0.0.1:{free.take()}"
    settings = SETTINGS.replace("python3 web.py", f"{sys.executable} web.py").replace("[50, 100]", "[10, 100]")
    settings = settings.replace("[ramp]", 'env_file = "shop.env"\n[ramp]')
    app = apps.make_app(
        tmp_path, settings=f'{settings}\n[signals]\naddress = "{address}"\nreceivers = 1\n', files={"web.py": SHOP}
    )
    layout, config = local_control.layout_of(app), load(app)
    layout.make()
    receiving = Receivers(
        app, config, address, signals_file.projects(config, signals_file.settle(layout, config, address))
    )
    (app / "shop.env").write_text(f"SENTRY_DSN={receiving.dsn}\n")
    up = local_control.up(app, config, with_healer=False)
    house = House(app, up.address, f"sqlite:///{app / '.prodwise' / 'prodwise.db'}")
    listened = {**ReportMonitor(receiving.project).to_json(), "used": YOUNG_S}
    house.store.settings.put(f"{USUAL}1", listened, "test")
    try:
        receiving.start(0)
        house.prove()
        yield house, receiving
    finally:
        house.close()
        for number in list(receiving.processes):
            receiving.stop(number)


@contextlib.contextmanager
def orders(address: str) -> Iterator[Counter[int]]:
    """About 15 orders and as many pages a second; yields the orders' answers by status."""
    seen, done = Counter[int](), threading.Event()

    def client() -> None:
        while not done.wait(0.03):
            seen[apps.get(address, "/order", data=b"tea").status] += 1
            apps.get(address, "/")

    threads = [threading.Thread(target=client, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        done.set()
        for thread in threads:
            thread.join(15)


def deploy(house: House, variant: str) -> str:
    apps.commit(house.dir, variant)
    return str(house.api.post("deploy", ref="HEAD")["release"])


def view(house: House) -> dict[str, Any]:
    row = house.incident()
    assert row is not None
    return dict(house.api.get(f"incidents/{row['id']}")["view"])


def gates(house: House, release: str) -> list[dict[str, Any]]:
    """What is said of reports beside the release's other gates."""
    rollout = house.store.rollouts.load(release)
    return [dict(one) for one in rollout.gates if one["gate"] == "web: reports"] if rollout else []


def groups(house: House) -> list[dict[str, Any]]:
    return [one for one in view(house)["evidence"] if one["kind"] == "group"]


def test_a_bad_release_goes_back_and_what_was_reported_is_evidence(shop: tuple[House, Receivers]) -> None:
    house, _ = shop
    first = house.serving().release
    with orders(house.address):
        release = deploy(house, "bad")
        apps.until(lambda: house.state_of(release) == "failed", 60, "the refusal")
        apps.until(lambda: house.serves(first), 20, "the way back")
        apps.until(house.outcome, 60, "the incident's end")
        apps.until(lambda: groups(house), 20, "what was reported")
    assert house.outcome() == "healed"
    assert len(house.store.incidents.list()) == 1
    (group,) = groups(house)
    assert group["source"] == "reports:app"
    assert group["text"].startswith("ValueError: no price for")
    assert f"only in release {release}; web.py:" in group["text"]
    assert group["text"].endswith("do_POST")
    house.whole()


def test_what_a_release_swallows_is_drafted_and_told_and_nothing_is_done(shop: tuple[House, Receivers]) -> None:
    house, _ = shop
    with orders(house.address) as seen:
        release = deploy(house, "swallows")
        apps.until(lambda: any("holds nothing" in one["reason"] for one in gates(house, release)), 60, "the gate")
        apps.until(lambda: house.state_of(release) == "verified_good", 120, "its watch")
        done = house.last_entry
        apps.until(house.outcome, 90, "a person is called")
    assert set(seen) == {200}
    assert (house.outcome(), house.told().count("----")) == ("escalated", 1)
    assert "ValueError: no price for" in house.told()
    assert f"release {release}" in house.told()
    assert "only reports:app says so: no probe, request or process of ours agrees" in house.told()
    assert house.serves(release)
    assert "effect" not in house.kinds(done)
    assert f"only in release {release}" in groups(house)[0]["text"]
    house.whole()


def test_a_storm_is_one_incident_no_action_and_few_calls(shop: tuple[House, Receivers]) -> None:
    """100,000 errors of 3,000 kinds in a minute, past HTTP: the healer's part of it."""
    house, _ = shop
    writer = ReportWriter(reports.url(house.dir, 1), 1)
    last, sent = house.last_entry, 0
    with orders(house.address) as seen:
        time.sleep(3)
        begun = now()
        while sent < STORM:
            while sent < STORM * min(1.0, (now() - begun) / STORM_S):
                writer.write([Delivery(1, now(), tuple(_storm(sent + number, now()) for number in range(200)))])
                sent += 200
            time.sleep(0.05)
        apps.until(house.outcome, 60, "the incident's end")
        ticks = house.api.get("settings")
        time.sleep(10)
    writer.close()
    assert ticks
    assert set(seen) == {200}
    assert len([one for one in house.store.incidents.list(limit=50) if one.service == "web"]) == 1
    assert house.told().count("----") <= 3
    assert not [one for one in house.store.ledger.entries(last, 5000) if one.kind == "effect"]
    rss = psutil.Process(house.healer.pid).memory_info().rss if house.healer else 0
    assert rss < 512 * 1024 * 1024
    house.whole()


def _storm(number: int, at: float) -> Digested:
    group, title = f"{number % 3_000:032x}", f"Fault {number % 3_000}"
    seen = ErrorSeen(at, "web", "", f"GET /{number % 50}", group, title, "", "error", False, "sentry", f"{number:032x}")
    return Digested(seen, Grouped(group, title, "shop.py:pay", "frames"))
