"""Healers that die by kill -9 at their N-th write to the ledger, started as cheaply as a fork.

They prove that a story resumes wherever it was cut: *before* loses the write, *after* loses everything that should have followed.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session

PRELOADED = ("pytest", "prodwise.wiring.healer", "prodwise.testing.crash")


@dataclass(frozen=True, slots=True)
class Life:
    """How a healer lives. database: URL; log: where its output goes; number: of the write at which it dies, 0 for none;
    when: before or after that write is committed."""

    app_dir: Path
    database: str
    log: Path
    lease_s: float
    number: int = 0
    when: str = "after"


def start(life: Life) -> BaseProcess:
    """A healer in a process of its own, forked from one that has imported everything and runs nothing."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(PRELOADED))
    process = context.Process(target=live, args=(life,), daemon=True)
    process.start()
    return process


def live(life: Life) -> None:
    from prodwise.heal import lease
    from prodwise.wiring.healer import serve

    out = os.open(life.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.chdir(life.app_dir)
    os.environ["PRODWISE_DATABASE_URL"] = life.database
    lease.RENEW_S = min(lease.RENEW_S, life.lease_s / 4)
    if life.number:
        arm(life.number, life.when)
    serve(life.app_dir)


def arm(number: int, when: str) -> None:
    """Every transaction that adds to the ledger counts as one write; at the N-th this process ends as if the power had gone.

    The entry that a healer makes whenever it starts does not count: it would be the first of every life.
    """
    if when not in ("before", "after"):
        raise ValueError(f"when is before or after, not {when!r}")
    written, due = {"n": 0}, threading.local()

    def count(connection: Connection, cursor: Any, statement: str, parameters: Any, *rest: Any) -> None:
        if statement.startswith("INSERT INTO ledger") and "wrote" not in connection.info:
            values = parameters.values() if isinstance(parameters, dict) else parameters
            if "healer_started" not in values:
                connection.info["wrote"] = True
                written["n"] += 1

    def before(connection: Connection) -> None:
        due.now = connection.info.pop("wrote", False) and written["n"] >= number
        if due.now and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)

    def after(session: Session) -> None:
        if getattr(due, "now", False):
            os.kill(os.getpid(), signal.SIGKILL)

    sa.event.listen(Engine, "before_cursor_execute", count)
    sa.event.listen(Engine, "commit", before)
    sa.event.listen(Engine, "rollback", lambda connection: connection.info.pop("wrote", None))
    sa.event.listen(Session, "after_commit", after)
