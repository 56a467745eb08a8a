"""A real app with a healer of its own process that may die, be paused, and is started again."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from prodwise.cli.client import ApiError, Client
from prodwise.config import load
from prodwise.model.errors import NotRunning, ProdwiseError
from prodwise.model.signal import ProcessSeen
from prodwise.model.target import ServiceSeen, Switch
from prodwise.store.sql import SqlStore
from prodwise.targets.local import local_control
from prodwise.targets.local.target import LocalTarget
from prodwise.testing import apps, crash
from prodwise.testing.invariants import breaches, recorded

LEASE_S = 3.0
SETTINGS = """\
version = 1
address = "127.0.0.1:0"
dashboard = "127.0.0.1:0"
shared = ["beats"]
notify_command = "cat >> told; echo ---- >> told"

[ramp]
shares = [50, 100]
watch_seconds = 5

[heal]
watch_seconds = 2

[services.web]
command = "python3 web.py"
probe = "/healthz"
start_seconds = 5
drain_seconds = 1
"""
ON_BOTH = pytest.mark.parametrize(
    "database", ["sqlite", pytest.param("postgresql", marks=[pytest.mark.postgres, pytest.mark.full])], indirect=True
)
DAYS_10_S = 10 * 86_400.0


@dataclass
class Traffic:
    """GETs at about 80 a second. pids: every process that answered."""

    answers: Counter[int] = field(default_factory=Counter)
    pids: list[int] = field(default_factory=list)

    @property
    def failed(self) -> int:
        return sum(count for status, count in self.answers.items() if not 0 < status < 500)


@dataclass
class House:
    """One app that is up, and at most one healer that the test started last."""

    dir: Path
    address: str
    url: str
    healer: BaseProcess | None = None
    begun: list[BaseProcess] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.target = LocalTarget(self.dir, load(self.dir))
        self.store = SqlStore(self.url)
        self.api = Client(self.target.layout.socket("api"), self.dir, 15.0)
        self.store.settings.put("autonomy", "auto", "test")

    def start_healer(self, number: int = 0, when: str = "after") -> BaseProcess:
        self.healer = crash.start(crash.Life(self.dir, self.url, self.dir.parent / "healer.log", LEASE_S, number, when))
        self.begun.append(self.healer)
        return self.healer

    def ready(self, number: int = 0, when: str = "after") -> None:
        """A healer that has begun, or that died while it began."""
        last = self.last_entry
        healer = self.start_healer(number, when)
        done = lambda: not healer.is_alive() or "healer_started" in self.kinds(last)  # noqa: E731
        apps.until(done, 40, "the healer's start")
        apps.until(lambda: not healer.is_alive() or self._answers(), 10, "the healer's API")

    def _answers(self) -> bool:
        try:
            return bool(self.api.get("settings"))
        except ProdwiseError:
            return False

    def prove(self) -> None:
        """The first healer's own proof that it can undo, so that later stories start from a quiet app."""
        self.ready()
        apps.until(lambda: self.store.settings.get("undo_proven"), 30, "the proof")

    def end_healer(self, how: int = signal.SIGKILL) -> None:
        if self.healer is not None and self.healer.is_alive():
            os.kill(self.healer.pid or 0, how)
            self.healer.join(20)

    @property
    def last_entry(self) -> int:
        return max((e.seq for e in self.store.ledger.recent(1)), default=0)

    def kinds(self, after: int = 0, incident: str = "") -> list[str]:
        return [e.kind for e in self.store.ledger.entries(after, 2000, incident)]

    def seen(self) -> ServiceSeen:
        found = self.target.observe().service("web")
        assert found is not None
        return found

    @property
    def switch(self) -> Switch:
        found = self.seen().switch
        assert found is not None
        return found

    def serving(self) -> ProcessSeen:
        """The stable slot's process."""
        seen = self.seen()
        assert seen.switch is not None
        found = seen.slot(seen.switch.stable)
        assert found is not None
        return found

    def serves(self, release: str) -> bool:
        """Everybody is on this release, and nothing else runs."""
        seen = self.seen()
        runs = {p.release for p in seen.slots if p.release and p.state != "stopped"}
        return self.serving().release == release and self.switch.share == 0 and runs == {release}

    def incident(self) -> Mapping[str, Any] | None:
        """The newest incident's row."""
        found = self.store.incidents.list(limit=1)
        return self.store.incidents.row(found[0].id) if found else None

    def outcome(self) -> str:
        row = self.incident()
        return str(row["outcome"] or "") if row else ""

    def hang(self) -> int:
        pid = self.serving().pid
        os.kill(pid, signal.SIGSTOP)
        return pid

    def state_of(self, release: str) -> str:
        return self.store.releases.load(release).state.value

    def told(self) -> str:
        path = self.dir / "told"
        return path.read_text() if path.exists() else ""

    def long_ago(self) -> None:
        """As if all incidents so far had been ten days ago: their budgets and cool-downs are over."""
        with self.store.database.engine.begin() as connection:
            connection.execute(
                sa.text("UPDATE incident SET opened_at = opened_at - :s, closed_at = closed_at - :s"), {"s": DAYS_10_S}
            )

    def whole(self) -> None:
        """Every invariant holds, each effect that the ledger calls done happened once, and none is left open."""
        assert self.last_entry, "the ledger is empty"
        run = recorded(self.store, [service.id for service in load(self.dir).inventory()])
        broken = breaches(run)
        assert not broken, broken
        counts = Counter(dict(self.target.observe().effects).values())
        assert set(counts) == {1}, counts
        happened = dict(self.target.observe().effects)
        for effect in self.store.ledger.effects():
            assert effect.state == "done", effect
            assert happened[effect.key] == 1, effect

    def close(self) -> None:
        for healer in self.begun:
            if healer.is_alive():
                os.kill(healer.pid or 0, signal.SIGCONT)
                healer.kill()
                healer.join(10)
        self.store.close()
        local_control.down(self.dir)


@contextlib.contextmanager
def traffic(address: str) -> Iterator[Traffic]:
    seen, done = Traffic(), threading.Event()

    def client() -> None:
        while not done.wait(0.008):
            answer = apps.get(address, "/pid")
            seen.answers[answer.status] += 1
            if answer.status == 200 and answer.text.isdigit() and int(answer.text) not in seen.pids:
                seen.pids.append(int(answer.text))

    thread = threading.Thread(target=client, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join(15)


@contextlib.contextmanager
def kept_alive(house: House, number: int = 0, when: str = "after") -> Iterator[list[int]]:
    """Starts the healer again whenever it ended, as the supervisor does. Yields the exit codes.

    number, when: where each of these healers dies in its turn; 0: they live.
    """
    codes: list[int] = []
    done = threading.Event()

    def keep() -> None:
        while not done.wait(0.05):
            if house.healer is not None and not house.healer.is_alive():
                codes.append(house.healer.exitcode or 0)
                house.start_healer(number, when)

    thread = threading.Thread(target=keep, daemon=True)
    thread.start()
    try:
        yield codes
    finally:
        done.set()
        thread.join(5)


def insist(ask: Callable[[], object], recorded: Callable[[], object]) -> None:
    """As a person does: asks again while the healer is dead, unless the first word was heard."""
    deadline = time.monotonic() + 40
    while not recorded():
        try:
            ask()
            return
        except ApiError as no:
            if "already going on" not in no.message:
                raise
            return
        except NotRunning:
            assert time.monotonic() < deadline, "the healer does not come back"
            time.sleep(0.3)
