"""Bugsink, the peer that receives what Sentry SDKs send: installed into an environment of its own, and run as it recommends."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.running import Tell, until
from prodwise.model.errors import TargetError
from prodwise.targets.local.free_ports import FreePorts

INSTALL_S = 300
WORKERS = 4
_UNLIMITED = """
for _name in ("MAX_EVENTS_PER_PROJECT_PER_5_MINUTES", "MAX_EVENTS_PER_PROJECT_PER_HOUR", "MAX_EVENTS_PER_PROJECT_PER_MONTH",
              "MAX_EVENTS_PER_5_MINUTES", "MAX_EVENTS_PER_HOUR", "MAX_EVENTS_PER_MONTH", "MAX_RETENTION_PER_PROJECT_EVENT_COUNT"):
    BUGSINK[_name] = 10**9
"""
_PROJECT = """
from projects.models import Project
made = Project.objects.create(name="bench", retention_max_event_count=10**6)
print("made", made.id, made.sentry_key.hex)
"""


@dataclass(frozen=True, slots=True)
class Bugsink:
    """A running one. path: where its project's envelopes go."""

    port: int
    path: str
    key: str
    version: str
    database: Path

    def digested(self) -> int:
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=30)) as link:
            return int(link.execute("SELECT count(*) FROM events_event").fetchone()[0])


@contextlib.contextmanager
def bugsink(tell: Tell) -> Iterator[Bugsink]:
    """Raises TargetError where it cannot be installed or does not come up; nothing of it is left afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="prodwise-bench-bugsink-"))
    started: list[subprocess.Popen[bytes]] = []
    try:
        tell("ingest: installing Bugsink into an environment of its own")
        _call([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], folder)
        uv = Path(sys.executable).parent / "uv"
        python = str(folder / "venv" / "bin" / "python")
        _call([str(uv), "pip", "install", "--quiet", "--python", python, "bugsink"], folder)
        with FreePorts() as free:
            port = free.take()
        made = _set_up(folder, port)
        for argv in (
            [
                "gunicorn",
                "--bind",
                f"127.0.0.1:{port}",
                "--workers",
                str(WORKERS),
                "--log-level",
                "error",
                "bugsink.wsgi",
            ],
            ["bugsink-runsnappea"],
        ):
            started.append(_start(folder, argv))
        until(lambda: _listens(port), "Bugsink answers")
        yield made
    finally:
        for process in started:
            process.terminate()
        for process in started:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _set_up(folder: Path, port: int) -> Bugsink:
    options = ["--template", "singleserver", "--host", "127.0.0.1", "--port", str(port), "--base-dir", str(folder)]
    _tool(folder, "bugsink-create-conf", *options, "-o", "bugsink_conf.py")
    with (folder / "bugsink_conf.py").open("a") as file:
        file.write(f'{_UNLIMITED}ALLOWED_HOSTS = ["*"]\n')
    (folder / "snappea" / "wakeup").mkdir(parents=True)
    _tool(folder, "bugsink-manage", "migrate")
    _tool(folder, "bugsink-manage", "migrate", "--database=snappea")
    said = _tool(folder, "bugsink-manage", "shell", "-c", _PROJECT)
    number, key = next(line.split()[1:] for line in said.splitlines() if line.startswith("made "))
    version = _tool(folder, "bugsink-show-version").strip()
    return Bugsink(port, f"/api/{number}/envelope/", key, version, folder / "db.sqlite3")


def _environment(folder: Path) -> dict[str, str]:
    return {
        "PATH": f"{folder / 'venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(folder),
        "HOME": str(folder),
    }


def _tool(folder: Path, name: str, *arguments: str) -> str:
    return _call([str(folder / "venv" / "bin" / name), *arguments], folder, _environment(folder))


def _call(argv: list[str], folder: Path, env: dict[str, str] | None = None) -> str:
    try:
        done = subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise TargetError(f"Bugsink cannot be set up: {error}") from None
    if done.returncode != 0:
        raise TargetError(f"Bugsink cannot be set up: {Path(argv[0]).name} says {done.stderr.strip()[-300:]}")
    return done.stdout


def _start(folder: Path, argv: list[str]) -> subprocess.Popen[bytes]:
    log = (folder / "log").open("ab")
    command = [str(folder / "venv" / "bin" / argv[0]), *argv[1:]]
    return subprocess.Popen(
        command, cwd=folder, env=_environment(folder), stdin=subprocess.DEVNULL, stdout=log, stderr=log
    )


def _listens(port: int) -> bool:
    with socket.socket() as link:
        return link.connect_ex(("127.0.0.1", port)) == 0
