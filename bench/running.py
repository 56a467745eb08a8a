"""What the parts share: the demo shop under Prodwise, timing, and requests to it."""

from __future__ import annotations

import contextlib
import http.client
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from prodwise import wiring
from prodwise.drill.clone import copy_app
from prodwise.drill.healers.base import Running, make_healer

Tell = Callable[[str], None]
PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Shop:
    """The demo shop, run by Prodwise. up_s: from `prodwise up` to the first page of the dashboard, the build included."""

    app_dir: Path
    running: Running
    up_s: float

    @property
    def proxy_port(self) -> int:
        return int(self.running.address.rpartition(":")[2])

    def web_port(self) -> int:
        """Where the process that serves users listens itself, behind the proxy."""
        seen = wiring.status_offline(self.app_dir).seen
        web = seen.service("web") if seen else None
        assert web is not None, "the guard does not see the shop"
        assert web.active is not None
        return web.port(web.active)


@contextlib.contextmanager
def shop(prefix: str = "prodwise-bench-") -> Iterator[Shop]:
    """Comes up on entering; nothing of it is left afterwards."""
    folder, healer = Path(tempfile.mkdtemp(prefix=prefix)), make_healer("prodwise")
    try:
        copy_app("shop", "", folder / "app")
        begun = time.perf_counter()
        running = healer.up(folder / "app", folder)
        dashboard = running.dashboard.removeprefix("http://").partition("/")
        until(lambda: status(port_of(dashboard[0]), "/" + dashboard[2]) == 200, "the dashboard answers")
        yield Shop(folder / "app", running, time.perf_counter() - begun)
    finally:
        try:
            healer.down()
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


def status(port: int, path: str, timeout_s: float = 10.0) -> int:
    """The status of one GET over a new connection to this machine; 0 without an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request("GET", path, headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def until(check: Callable[[], bool], what: str, patience_s: float = PATIENCE_S, every_s: float = 0.002) -> float:
    """Seconds until `check` holds. Raises TimeoutError."""
    begun = time.perf_counter()
    while not check():
        if time.perf_counter() - begun > patience_s:
            raise TimeoutError(f"not within {patience_s:g} s: {what}")
        time.sleep(every_s)
    return time.perf_counter() - begun


def quantile(values: Sequence[float], q: float) -> float:
    """Nearest rank; the values need not be in order. Raises IndexError without values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]
