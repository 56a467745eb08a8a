"""Receivers without an app: real processes on a folder of their own, for tests and for measuring."""

from __future__ import annotations

import http.client
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from prodwise.clock import monotonic
from prodwise.config import Config, load
from prodwise.model.digest import Heard
from prodwise.model.project import Project
from prodwise.store.reports.archive import SqlReportArchive
from prodwise.targets.local import local_control, signals_file
from prodwise.targets.local.free_ports import FreePorts
from prodwise.wiring import reports

PATIENCE_S = 30.0


@dataclass
class Receivers:
    """`stop` and `start` one by its number; what they stored is read with `archive` and `heard`."""

    folder: Path
    config: Config
    address: str
    projects: tuple[Project, ...]
    processes: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    @property
    def project(self) -> Project:
        return self.projects[0]

    @property
    def dsn(self) -> str:
        return self.project.dsn(self.address)

    @property
    def archive(self) -> SqlReportArchive:
        return reports.archive(self.folder)

    def heard(self) -> list[Heard]:
        """All that detectors would have got, from the beginning."""
        feed, found = reports.feed(self.folder, self.config, {}), list[Heard]()
        while piece := feed.read():
            found += piece
        return found

    def start(self, number: int) -> None:
        """Returns when it answers."""
        log = self.log(number).open("ab")
        argv = [sys.executable, "-m", "prodwise", "receive", str(number), "--dir", str(self.folder)]
        self.processes[number] = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        deadline = monotonic() + PATIENCE_S
        while not self._is_listening(self.processes[number].pid):
            if self.processes[number].poll() is not None or monotonic() > deadline:
                raise AssertionError(f"receiver {number} does not come up:\n{self.log(number).read_text()[-2000:]}")
            time.sleep(0.02)

    def stop(self, number: int, how: signal.Signals = signal.SIGTERM) -> None:
        process = self.processes.pop(number)
        process.send_signal(how)
        process.wait(20)

    def log(self, number: int) -> Path:
        return self.folder / ".prodwise" / "log" / f"receiver-{number}.log"

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
        """(status, body, headers in lower case) of one request over a new connection."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            link.request("POST", path, body, headers)
            answer = link.getresponse()
            return answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()}
        finally:
            link.close()

    def _is_listening(self, pid: int) -> bool:
        import psutil

        found = psutil.Process(pid).net_connections("tcp") if psutil.pid_exists(pid) else []
        return any(one.status == psutil.CONN_LISTEN for one in found)


@contextmanager
def receivers(folder: Path, count: int = 1, settings: str = "") -> Iterator[Receivers]:
    """settings: lines for [signals] and what follows it, in a configuration whose only service never runs."""
    folder.mkdir(parents=True, exist_ok=True)
    with FreePorts() as free:
        address = f"127.0.0.1:{free.take()}"
    text = f'version = 1\nname = "shop"\n[services.web]\ncommand = "true"\n[signals]\naddress = "{address}"\n'
    (folder / "prodwise.toml").write_text(f"{text}receivers = {count}\n{settings}\n")
    layout, config = local_control.layout_of(folder), load(folder)
    layout.make()
    given = signals_file.settle(layout, config, address)
    made = Receivers(folder, config, address, signals_file.projects(config, given))
    try:
        for number in range(count):
            made.start(number)
        yield made
    finally:
        for number in list(made.processes):
            made.stop(number, signal.SIGKILL)
