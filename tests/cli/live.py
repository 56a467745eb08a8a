"""An app that is really up, with its healer, for the command to be tried on."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prodwise.cli.client import Client
from prodwise.targets.local import end_all, local_control
from prodwise.testing import apps
from tests.cli.conftest import Said, Terminal

SETTINGS = """\
version = 1
address = "127.0.0.1:0"
dashboard = "127.0.0.1:0"
shared = ["beats"]

[ramp]
shares = [50, 100]
watch_seconds = 5

[services.web]
command = "python3 web.py"
probe = "/healthz"
start_seconds = 2
drain_seconds = 1

[services.worker]
kind = "worker"
command = "python3 worker.py"
start_seconds = 2
"""


@dataclass
class Live:
    """The app's folder, and the command in it."""

    dir: Path

    def __post_init__(self) -> None:
        self.terminal = Terminal(self.dir)
        self.layout = local_control.layout_of(self.dir)
        self.api = Client(self.layout.socket("api"), self.dir, 15.0)

    @property
    def address(self) -> str:
        return local_control.status_offline(self.dir).address

    def run(self, *arguments: str) -> Said:
        return self.terminal.run(*arguments)

    def deploy(self, variant: str = apps.GOOD, files: Mapping[str, str] | None = None) -> Said:
        """Commits the app as this variant and follows its deployment; the commit is taken back afterwards."""
        apps.commit(self.dir, variant, files)
        try:
            return self.run("deploy", "--timeout", "60")
        finally:
            apps.git(self.dir, "reset", "-q", "--hard", "HEAD~1")

    def serving(self) -> dict[str, Any]:
        return dict(self.api.get("releases")["serving"])

    def state(self) -> tuple[str, dict[str, Any], dict[str, list[int]]]:
        """(what users are told, releases that they reach, processes of each service)."""
        seen = self.api.get("target")["services"]
        pids = {str(at["service"]): [int(slot["pid"]) for slot in at["slots"] if slot["pid"]] for at in seen}
        return apps.get(self.address, "/pid").text, self.serving(), pids

    @contextlib.contextmanager
    def untouched(self) -> Iterator[None]:
        """Users' process, the worker and the release that serves are the same after the block, and nothing else is left."""
        before = self.state()
        yield
        apps.until(lambda: self.state() == before, 10, f"the app as it was before: {before}")

    def rollout(self, release: str) -> Mapping[str, Any]:
        found: dict[str, Any] = next(r for r in self.api.get("rollouts")["rollouts"] if r["release"] == release)
        return found

    def left(self) -> list[int]:
        """Processes of the app that run."""
        return end_all.strays_of(self.layout) + [pid for pid in [end_all.supervisor_of(self.layout)] if pid]


def begin(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """The command in a session of its own, as a terminal starts it: Ctrl-C is heard."""
    terminal = Terminal(folder)
    return subprocess.Popen(
        terminal.command(*arguments), cwd=folder, env=terminal.environment() | {"PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
