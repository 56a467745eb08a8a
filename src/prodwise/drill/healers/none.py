"""Nobody heals: bare processes, as a floor to compare with."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from prodwise.drill.healers.bare import BareApp, start
from prodwise.drill.healers.base import Event, Running


class Nobody:
    """Starts the services once and never looks again; a deploy stops them and starts the new release."""

    name = "none"

    def __init__(self) -> None:
        self._app: BareApp | None = None
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def up(self, app_dir: Path, work: Path) -> Running:
        self._app = BareApp(app_dir, work)
        self._app.install("HEAD")
        self._start_all(self._app)
        return Running(self._app.web_address())

    def deploy(self, ref: str) -> None:
        assert self._app is not None
        self._stop_all()
        self._app.install(ref)
        self._start_all(self._app)

    def pids(self, service: str) -> list[int]:
        process = self._processes.get(service)
        return [process.pid] if process is not None and process.poll() is None else []

    def events(self, after: int) -> Sequence[Event]:
        return ()

    def settled(self) -> bool:
        return True

    def down(self) -> None:
        self._stop_all()

    def _start_all(self, app: BareApp) -> None:
        self._processes = {command.service: start(command) for command in app.commands()}

    def _stop_all(self) -> None:
        for process in self._processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
        self._processes = {}
