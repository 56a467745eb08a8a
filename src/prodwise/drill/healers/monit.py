"""Debian's monit with its default cycle of two minutes."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import psutil

from prodwise.drill.healers.bare import BareApp, Command, write_script
from prodwise.drill.healers.base import Event, NotRun, Running
from prodwise.drill.healers.restarts import RestartLog

CYCLE_S = 120  # Debian's /etc/monit/monitrc: `set daemon 120`
APT_TIMEOUT_S = 180
START_TIMEOUT_S = 10


def binary() -> str:
    """Path of monit, installed from Debian if we are root. Raises NotRun."""
    found = shutil.which("monit", path=f"{os.environ.get('PATH', '')}:/usr/bin:/usr/sbin")
    if found:
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "monit"]
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(command, env=env, capture_output=True, timeout=APT_TIMEOUT_S, check=False)
    found = shutil.which("monit", path="/usr/bin:/usr/sbin")
    if not found:
        raise NotRun("monit is not installed on this machine", "apt-get install monit")
    return found


class Monit:
    """Each service by its pid file, web services also by their probe."""

    name = "monit"

    def __init__(self) -> None:
        self._app: BareApp | None = None
        self._daemon: subprocess.Popen[bytes] | None = None
        self._restarts = RestartLog("monit")
        self._work = Path()

    def up(self, app_dir: Path, work: Path) -> Running:
        monit = binary()
        self._app, self._work = BareApp(app_dir, work), work
        self._app.install("HEAD")
        self._start(self._app, monit)
        return Running(self._app.web_address())

    def deploy(self, ref: str) -> None:
        assert self._app is not None
        self._stop()
        self._app.install(ref)
        self._restarts.forget()
        self._start(self._app, binary())

    def pids(self, service: str) -> list[int]:
        try:
            pid = int((self._work / f"{service}.pid").read_text())
            alive = psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        except (OSError, ValueError, psutil.Error):
            return []
        return [pid] if alive else []

    def events(self, after: int) -> Sequence[Event]:
        for service in self._app.ports if self._app else ():
            self._restarts.look(service, self.pids(service))
        return self._restarts.after(after)

    def settled(self) -> bool:
        return True

    def down(self) -> None:
        self._stop()

    def _start(self, app: BareApp, monit: str) -> None:
        commands = app.commands()
        for command in commands:  # as Monit does it: a child of ours would stay a zombie, and Monit take it for alive
            subprocess.run(["/bin/sh", "-c", begin(command, self._work)], check=True, timeout=START_TIMEOUT_S)
        config = self._work / "monitrc"
        config.write_text(render(commands, self._work))
        config.chmod(0o600)
        self._daemon = subprocess.Popen(
            [monit, "-I", "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def _stop(self) -> None:
        if self._daemon is not None:
            self._daemon.kill()
            self._daemon.wait(10)
            self._daemon = None
        for service in self._app.ports if self._app else ():
            for pid in self.pids(service):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)


def begin(command: Command, work: Path) -> str:
    """The shell line that starts a service and notes its pid."""
    script, pid_file = write_script(command, work), work / f"{command.service}.pid"
    return f"setsid {script} >>{command.log} 2>&1 </dev/null & echo $! >{pid_file}"


def render(commands: Sequence[Command], work: Path) -> str:
    """monitrc for these services."""
    parts = [f"set daemon {CYCLE_S}"]
    parts += [f"set {name}file {work}/monit.{name}" for name in ("id", "state", "pid")]
    for command in commands:
        pid_file = work / f"{command.service}.pid"
        parts.append(f'check process {command.service} with pidfile "{pid_file}"')
        parts.append(f"  start program = \"/bin/sh -c '{begin(command, work)}'\"")
        parts.append(f"  stop program = \"/bin/sh -c 'kill -9 $(cat {pid_file})'\"")
        if command.probe:
            parts.append(f'  if failed port {command.port} protocol http request "{command.probe}" then restart')
    return "\n".join(parts) + "\n"
