"""What programs report: where it stands, and how it is read. Needs no healer and no receiver."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from prodwise.config import Config, load
from prodwise.model.errors import ConfigError
from prodwise.model.project import Project
from prodwise.store.engine import Database
from prodwise.store.migrate import REPORTS, migrate
from prodwise.store.reports.archive import SqlReportArchive
from prodwise.store.reports.feed import SqlReportFeed
from prodwise.store.reports.shelves import FILES, Shelves
from prodwise.store.reports.telemetry import SqlTelemetry
from prodwise.targets.local import local_control, signals_file

LISTENING_S = 0.5


def projects(app_dir: Path, config: Config) -> tuple[Project, ...]:
    """Those that have a DSN already, by the configuration as it is now (`config` while it cannot be used); none before `up`."""
    with contextlib.suppress(ConfigError):
        config = load(app_dir)
    return signals_file.projects(config, signals_file.read(local_control.layout_of(app_dir)))


def address(app_dir: Path) -> str:
    """host:port where receivers listen; "" before the first `up`."""
    return signals_file.read(local_control.layout_of(app_dir)).address


def listening(app_dir: Path) -> bool:
    """Whether a receiver is there now."""
    host, _, port = address(app_dir).rpartition(":")
    with (
        contextlib.suppress(OSError, ValueError),
        socket.create_connection((host or "127.0.0.1", int(port)), LISTENING_S),
    ):
        return True
    return False


def shelves(app_dir: Path) -> Shelves:
    url = os.environ.get("PRODWISE_DATABASE_URL", "")
    return Shelves(local_control.layout_of(app_dir).state, "" if url.startswith("sqlite") else url)


def feed(app_dir: Path, config: Config, position: Mapping[str, Any] | None) -> SqlReportFeed:
    """position: what an earlier feed's `position()` gave; None begins with what comes in from now on."""
    return SqlReportFeed(shelves(app_dir), partial(projects, app_dir, config), position)


def archive(app_dir: Path) -> SqlReportArchive:
    return SqlReportArchive(shelves(app_dir))


def telemetry(app_dir: Path) -> SqlTelemetry:
    return SqlTelemetry(shelves(app_dir))


def prepare(app_dir: Path, config: Config) -> None:
    """Makes the tables before receivers start: one process does, and they need not know how. Raises StoreError."""
    for place in dict.fromkeys(url(app_dir, number) for number in range(config.signals.receivers)):
        database = Database(place)
        try:
            migrate(database, REPORTS)
        finally:
            database.close()


def url(app_dir: Path, receiver: int) -> str:
    """Where one receiver writes."""
    one = os.environ.get("PRODWISE_DATABASE_URL", "")
    if one and not one.startswith("sqlite"):
        return one
    return f"sqlite:///{local_control.layout_of(app_dir).state / FILES.format(receiver)}"
