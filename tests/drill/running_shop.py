"""The shop, really built and really run."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

BOOT_S = 15.0


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def poll(condition: Callable[[], bool], seconds: float = BOOT_S) -> bool:
    """Looks again and again until the condition holds or the time is over."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def get(port: int, path: str) -> tuple[int, str]:
    """(status, body); (0, "") without an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()


@dataclass
class RunningShop:
    """web and payments of one release, without anything in front."""

    source: Path
    bin: Path
    env: dict[str, str]
    web: int = field(default_factory=free_port)
    payments: int = field(default_factory=free_port)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, port: int = 0) -> subprocess.Popen[bytes]:
        env = self.env | {"PORT": str(port), "PAYMENTS_URL": f"http://127.0.0.1:{self.payments}"}
        command = [str(self.bin / "python"), f"{name}.py"]
        self.processes[name] = subprocess.Popen(
            command, cwd=self.source, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        return self.processes[name]

    def boot(self) -> bool:
        """Migrates and starts; says whether web answers."""
        subprocess.run([str(self.bin / "python"), "migrate.py"], cwd=self.source, env=self.env, check=True, timeout=20)
        return self.boot_without_migration()

    def boot_without_migration(self) -> bool:
        self.start("payments", self.payments)
        web = self.start("web", self.web)
        return poll(lambda: get(self.web, "/healthz")[0] == 200 or web.poll() is not None) and web.poll() is None

    def end(self) -> None:
        for process in self.processes.values():
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait(5)
