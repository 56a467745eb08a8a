"""Where receivers' databases are: files of their own, or one for all."""

from __future__ import annotations

import threading
from pathlib import Path

import sqlalchemy as sa

from prodwise.store.engine import Database
from prodwise.store.migrate import REPORTS, revision

FILES = "reports-{}.db"


class Shelves:
    """The databases that receivers write to. They may not be there yet: a file is opened once its tables are of this version."""

    def __init__(self, state: Path | None, url: str = "") -> None:
        """state: the folder with receivers' files; url: the one database instead."""
        self._state, self._url = state, url
        self._open: dict[str, Database] = {}
        self._lock = threading.Lock()

    def all(self) -> list[Database]:
        with self._lock:
            for url in [self._url] if self._url else self._files():
                if url not in self._open:
                    self._try(url)
            return list(self._open.values())

    def close(self) -> None:
        for one in self._open.values():
            one.close()
        self._open.clear()

    def _files(self) -> list[str]:
        return [f"sqlite:///{path}" for path in sorted(self._state.glob(FILES.format("*")))] if self._state else []

    def _try(self, url: str) -> None:
        database = Database(url)
        try:
            with database.engine.connect() as connection:
                current = revision(connection, REPORTS) == REPORTS.head
            if current:
                self._open[url] = database
                return
        except sa.exc.SQLAlchemyError:
            pass
        database.close()
