"""What the stories are handed by the composition root."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from prodwise.config import Config
from prodwise.loop import moves
from prodwise.model.project import Project
from prodwise.model.service import Service
from prodwise.ports import (
    Compares,
    Gauges,
    Handshakes,
    History,
    LastWords,
    Migrations,
    Notifier,
    Prober,
    Records,
    Replayer,
    ReportArchive,
    ReportFeed,
    RequestLog,
    Target,
    Telemetry,
    Tokens,
)


@dataclass(frozen=True)
class ReportsIn:
    """What programs report. feed: from a position on, None for what comes from now on; projects: as they are now."""

    feed: Callable[[Mapping[str, Any] | None], ReportFeed]
    archive: ReportArchive
    projects: Callable[[], Sequence[Project]]


@dataclass(frozen=True)
class Parts:
    """Ports only; no story knows a concrete class. address: where users reach the app, as a URL."""

    config: Config
    app_dir: Path
    address: str
    records: Records
    target: Target
    requests: RequestLog
    prober: Prober
    replayer: Replayer
    notifier: Notifier
    waiting: Callable[[], Mapping[str, int]] = dict
    """Service → requests that wait for its answer now; a service that is left out is unknown."""
    reporting: ReportsIn | None = None
    telemetry: Telemetry | None = None
    """None where no program can report."""
    migrations: Migrations | None = None
    """None where it cannot be told what releases did to the data: unknown, so that a person is asked."""
    compares: Compares | None = None
    """None where it cannot be told what a release brought."""

    gauges: Gauges | None = None
    """None where it cannot be told what processes and the machine use up."""
    history: History | None = None
    """None where no commit can be asked about."""
    words: LastWords | None = None
    """None where it cannot be told what processes wrote."""
    handshakes: Handshakes | None = None
    """None where no certificate can be looked at."""
    tokens: Tokens | None = None
    """None where no token can be asked until when it is valid."""

    @cached_property
    def inventory(self) -> tuple[Service, ...]:
        """Every service, as declared."""
        return self.config.inventory()

    @cached_property
    def shipped(self) -> tuple[Service, ...]:
        """Services that a release replaces: all but those that stand for something outside our control."""
        return tuple(service for service in self.inventory if not service.upstream)

    def serving(self) -> str:
        """The release that stable users reach now."""
        return moves.serving(self.shipped, self.target.observe())
