"""How long pages take over a large store: a real server on loopback, a store filled with many services and incidents."""

from __future__ import annotations

import asyncio
import http.client
import random
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.running import until
from prodwise import clock
from prodwise.config import validate
from prodwise.heal.outside import Outside
from prodwise.model.record import Entry
from prodwise.model.service import SlotName
from prodwise.model.signal import ProcessSeen, ProcessState
from prodwise.model.target import ServiceSeen, Switch, TargetSeen
from prodwise.server.app import ServerParts, create_app
from prodwise.server.serving import make_server, tcp_socket
from prodwise.store import tables
from prodwise.store.ledger import append
from prodwise.store.sql import SqlStore
from prodwise.testing.fake_controls import FakeBrakes, FakeControls, FakeTarget, FakeVitals

SERVICES, INCIDENTS = 1000, 10_000
ENTRIES_EACH = 3
COOKIE = "prodwise_session"
RELEASE = "1-aaaaaaa"


def measure(times: int, services: int = SERVICES, incidents: int = INCIDENTS) -> dict[str, list[float]]:
    """Path → milliseconds of each request, read to its end; the first one of each path is left out (templates compile)."""
    with (
        tempfile.TemporaryDirectory(prefix="prodwise-bench-") as folder,
        serving(Path(folder), services, incidents) as (port, cookie),
    ):
        paths = ("/", "/incidents", f"/incidents/{incident_id(incidents // 2)}", "/releases")
        return {path: [_ms(port, path, cookie) for _ in range(times + 1)][1:] for path in paths}


@contextmanager
def serving(folder: Path, services: int, incidents: int) -> Iterator[tuple[int, str]]:
    """(port, session cookie) of a server over a filled store."""
    store = SqlStore(f"sqlite:///{folder}/prodwise.db")
    fill(store, services, incidents)
    listening = tcp_socket("127.0.0.1:0")
    port = int(listening.getsockname()[1])
    server = make_server(create_app(_parts(store, services, f"http://127.0.0.1:{port}")))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])), daemon=True)
    thread.start()
    try:
        until(lambda: bool(server.started), "the server starts")
        yield port, _log_in(store, port)
    finally:
        server.end()
        thread.join(15)
        store.close()


def _parts(store: SqlStore, services: int, url: str) -> ServerParts:
    names = [service_id(number) for number in range(services)]
    config = validate(
        {"version": 1, "name": "large", "services": {name: {"command": "serve"} for name in names}}, "bench"
    )
    target = FakeTarget(TargetSeen(1.0, tuple(_seen(name) for name in names), False, "healer", 1))
    vitals = FakeVitals(well=dict.fromkeys(names, True))
    brakes = FakeBrakes(store.settings, target, store.ledger)
    outside, app = Outside(store, config), "http://127.0.0.1:8000"
    return ServerParts(store, target, FakeControls(), brakes, vitals, config, app, outside, {}, url)


def _seen(name: str) -> ServiceSeen:
    process = ProcessSeen(1.0, name, "a", RELEASE, ProcessState.RUNNING, pid=11)
    return ServiceSeen(name, Switch(SlotName.A, 0.0), (process,), (("a", 9001), ("b", 9002)))


def service_id(number: int) -> str:
    return f"service-{number:04}"


def incident_id(number: int) -> str:
    return f"inc-{number:06}"


def fill(store: SqlStore, services: int, incidents: int, seed: int = 1) -> None:
    """Closed incidents over ninety days, 1 % of them open, with a few ledger entries each."""
    dice, now = random.Random(seed), clock.now()
    rows = [
        _incident(number, service_id(dice.randrange(services)), now - dice.random() * 90 * 86_400, number % 100 == 0)
        for number in range(incidents)
    ]
    with store.database.unit() as session:
        for begin in range(0, len(rows), 1000):
            session.execute(sa.insert(tables.incident), rows[begin : begin + 1000])
        for row in rows:
            for turn in range(ENTRIES_EACH):
                kind = ("incident_opened", "diagnosed", "incident_closed")[turn]
                entry = Entry(
                    0,
                    row["opened_at"] + turn,
                    kind,
                    "prodwise",
                    row["service"],
                    row["id"],
                    row["title"],
                    {"outcome": "healed"},
                )
                append(session, entry)


def _incident(number: int, service: str, at: float, is_open: bool) -> dict[str, Any]:
    symptom = {"kind": "crash", "service": service, "text": f"{service} died with exit code 1", "onset_at": at, "seen_at": at + 0.2,
               "route": "", "release": RELEASE, "severity": 1.0}  # fmt: skip
    return {"id": incident_id(number), "service": service, "symptoms": [symptom], "opened_at": at, "title": symptom["text"],
            "state": "watching" if is_open else "closed", "outcome": None if is_open else "healed",
            "closed_at": None if is_open else at + 40, "users_hit": 0, "requests_failed": 3, "turn": {}}  # fmt: skip


def _log_in(store: SqlStore, port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", f"/login/{store.logins.link()}", headers={"Host": f"localhost:{port}"})
        answer = connection.getresponse()
        cookies = answer.headers.get_all("set-cookie") or []
        return next(one.partition(";")[0] for one in cookies if one.startswith(COOKIE))
    finally:
        connection.close()


def _ms(port: int, path: str, cookie: str) -> float:
    """Raises RuntimeError for anything but a page."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        begun = time.perf_counter()
        connection.request("GET", path, headers={"Host": f"localhost:{port}", "Cookie": cookie})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}")
        return (time.perf_counter() - begun) * 1000
    finally:
        connection.close()
