"""What the server is made of: ports, handed to it by whoever wires it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from prodwise import ports
from prodwise.config import Config
from prodwise.model.project import Project


@dataclass(frozen=True, slots=True)
class Reporting:
    """What programs report. projects: as they are now; address: host:port where they report; listening: whether a receiver is
    there now."""

    archive: ports.ReportArchive
    projects: Callable[[], tuple[Project, ...]]
    address: str
    listening: Callable[[], bool]
    telemetry: ports.Telemetry


@dataclass(frozen=True, slots=True)
class ServerParts:
    """hooks: the ways in that are open, by name; address: URL where users reach the app.

    dashboard: URL of these pages ("" = derived from the configuration); reporting: None where no program can report;
    migrations: None where it cannot be told what releases did to the data.
    """

    records: ports.Records
    observes: ports.Observes
    controls: ports.Controls
    brakes: ports.Brakes
    vitals: ports.Vitals
    config: Config
    address: str
    outsiders: ports.Outsiders
    hooks: Mapping[str, ports.Hook]
    dashboard: str = ""
    reporting: Reporting | None = None
    migrations: ports.Migrations | None = None

    @property
    def dashboard_url(self) -> str:
        """Without a trailing slash. Loopback is named `localhost`: cookies ignore ports, and the app lives on 127.0.0.1."""
        url = self.dashboard or f"http://{self.config.dashboard}"
        return url.rstrip("/").replace("//127.0.0.1:", "//localhost:", 1)
