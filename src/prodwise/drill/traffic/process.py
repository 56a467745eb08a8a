"""The traffic client as the drill sees it: a child process, its orders and its records."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from prodwise.drill.traffic.plan import RATE_MAX, Plan
from prodwise.drill.traffic.records import TIMEOUT_S, Reader, Sent
from prodwise.model.errors import TargetError


class TrafficProcess:
    """Started at once; ends by itself at the plan's limit, when told to, and when this process dies."""

    def __init__(self, address: str, plan: Plan, records: Path) -> None:
        self._plan, self._reader = plan, Reader(records)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "prodwise.drill.traffic", *arguments(address, plan, records)],
            stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def rate(self, rate: float) -> None:
        self._order(f"rate {min(rate, RATE_MAX):g}")

    def ramp(self, rate: float, seconds: float) -> None:
        self._order(f"ramp {min(rate, RATE_MAX):g} {seconds:g}")

    def read(self) -> Sequence[Sent]:
        """Requests that ended since the last call. Raises TargetError if the client died of something else than its end."""
        if self._process.poll() not in (None, 0):
            said = self._process.stderr.read().strip() if self._process.stderr else ""
            raise TargetError(f"the traffic client ended early: {said[-300:]}")
        return list(self._reader.read())

    def stop(self) -> Sequence[Sent]:
        """No new requests; waits for the answers still due and returns them."""
        if self._process.poll() is None:
            with contextlib.suppress(BrokenPipeError, subprocess.TimeoutExpired):
                self._process.communicate("stop\n", timeout=TIMEOUT_S + 5)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(5)
        return list(self._reader.read())

    def _order(self, line: str) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has reached its limit; read() tells if it died
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()


def arguments(address: str, plan: Plan, records: Path) -> list[str]:
    """The client's command line for a plan."""
    words = ["--orders", "--address", address, "--out", str(records), "--rate", f"{plan.rate:g}"]
    words += ["--seconds", f"{plan.seconds:g}", "--seed", str(plan.seed), "--keep-cookies", f"{plan.keep_cookies:g}"]
    for path in plan.paths:
        words += ["--path", path]
    for step in plan.visit:
        words += ["--step", " ".join(filter(None, (step.method, step.path, step.form)))]
    return [*words, "--visit-share", f"{plan.visit_share:g}"]
