"""Brings a database to this version's schema, or says why it cannot be used."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

import sqlalchemy as sa

from prodwise.model.errors import StoreError
from prodwise.store.engine import Database

if TYPE_CHECKING:
    from alembic.config import Config as Alembic


@dataclass(frozen=True, slots=True)
class Schema:
    """Tables that live and change together. scripts: the package of their migrations; version_table: where their revision is
    noted."""

    scripts: str
    version_table: str

    @property
    def head(self) -> str:
        """The newest revision, by the files' names: a database that has it is opened without the machinery to change it."""
        names = (file.name for file in files(f"{self.scripts}.versions").iterdir())
        return max(name.partition("_")[0] for name in names if name.endswith(".py") and not name.startswith("_"))


OURS = Schema("prodwise.store.migrations", "prodwise_version")
REPORTS = Schema("prodwise.store.reports.migrations", "prodwise_reports_version")


def migrate(database: Database, schema: Schema = OURS) -> None:
    """Upgrades to the newest revision, wholly or not at all. Raises StoreError, changing nothing, when the database is of a newer
    Prodwise."""
    try:
        with database.engine.connect() as connection:
            if revision(connection, schema) == schema.head:
                return
        with database.engine.begin() as connection:
            if (
                database.is_sqlite
            ):  # its driver begins no transaction for changes of tables: a death would leave half of them
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            have = revision(connection, schema)
            if have != schema.head:
                _upgrade(connection, schema, have)
    except sa.exc.DBAPIError as error:
        raise StoreError(
            f"the database cannot be opened: {error.orig}", "check the disk and the file's owner"
        ) from None


def revision(connection: sa.Connection, schema: Schema) -> str | None:
    """None where there is no table of ours yet."""
    if not sa.inspect(connection).has_table(schema.version_table):
        return None
    found = connection.scalar(sa.text(f"SELECT version_num FROM {schema.version_table}"))
    return None if found is None else str(found)


def scripts(schema: Schema) -> Alembic:
    from alembic.config import Config as Alembic

    settings = Alembic()
    package, _, folder = schema.scripts.rpartition(".")
    settings.set_main_option("script_location", f"{package}:{folder}")
    return settings


def _upgrade(connection: sa.Connection, schema: Schema, have: str | None) -> None:
    from alembic import command
    from alembic.script import ScriptDirectory

    settings = scripts(schema)
    known = {script.revision for script in ScriptDirectory.from_config(settings).walk_revisions()}
    if have is not None and have not in known:
        raise StoreError(
            f"the database is of a newer Prodwise (revision {have})",
            "install that version again, or restore the backup made before the upgrade",
        )
    settings.attributes["connection"] = connection
    command.upgrade(settings, "head")
