"""The gates for what takes a fix back, in a process of their own: it runs the repository's tests, and sees no credential."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from prodwise.heal.fixing.back import judged
from prodwise.heal.fixing.budget import Budget
from prodwise.model.action import ActionKind
from prodwise.model.errors import Later, ProdwiseError, TargetError
from prodwise.model.gate import GateResult, Verdict
from prodwise.model.patch import Proposal
from prodwise.targets.local.layout import Layout
from prodwise.wiring.mending import KEPT, LATE_S, NICE, ended, workshop
from prodwise.wiring.repair import means

BUDGET_S: Final = 300.0
INPUT_MAX: Final = 2_000_000


class Tries:
    """Implements ports.repair.TriesBack."""

    def __init__(self, app_dir: Path, where: Layout) -> None:
        self._app_dir, self._where = app_dir, where
        self._process: subprocess.Popen[bytes] | None = None
        self._over = threading.Event()

    def tried(self, base: str, release: str, proposal: Proposal) -> tuple[tuple[GateResult, ...], tuple[str, ...]]:
        argv = [sys.executable, "-m", "prodwise.wiring.going_back", str(self._app_dir), base, release]
        environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        with (self._where.log / "fix.log").open("ab") as log:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environment, start_new_session=True
            )
        os.setpriority(os.PRIO_PROCESS, self._process.pid, NICE)
        if self._over.is_set():
            self.end()
        try:
            told, _ = self._process.communicate(json.dumps(asdict(proposal)).encode(), BUDGET_S + LATE_S)
        except subprocess.TimeoutExpired:
            told = b""
        finally:
            ended(self._process)
        if self._over.is_set():
            raise Later("the healer ends: it is tried by the next one")
        return _answer(told)

    def end(self) -> None:
        self._over.set()
        if self._process is not None:
            ended(self._process)


def _answer(told: bytes) -> tuple[tuple[GateResult, ...], tuple[str, ...]]:
    try:
        said = json.loads(told)
        gates = tuple(GateResult(one["gate"], Verdict(one["verdict"]), one["reason"]) for one in said["gates"])
        return gates, tuple(str(one) for one in said["unchecked"])
    except (KeyError, TypeError, ValueError):
        raise TargetError("what takes it back could not be tried: its process ended without an answer") from None


def main(app_dir: str, base: str, release: str) -> int:
    asked: dict[str, Any] = json.loads(sys.stdin.buffer.read(INPUT_MAX))
    proposal = Proposal(**{**asked, "kind": ActionKind(asked["kind"])})
    try:
        with workshop(Path(app_dir), release) as shop:
            gates, unchecked = judged(proposal, shop, base, Budget(BUDGET_S), means(shop))
    except ProdwiseError as error:  # without a sandbox nothing runs, and that is told
        gates, unchecked = (), (f"the tests with the fix taken back: {error.message}",)
    said = {"gates": [{**asdict(one), "verdict": one.verdict.value} for one in gates], "unchecked": unchecked}
    print(json.dumps(said))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
