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
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType

from prodwise import clock
from prodwise.config import load
from prodwise.drill.clone import copy_app
from prodwise.drill.healers.base import Event, Healer, Running
from prodwise.drill.scenario import Traffic
from prodwise.drill.traffic.http import parse_address
from prodwise.drill.traffic.process import TrafficProcess
from prodwise.drill.traffic.records import Sent
from prodwise.model.errors import TargetError

PROBE_S = 30.0


class Stage:
    """A context: the app comes up on entering and is taken down on leaving, whatever happens in between."""

    def __init__(self, app: str, start: str, healer: Healer, keep: bool = False,
                 prepare: Callable[[Path], None] = lambda app_dir: None) -> None:  # fmt: skip
        """prepare: what is done to the copy before it comes up."""
        self._app, self._start, self.healer, self._keep, self._prepare = app, start, healer, keep, prepare
        self.folder = Path(tempfile.mkdtemp(prefix="prodwise-drill-"))
        self.app_dir = self.folder / "app"
        self.running = Running("")
        self.traffic: TrafficProcess | None = None
        self.requests: list[Sent] = []
        self.events: list[Event] = []

    def __enter__(self) -> Stage:
        try:
            copy_app(self._app, self._start, self.app_dir)
            self._prepare(self.app_dir)
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

    def send(self, traffic: Traffic, seconds: float, seed: int) -> TrafficProcess | None:
        """Waits until the app answers its probe, then begins the traffic; an app of workers only gets none, and is waited for
        until all of them run. Raises TargetError if it does not come up."""
        config = load(self.app_dir)
        if not config.web:
            self._wait_until(lambda: all(self.healer.pids(name) for name in config.services), "not all workers run")
            return None
        address = parse_address(self.running.address)
        silent = f"the app does not answer {traffic.probe} on {self.running.address} with less than 500"
        self._wait_until(lambda: _answers(address.host, address.port, traffic.probe), silent)
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

    def _wait_until(self, ready: Callable[[], bool], otherwise: str) -> None:
        deadline = clock.monotonic() + PROBE_S
        while not ready():
            if clock.monotonic() > deadline:
                raise TargetError(f"{otherwise} after {PROBE_S:g} s", "check the app's commands and traffic.probe")
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


def _answers(host: str, port: int, probe: str) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", probe)
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
