"""kill -9 → serving: Prodwise and a bare wait-and-respawn loop, beside the app's own boot, in the same run."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.running import Tell, quantile, shop, status, until
from bench.table import Figure
from prodwise import wiring
from prodwise.drill.clone import copy_app
from prodwise.drill.git import git
from prodwise.drill.healers.bare import BareApp, Command, start

PROBE = "/healthz"
KILLS, KILLS_QUICK = 20, 5
CALM_S, CALM_QUICK_S = 6.0, 4.0
"""Between two kills: killed faster, any supervisor should see a crash loop."""


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds. boot: start → first answer; bare: kill → first answer under a respawn loop; ours: the same under Prodwise, asked of
    the process itself; users: kill → answer to a request sent at once through the proxy; failed: such requests not answered well."""

    boot: list[float]
    bare: list[float]
    ours: list[float]
    users: list[float]
    failed: int


def measure(quick: bool, tell: Tell) -> Times:
    kills = KILLS_QUICK if quick else KILLS
    calm = CALM_QUICK_S if quick else CALM_S
    with bare_shop() as command:
        tell("recovery: the app's own boot")
        boot = [boot_s(command) for _ in range(kills)]
        tell("recovery: kill -9 under a bare respawn loop")
        bare = respawned(command, kills)
    with shop() as running:
        tell(f"recovery: {kills} × kill -9 under Prodwise")
        port = running.web_port()
        pairs = [_kill(_pid_of(running.app_dir), port, running.proxy_port, calm) for _ in range(kills)]
    ours, users, good = ([pair[n] for pair in pairs] for n in range(3))
    return Times(boot, bare, ours, users, sum(not one for one in good))


def figures(times: Times) -> list[Figure]:
    boot = median(times.boot)
    beside = f"boot {boot:.2f} s, bare respawn loop {median(times.bare):.2f} s: {median(times.ours) / median(times.bare):.2f}×"
    most = len(times.ours)
    over, worst = median(times.ours) - boot, max(times.ours) - max(times.boot)
    slowest = f"{max(times.ours):.2f} s in all; bare {max(times.bare):.2f} s"
    late = f"p95 {quantile(times.users, 0.95):.2f} s"
    return [
        Figure("kill -9 → serving, over the app's own boot, p50", round(over, 3), "s", 0.1, beside=beside, many=most),
        Figure("kill -9 → serving, over the slowest boot, worst", round(worst, 3), "s", 0.1, beside=slowest, many=most),
        Figure(
            "a request sent at the kill is answered, p50", round(median(times.users), 3), "s", beside=late, many=most
        ),
        Figure("such requests that failed", times.failed, "", 0, many=most),
    ]


@contextlib.contextmanager
def bare_shop() -> Iterator[Command]:
    """The shop's web process as a plain command, its payments service running beside it."""
    with tempfile.TemporaryDirectory(prefix="prodwise-bench-") as folder:
        copy_app("shop", "", Path(folder) / "app")
        (Path(folder) / "work").mkdir()
        app = BareApp(Path(folder) / "app", Path(folder) / "work")
        app.install("HEAD")
        commands = {one.service: one for one in app.commands()}
        payments = start(commands["payments"])
        try:
            yield commands["web"]
        finally:
            _end(payments)
            git(Path(folder) / "app", "worktree", "prune")


def boot_s(command: Command) -> float:
    begun = time.perf_counter()
    process = start(command)
    try:
        until(lambda: status(command.port, PROBE) == 200, "the shop boots")
        return time.perf_counter() - begun
    finally:
        _end(process)


def respawned(command: Command, kills: int) -> list[float]:
    """A loop that waits for its child and starts it again: the floor for any supervisor."""
    ends, child = threading.Event(), [start(command)]

    def loop() -> None:
        while not ends.is_set():
            child[0].wait()
            if not ends.is_set():
                child[0] = start(command)

    keeper = threading.Thread(target=loop, daemon=True)
    try:
        until(lambda: status(command.port, PROBE) == 200, "the shop boots")
        keeper.start()
        return [_kill(child[0].pid, command.port, command.port, 0.5)[0] for _ in range(kills)]
    finally:
        ends.set()
        _end(child[0])


def _kill(pid: int, port: int, front: int, calm_s: float) -> tuple[float, float, bool]:
    """(seconds until the process itself answers again, seconds until a request sent at once to `front` is answered, well?)."""
    answered: list[tuple[float, int]] = []
    os.kill(pid, signal.SIGKILL)
    begun = time.perf_counter()
    user = threading.Thread(target=lambda: answered.append(_timed(begun, lambda: status(front, PROBE))))
    user.start()
    until(lambda: not _alive(pid), "the killed process is gone")
    until(lambda: status(port, PROBE, 2.0) == 200, "the process serves again")
    serving = time.perf_counter() - begun
    user.join(15)
    time.sleep(calm_s)
    return serving, answered[0][0] if answered else 15.0, bool(answered) and answered[0][1] == 200


def _timed(begun: float, ask: Callable[[], int]) -> tuple[float, int]:
    got = ask()
    return time.perf_counter() - begun, got


def _pid_of(app_dir: Path) -> int:
    """The process that serves users of `web` now."""
    found: list[int] = []

    def there() -> bool:
        seen = wiring.status_offline(app_dir).seen
        web = seen.service("web") if seen else None
        process = web.slot(web.active) if web is not None and web.active is not None else None
        found[:] = [process.pid] if process is not None and process.pid else []
        return bool(found)

    until(there, "web runs", every_s=0.05)
    return found[0]


def _alive(pid: int) -> bool:
    """A zombie is gone: nothing of it serves any more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)
