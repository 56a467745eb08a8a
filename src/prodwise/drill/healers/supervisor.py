"""Stock supervisord with autorestart: what many teams run."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Sequence
from pathlib import Path

from supervisor.xmlrpc import SupervisorTransport  # type: ignore[import-untyped]

from prodwise import clock
from prodwise.drill.healers.bare import BareApp, Command, write_script
from prodwise.drill.healers.base import Event, Running
from prodwise.drill.healers.restarts import RestartLog
from prodwise.model.errors import TargetError

UP_S = 15.0
DOWN_S = 15.0


class Supervisor:
    """supervisord's defaults, plus `autorestart=true`."""

    name = "supervisor"

    def __init__(self) -> None:
        self._app: BareApp | None = None
        self._daemon: subprocess.Popen[bytes] | None = None
        self._restarts = RestartLog("supervisor")
        self._run = Path()

    def up(self, app_dir: Path, work: Path) -> Running:
        self._app = BareApp(app_dir, work)
        self._app.install("HEAD")
        self._run = Path(tempfile.mkdtemp(prefix="pw-drill-"))  # a socket's path may not be long
        self._start(self._app)
        return Running(self._app.web_address())

    def deploy(self, ref: str) -> None:
        assert self._app is not None
        self._stop()
        self._app.install(ref)
        self._restarts.forget()
        self._start(self._app)

    def pids(self, service: str) -> list[int]:
        try:
            found = self._call().supervisor.getProcessInfo(service)
        except (OSError, xmlrpc.client.Error):
            return []
        return [int(found["pid"])] if isinstance(found, dict) and found["pid"] else []

    def events(self, after: int) -> Sequence[Event]:
        for service in self._app.ports if self._app else ():
            self._restarts.look(service, self.pids(service))
        return self._restarts.after(after)

    def settled(self) -> bool:
        return True

    def down(self) -> None:
        self._stop()
        if self._run != Path():
            shutil.rmtree(self._run, ignore_errors=True)

    def _start(self, app: BareApp) -> None:
        config = self._run / "supervisord.conf"
        config.write_text(render(app.commands(), self._run))
        command = [sys.executable, "-m", "supervisor.supervisord", "-n", "-s", "-c", str(config)]
        self._daemon = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = clock.monotonic() + UP_S
        while not self._answers():
            if clock.monotonic() > deadline or self._daemon.poll() is not None:
                raise TargetError("supervisord did not come up", f"see {self._run}/supervisord.log")
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            return bool(self._call().supervisor.getPID())
        except (OSError, xmlrpc.client.Error):
            return False

    def _stop(self) -> None:
        if self._daemon is None:
            return
        with contextlib.suppress(OSError, xmlrpc.client.Error):
            self._call().supervisor.signalAllProcesses("CONT")
            self._call().supervisor.shutdown()
        try:
            self._daemon.wait(DOWN_S)
        except subprocess.TimeoutExpired:
            self._daemon.kill()
            self._daemon.wait(5)
        self._daemon = None

    def _call(self) -> xmlrpc.client.ServerProxy:
        """A new proxy each time: one whose first call failed stays broken."""
        transport = SupervisorTransport(None, None, f"unix://{self._run}/supervisor.sock")
        return xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)


def render(commands: Sequence[Command], run: Path) -> str:
    """supervisord.conf for these services."""
    parts = [
        f"[unix_http_server]\nfile={run}/supervisor.sock\nchmod=0700\n",
        f"[supervisord]\nlogfile={run}/supervisord.log\npidfile={run}/supervisord.pid\n",
        "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n",
    ]
    for command in commands:
        script = write_script(command, run)
        parts.append(
            f"[program:{command.service}]\ncommand={script}\nautorestart=true\nredirect_stderr=true\n"
            f"stdout_logfile={str(command.log).replace('%', '%%')}\n"
        )
    return "\n".join(parts)
