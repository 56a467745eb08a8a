"""What one app's healer is made of."""

from __future__ import annotations

import asyncio
import importlib
import os
import socket
import sqlite3
import sys
import threading
import time
import traceback
import uuid
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import OperationalError

from prodwise.clock import now
from prodwise.config import Config
from prodwise.heal.durable import Durable, leave
from prodwise.heal.hands import AUTOMATION
from prodwise.heal.intake import POSITION
from prodwise.heal.parts import Parts, ReportsIn
from prodwise.heal.worker import Healer
from prodwise.model.errors import ConfigError, ProdwiseError
from prodwise.model.service import Service
from prodwise.model.target import TargetSeen
from prodwise.notify.command import CommandNotifier
from prodwise.server.app import create_app
from prodwise.server.parts import Reporting, ServerParts
from prodwise.server.serving import Server, local_socket, make_server, tcp_socket
from prodwise.signals.access_log import AccessLog
from prodwise.signals.asks import ProbeTarget
from prodwise.signals.handshakes import TlsHandshakes
from prodwise.signals.probes import ProbeRunner
from prodwise.signals.replay import Replay
from prodwise.store.engine import bounded
from prodwise.store.sql import SqlStore
from prodwise.targets.local import local_control, procs
from prodwise.targets.local.compare import LocalCompare
from prodwise.targets.local.gauges import LocalGauges
from prodwise.targets.local.history import GitHistory
from prodwise.targets.local.journal import Journal
from prodwise.targets.local.layout import Layout, keep
from prodwise.targets.local.migrations import LocalMigrations
from prodwise.targets.local.records import read_places
from prodwise.targets.local.rpc import all_in_flight
from prodwise.targets.local.stop_file import StopFile
from prodwise.targets.local.target import LocalTarget
from prodwise.targets.local.tokens import LocalTokens
from prodwise.targets.local.wellness import asks
from prodwise.targets.local.words import LocalWords
from prodwise.wiring import reports
from prodwise.wiring.config import last_kept, last_usable, note_difference
from prodwise.wiring.records import open_store
from prodwise.wiring.ways import hooks

if TYPE_CHECKING:
    from prodwise.heal.fixes import Fixing

EXIT_BEGIN = 78
COMING_UP_LOOK_S = 0.05
ROOM_LOOK_S = 2.0
BEGAN = "heartbeat:healer"
"""Setting: when the healer last could write, Unix seconds."""


def healer(app_dir: Path, config: Config, store: SqlStore, address: str) -> Healer:
    """Everything one app's healer is made of, not yet started."""
    where = local_control.layout_of(app_dir)
    target = LocalTarget(app_dir.resolve(), config)
    inventory = {service.id: service for service in config.inventory()}
    prober = ProbeRunner(lambda seen: probe_targets(seen, inventory, where))
    prober.start()
    requests = AccessLog(where.access_log, store.settings.get(POSITION))
    parts = Parts(
        config=config,
        app_dir=app_dir.resolve(),
        address=address,
        records=store,
        target=target,
        requests=requests,
        prober=prober,
        replayer=Replay(),
        notifier=CommandNotifier(config.notify_command),
        waiting=lambda: waiting(where),
        reporting=_reporting(app_dir, config) if config.signals.receivers else None,
        telemetry=reports.telemetry(app_dir) if config.signals.receivers else None,
        migrations=LocalMigrations(app_dir),
        compares=LocalCompare(app_dir),
        gauges=LocalGauges(app_dir.resolve()),
        history=GitHistory(app_dir.resolve()),
        words=LocalWords(app_dir.resolve()),
        handshakes=TlsHandshakes(),
        tokens=LocalTokens(app_dir.resolve() / config.env_file) if config.env_file else None,
    )
    executor = f"healer:{os.getpid()}:{uuid.uuid4().hex[:8]}"
    database = store.database
    durable = Durable(database.engine, database.within, dbos_url(where, database.url), executor)
    return Healer(parts, durable, StopFile(app_dir), Journal(where), executor, _fixing(app_dir, config))


def _fixing(app_dir: Path, config: Config) -> Fixing | None:
    """None where no person has said, by a [forge], where fixes may go. What they take is imported for those that have."""
    if not config.proposes:
        return None
    from prodwise.wiring import mending

    return mending.fixing(app_dir, config)


def _reporting(app_dir: Path, config: Config) -> ReportsIn:
    return ReportsIn(
        feed=partial(reports.feed, app_dir, config),
        archive=reports.archive(app_dir),
        projects=partial(reports.projects, app_dir, config),
    )


