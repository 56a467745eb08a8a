"""One app, freshly copied, brought up by a healer and put under traffic."""

from __future__ import annotations

import contextlib
import http.client
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

from prodwise import clock
from prodwise.config import load
from prodwise.drill.git import git
from prodwise.drill.healers.base import Event, Healer, Running
from prodwise.drill.scenario import APP_SHOP, Traffic
from prodwise.drill.shop import make_repo
from prodwise.drill.traffic.http import parse_address
from prodwise.drill.traffic.process import TrafficProcess
from prodwise.drill.traffic.records import Sent
from prodwise.model.errors import TargetError

PROBE_S = 30.0


class Stage:
    """A context: the app comes up on entering and is taken down on leaving, whatever happens in between."""

    def __init__(self, app: str, start: str, healer: Healer, keep: bool = False) -> None:
        self._app, self._start, self.healer, self._keep = app, start, healer, keep
        self.folder = Path(tempfile.mkdtemp(prefix="prodwise-drill-"))
        self.app_dir = self.folder / "app"
        self.running = Running("")
        self.traffic: TrafficProcess | None = None
        self.requests: list[Sent] = []
        self.events: list[Event] = []

    def __enter__(self) -> Stage:
        try:
            copy_app(self._app, self._start, self.app_dir)
            (self.folder / "healer").mkdir()
            self.running = self.healer.up(self.app_dir, self.folder / "healer")
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._end(keep=self._keep and error is None)

    def send(self, traffic: Traffic, seconds: float, seed: int) -> TrafficProcess:
        """Waits until the app answers its probe, then begins the traffic. Raises TargetError if it does not answer."""
        self._wait_for(traffic.probe)
        plan = traffic.plan(seconds, seed)
        self.traffic = TrafficProcess(self.running.address, plan, self.folder / "requests.ndjson")
        if traffic.ramp_to is not None:
            self.traffic.ramp(traffic.ramp_to, traffic.ramp_seconds)
        return self.traffic

    def look(self) -> Sequence[Event]:
        """Takes in what happened; returns the healer's new events."""
        if self.traffic is not None:
            self.requests += self.traffic.read()
        new = self.healer.events(self.events[-1].seq if self.events else 0)
        self.events += new
        return new

    def finish(self) -> None:
        """Ends the traffic and takes in the answers that were still due."""
        if self.traffic is not None:
            self.requests += self.traffic.stop()
            self.traffic = None

    def _wait_for(self, probe: str) -> None:
        address = parse_address(self.running.address)
        deadline = clock.monotonic() + PROBE_S
        while not _answers(address.host, address.port, probe):
            if clock.monotonic() > deadline:
                raise TargetError(f"the app does not answer {probe} on {self.running.address}", "check traffic.probe")
            time.sleep(0.05)

    def _end(self, keep: bool = False) -> None:
        self.finish()
        if keep:
            return
        try:
            self.healer.down()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def ended_politely() -> Iterator[None]:
    """SIGTERM takes the stage down as Ctrl-C does, so that nothing is left running."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def copy_app(app: str, start: str, dest: Path) -> None:
    """A copy of its own for one scenario: history, env_file and shared data; nothing of the original is touched."""
    if app == APP_SHOP:
        make_repo(dest)
    else:
        _clone(Path(app), dest)
    if start:
        git(dest, "checkout", "-q", start)


def _clone(source: Path, dest: Path) -> None:
    git(source, "clone", "-q", "--no-hardlinks", str(source), str(dest))
    config = load(source)
    for name in (*config.shared, *([config.env_file] if config.env_file else [])):
        real, copy = source / name, dest / name
        if real.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(real, copy)
        elif real.is_dir():
            shutil.copytree(real, copy, dirs_exist_ok=True)


def _answers(host: str, port: int, probe: str) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", probe)
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
