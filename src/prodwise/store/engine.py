"""One database, SQLite or PostgreSQL, and the unit of work that everything stored shares."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from prodwise.model.errors import StoreError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_session: ContextVar[Session | None] = ContextVar("prodwise_session", default=None)

SQLITE_MIN_FOR_3_12 = (3, 42, 0)
POSTGRES_OPTIONS = "-c idle_in_transaction_session_timeout=15000 -c lock_timeout=30000"
"""In ms. A healer that is paused inside a transaction must not hold the chain's head, and with it every other healer, for good."""


class Database:
    """An engine with our pragmas. `unit()` is a transaction; nested units join the outer one."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        if self.is_sqlite:
            check_sqlite()
        connect_args: dict[str, Any] = {"timeout": 30} if self.is_sqlite else {}
        self.engine = sa.create_engine(bounded(url), connect_args=connect_args, pool_pre_ping=not self.is_sqlite)
        if self.is_sqlite:
            sa.event.listen(self.engine, "connect", _pragmas)

    @contextmanager
    def unit(self) -> Iterator[Session]:
        """Commits when the block ends, rolls back when it raises."""
        from sqlalchemy.orm import Session  # receivers, which need none, are 4 MB lighter

        outer = _session.get()
        if outer is not None:
            yield outer
            return
        with Session(self.engine, expire_on_commit=False) as session, session.begin(), self.within(session):
            yield session

    @contextmanager
    def within(self, session: Session) -> Iterator[None]:
        """Makes units join a session that someone else commits (a durable step's)."""
        token = _session.set(session)
        try:
            yield
        finally:
            _session.reset(token)

    def close(self) -> None:
        self.engine.dispose()


def begun(query: sa.Select[Any], column: sa.Column[str], start: str, *, sqlite: bool) -> sa.Select[Any]:
    """Of the rows of a query those whose id begins so, found by the id's index; the one with this very id first."""
    if not start.isprintable():
        return query.where(sa.false())  # no id holds what neither database takes
    if sqlite:  # there, LIKE knows no case, and uses no index
        found = query.where(column >= start, column < start + chr(sys.maxunicode))
    else:
        found = query.where(column.startswith(start, autoescape=True))
    return found.order_by(column != start)


def bounded(url: str) -> str:
    """A PostgreSQL URL whose connections have limits; any other as it is."""
    parsed = sa.make_url(url)
    if not parsed.drivername.startswith("postgresql") or "options" in parsed.query:
        return url
    return parsed.update_query_dict({"options": POSTGRES_OPTIONS}).render_as_string(hide_password=False)


def check_sqlite() -> None:
    """Raises StoreError where SQLite is too old for this Python (its WAL reset bug loses committed rows there)."""
    if sys.version_info >= (3, 12) and sqlite3.sqlite_version_info < SQLITE_MIN_FOR_3_12:
        raise StoreError(
            f"SQLite {sqlite3.sqlite_version} is too old for Python {sys.version_info[0]}.{sys.version_info[1]}",
            "use SQLite 3.42 or newer, Python 3.11, or PostgreSQL",
        )


def _pragmas(connection: Any, _record: object) -> None:
    """FULL: an acknowledged intent survives power loss. IMMEDIATE: writers queue up instead of failing half-way."""
    connection.isolation_level = "IMMEDIATE"
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    if connection.execute("PRAGMA synchronous").fetchone()[0] < 2:
        raise StoreError("the database does not accept synchronous=FULL", "put it on a local disk")