def waiting(where: Layout) -> dict[str, int]:
    """Service → requests that the proxy has open to its slots; empty when that is not known."""
    places, found = read_places(where), all_in_flight(where.socket("caddy-admin"), timeout_s=0.5)
    if places is None or found is None:
        return {}
    return {
        place.service: sum(found.get(f"127.0.0.1:{port}", 0) for port in (place.a, place.b))
        for place in places.places
        if place.web
    }


def dbos_url(where: Layout, url: str) -> str:
    """DBOS keeps its own tables: beside ours on PostgreSQL, in a file of its own on SQLite (in WAL mode before it opens it)."""
    if not url.startswith("sqlite"):
        return bounded(url)
    path = where.state / "dbos.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    return f"sqlite:///{path}"


def probe_targets(seen: TargetSeen, inventory: dict[str, Service], where: Layout) -> list[ProbeTarget]:
    """Every running slot of a service that declares (or implies) a probe, but those whose command cannot be told what its service
    was told: of them nothing is known."""
    found = list[ProbeTarget]()
    for at in seen.services:
        service = inventory.get(at.service)
        for process in at.slots:
            if service is None or service.probe is None or not process.pid:
                continue
            port = at.port(process.slot)
            told = asks(where, service, process.release, port)
            if not isinstance(told, str):
                env = tuple(sorted(told.env.items()))
                found.append(
                    ProbeTarget(
                        at.service, process.slot, process.release, port, service.probe, told.cwd, told.user, env
                    )
                )
    return found


def serve(app_dir: Path) -> None:
    """The healer's process: pages and API at once, the stories as soon as the target is seen. Returns when told to end."""
    where, store = local_control.layout_of(app_dir), open_store(app_dir)
    before = last_kept(where.healer_settings)
    config, wrong = last_usable(app_dir, where.healer_settings)
    note_difference(store.ledger, before, config)
    if wrong:
        store.ledger.append("config", wrong, actor="prodwise")
    places = read_places(where)
    address = f"http://{places.address}" if places else ""
    dashboard, url = dashboard_socket(config.dashboard, where.dashboard)
    made = healer(app_dir, config, store, address)
    projects = partial(reports.projects, app_dir, config)
    listening = partial(reports.listening, app_dir)
    told = reports.telemetry(app_dir)
    heard = Reporting(reports.archive(app_dir), projects, reports.address(app_dir), listening, told)
    ways, controls = hooks(config, app_dir.resolve(), where.state / "secrets"), made.controls
    app = create_app(
        ServerParts(store, made.parts.target, controls, controls, made.intake.vitals, config, address,
                    made.outside, ways, url, heard, made.parts.migrations)
    )  # fmt: skip
    server = make_server(app)
    threading.Thread(target=_begin, args=(made, where, server), name="begin", daemon=True).start()
    asyncio.run(server.serve(sockets=[dashboard, local_socket(where.socket("api"))]))
    made.stop()
    store.close()


def dashboard_socket(address: str, remembered: Path) -> tuple[socket.socket, str]:
    """Listens for browsers. Port 0 means the one that the file `remembered` holds, else a free one, kept there.

    A taken port is replaced by a free one: pages that moved are better than a healer that does not start.
    Returns the socket and the pages' URL.
    """
    host, _, port = address.rpartition(":")
    kept = remembered.read_text().rpartition(":")[2].strip() if remembered.exists() else ""
    try:
        made = tcp_socket(f"{host}:{kept if port == '0' and kept else port}")
    except ConfigError:
        made = tcp_socket(f"{host}:0")
    url = f"http://{host}:{made.getsockname()[1]}"
    keep(remembered, url)
    return made, url


def _has_room(made: Healer) -> bool:
    """Whether what is done could be written down. On a full disk pages are shown, and nothing is begun."""
    try:
        made.parts.records.settings.put(BEGAN, now(), AUTOMATION)
    except OperationalError as error:
        print(f"prodwise: waiting: nothing can be written down: {error.orig}", file=sys.stderr, flush=True)
        return False
    return True


def _begin(made: Healer, where: Layout, server: Server) -> None:
    """A healer that cannot begin ends its process with the reason: its supervisor tries again."""
    server.listens.wait()
    importlib.import_module("dbos")  # takes a second, which pages need not wait for
    while procs.read_pid(where.coming_up).alive:
        time.sleep(COMING_UP_LOOK_S)
    while not _has_room(made):
        time.sleep(ROOM_LOOK_S)
    try:
        made.start()
    except ProdwiseError as error:
        leave(EXIT_BEGIN, f"{error.message} {error.hint}".strip())
    except Exception:  # noqa: BLE001 — one that serves pages and heals nothing would look alive
        traceback.print_exc()
        leave(EXIT_BEGIN, "the healer could not begin")
