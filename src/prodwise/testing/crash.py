"""A healer that dies by kill -9 at its N-th write to the ledger: `python -m prodwise.testing.crash APP_DIR N before|after`.

It proves that a story resumes wherever it was cut: *before* loses the write, *after* loses everything that should have followed.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session


def arm(number: int, when: str) -> None:
    """Every transaction that adds to the ledger counts as one write; at the N-th this process ends as if the power had gone."""
    if when not in ("before", "after"):
        raise ValueError(f"when is before or after, not {when!r}")
    written = {"n": 0}

    def count(connection: Connection, cursor: Any, statement: str, *rest: Any) -> None:
        if statement.startswith("INSERT INTO ledger") and "wrote" not in connection.info:
            connection.info["wrote"] = True
            written["n"] += 1

    def before(connection: Connection) -> None:
        due = connection.info.pop("wrote", False) and written["n"] >= number
        if due and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)

    def after(session: Session) -> None:
        if when == "after" and written["n"] >= number:
            os.kill(os.getpid(), signal.SIGKILL)

    sa.event.listen(Engine, "before_cursor_execute", count)
    sa.event.listen(Engine, "commit", before)
    sa.event.listen(Session, "after_commit", after)


def main() -> None:
    from prodwise.heal import lease
    from prodwise.wiring.healer import serve

    app_dir, number, when = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    lease.RENEW_S = min(lease.RENEW_S, float(os.environ.get("PRODWISE_LEASE_SECONDS", "60")) / 4)
    if number:
        arm(number, when)
    serve(app_dir)


if __name__ == "__main__":
    main()
