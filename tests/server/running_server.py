"""The app on real sockets over a real store; people, target and figures are the public fakes."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from prodwise.config import Config, validate
from prodwise.heal.outside import Outside
from prodwise.model.project import Project
from prodwise.model.service import SlotName
from prodwise.model.signal import ProcessSeen, ProcessState
from prodwise.model.target import ServiceSeen, Switch, TargetSeen
from prodwise.server.app import ServerParts, create_app
from prodwise.server.parts import Reporting
from prodwise.server.serving import Server, local_socket, make_server, tcp_socket
from prodwise.store.reports.archive import SqlReportArchive
from prodwise.store.reports.shelves import Shelves
from prodwise.store.reports.telemetry import SqlTelemetry
from prodwise.store.sql import SqlStore
from prodwise.testing.fake_controls import FakeBrakes, FakeControls, FakeTarget, FakeVitals
from prodwise.testing.fake_migrations import FakeMigrations
from prodwise.wiring.ways import hooks
from tests.conftest import sqlite_store

CONFIG = {
    "version": 1,
    "name": "teashop",
    "services": {
        "web": {"command": "serve", "probe": "/healthz"},
        "worker": {"command": "work", "kind": "worker"},
    },
}
PROJECTS = (
    Project(1, "teashop", "ab" * 16, "web"),
    Project(2, "jobs", "cd" * 16, "worker", "https://k@sentry.example/9"),
)


def target_seen(share: float = 0.0, stable: str = "1-aaaaaaa", canary: str = "") -> TargetSeen:
    """web on slot a (stable) and b (canary), worker on slot a."""
    slots = [ProcessSeen(1.0, "web", "a", stable, ProcessState.RUNNING, pid=11)]
    if canary:
        slots.append(ProcessSeen(1.0, "web", "b", canary, ProcessState.RUNNING, pid=12))
    web = ServiceSeen("web", Switch(SlotName.A, share), tuple(slots), (("a", 9001), ("b", 9002)))
    worker = ServiceSeen("worker", None, (ProcessSeen(1.0, "worker", "a", stable, ProcessState.RUNNING, pid=13),))
    return TargetSeen(1.0, (web, worker), False, "healer", 1)


@dataclass
class World:
    """Everything behind the pages, for tests to change, and a running server in front."""

    store: SqlStore
    controls: FakeControls
    target: FakeTarget
    vitals: FakeVitals
    config: Config
    parts: ServerParts
    migrations: FakeMigrations
    server: Server
    url: str
    socket: Path
    thread: threading.Thread

    def local(self) -> httpx2.Client:
        """A client on the local socket."""
        transport = httpx2.HTTPTransport(uds=str(self.socket))
        return httpx2.Client(transport=transport, base_url="http://prodwise", timeout=10)

    def stranger(self) -> httpx2.Client:
        """A client over TCP that is not logged in."""
        return httpx2.Client(base_url=self.url, timeout=10)

    def login_path(self) -> str:
        return f"/login/{self.store.logins.link()}"

    @contextmanager
    def person(self) -> Iterator[httpx2.Client]:
        """A logged-in client over TCP; `client.headers` carries the CSRF token."""
        with self.stranger() as client:
            assert client.post(self.login_path()).status_code == 303
            csrf = self.store.logins.csrf(client.cookies["prodwise_session"])
            assert csrf
            client.headers["x-csrf-token"] = csrf
            yield client

    def close(self) -> None:
        self.server.end()
        self.thread.join(15)
        assert not self.thread.is_alive(), "the server did not shut down"
        self.store.close()


def start_world(folder: Path, config: dict[str, Any] | None = None) -> World:
    store = sqlite_store(folder / "prodwise.db")
    target = FakeTarget(target_seen())
    migrations = FakeMigrations()
    controls, vitals = FakeControls(), FakeVitals(well={"web": True, "worker": True})
    tcp, path = tcp_socket("127.0.0.1:0"), folder / "api.sock"
    url = f"http://127.0.0.1:{tcp.getsockname()[1]}"
    made = validate(config or CONFIG, "test")
    parts = ServerParts(
        store,
        target,
        controls,
        FakeBrakes(store.settings, target, store.ledger),
        vitals,
        made,
        "http://127.0.0.1:8000",
        Outside(store, made),
        hooks(made, folder, folder / "secrets"),
        url,
        Reporting(
            SqlReportArchive(Shelves(folder)),
            lambda: PROJECTS,
            "127.0.0.1:7374",
            lambda: False,
            SqlTelemetry(Shelves(folder)),
        ),
        migrations,
    )
    server = make_server(create_app(parts))
    sockets = [tcp, local_socket(path)]
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=sockets)), daemon=True)
    thread.start()
    until(lambda: server.started, "the server starts")
    return World(store, controls, target, vitals, made, parts, migrations, server, url, path, thread)


def until(check: Any, what: str, seconds: float = 10.0) -> None:
    """Polls with a deadline."""
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)
