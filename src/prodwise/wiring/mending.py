"""Looking for a fix of an incident: what it is asked of, and the process of its own that does it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from prodwise.clock import monotonic
from prodwise.config import Config, load
from prodwise.config.environment import state_dir
from prodwise.config.repair import load_repair
from prodwise.heal.fixes import Fixing
from prodwise.heal.fixing.check import Wanted
from prodwise.heal.mending import Mending, mending
from prodwise.heal.parts import ReportsIn
from prodwise.heal.unmet import refused_unmet
from prodwise.loop.named import one_of
from prodwise.model.errors import ConfigError, UsageError
from prodwise.repair.undo import MergedFixes
from prodwise.sandbox.engine import WHERE
from prodwise.sandbox.workshop import Workshop
from prodwise.targets.local import local_control
from prodwise.targets.local.layout import Layout
from prodwise.wiring import reports, unmet
from prodwise.wiring.forge import forge
from prodwise.wiring.records import open_store
from prodwise.wiring.repair import CONFIGURED
from prodwise.wiring.sandbox import sandbox

BUDGET_S: Final = 600.0
LATE_S: Final = 60.0
"""So long after its budget a search that has not ended is ended."""
NICE: Final = 15
ANSWER_MAX: Final = 8_000_000
INCIDENTS_MAX: Final = 1000
KEPT: Final = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "PRODWISE_STATE_DIR", "PRODWISE_DATABASE_URL", *WHERE)
"""What the search sees of the healer's environment: where things are, and no credential of a code host. A model's key goes along
where a person lets searches ask it."""


def asked(app_dir: Path, incident: str) -> Mending:
    """incident: or a release that no user met; its id, or the beginning of it.

    Raises UsageError for one that is not known, or of which too little is.
    """
    config, store = load(app_dir), open_store(app_dir)
    try:
        archive = reports.archive(app_dir)
        came = ReportsIn(partial(reports.feed, app_dir, config), archive, partial(reports.projects, app_dir, config))
        known = [one.id for one in store.incidents.list(limit=INCIDENTS_MAX, begins=incident)]
        known += refused_unmet(store, incident)
        known = known or [*(one.id for one in store.incidents.list(limit=INCIDENTS_MAX)), *refused_unmet(store)]
        return mending(store, came, one_of(incident, known, "incident", "prodwise incidents"), lambda: "")
    finally:
        store.close()


def wanted(app_dir: Path, asked: Mending) -> Wanted:
    if asked.unmet is not None:
        return unmet.wanted(app_dir, asked, asked.unmet)
    return Wanted(trace=asked.trace, service=asked.service, packages=asked.packages, since=asked.since)


@contextlib.contextmanager
def workshop(app_dir: Path, release: str) -> Iterator[Workshop]:
    """The app's repository, with the release's environment first in PATH. Raises Refused where no sandbox can be had."""
    with tempfile.TemporaryDirectory(prefix="prodwise-environment-") as folder:
        environment = local_control.layout_of(app_dir).release(release) / "venv"
        path = os.environ.get("PATH", os.defpath)
        if environment.is_dir():
            (Path(folder) / "venv").symlink_to(
                environment
            )  # seen from outside the directory, of which a tree is in its place
            path = f"{folder}/venv/bin{os.pathsep}{path}"
        with Workshop(app_dir, path=path, sandbox=sandbox(app_dir)) as made:
            yield made


class Mender:
    """Implements ports.repair.Mends: `prodwise fix --incident`, at low priority, for as long as the healer lives. Each search answers
    in a file of its own: one that outlives a killed healer for a moment is not taken for the next one's."""

    def __init__(self, app_dir: Path, where: Layout) -> None:
        self._app_dir, self._where = app_dir, where
        self._process: subprocess.Popen[bytes] | None = None
        self._until = 0.0
        self._told = Path()

    def models_a_day(self) -> int:
        try:
            setup = load_repair(state_dir(self._app_dir))
            allowed = setup.automatic if load(self._app_dir).repair.models else 0
            why = setup.lacks(os.environ) if allowed else ""
        except ConfigError as error:
            allowed, why = 0, error.message
        if why:
            print(f"prodwise: no model is asked for fixes: {why}", file=sys.stderr, flush=True)
        return 0 if why else allowed

    def begin(self, incident: str, model: bool) -> None:
        if self._process is not None:
            raise UsageError("a fix is being looked for already")
        for left in self._where.run.glob("fix*.json"):
            left.unlink(missing_ok=True)
        self._told = self._where.run / f"fix-{uuid.uuid4().hex}.json"
        argv = [sys.executable, "-m", "prodwise.cli.tethered", "fix", "--dir", str(self._app_dir), "--incident", incident,
                "--budget", f"{BUDGET_S:.0f}", "--json", str(self._told)]  # fmt: skip
        kept: tuple[str, ...] = KEPT
        if model:
            argv += ["--model", CONFIGURED]
            kept = (*KEPT, *load_repair(state_dir(self._app_dir)).lent)
        environment = {name: os.environ[name] for name in kept if name in os.environ}
        with (self._where.log / "fix.log").open("wb") as log:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=log, stderr=log, env=environment, start_new_session=True,
            )  # fmt: skip
        os.setpriority(os.PRIO_PROCESS, self._process.pid, NICE)
        self._until = monotonic() + BUDGET_S + LATE_S

    def answer(self) -> Mapping[str, Any] | None:
        if self._process is None:
            return None
        if self._process.poll() is None:
            if monotonic() < self._until:
                return None
            ended(self._process)
        _let_go(self._process)
        self._process = None
        try:
            with self._told.open("rb") as file:
                found = json.loads(file.read(ANSWER_MAX))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def end(self) -> None:
        if self._process is not None:
            ended(self._process)
            _let_go(self._process)


def ended(process: subprocess.Popen[bytes]) -> None:
    """A process of a session of its own, with all that it started."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def _let_go(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()


def fixing(app_dir: Path, config: Config) -> Fixing:
    where = local_control.layout_of(app_dir)
    from prodwise.wiring.going_back import Tries

    forge_now = partial(forge, config.forge, app_dir, where.state)
    return Fixing(Mender(app_dir, where), forge_now, MergedFixes(app_dir), Tries(app_dir, where))
