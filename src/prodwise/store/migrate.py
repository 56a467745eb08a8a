"""Brings a database to this version's schema, or says why it cannot be used."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from alembic import command
from alembic.config import Config as Alembic
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from prodwise.model.errors import StoreError
from prodwise.store.engine import Database


@dataclass(frozen=True, slots=True)
class Schema:
    """Tables that live and change together. scripts: where their migrations are; version_table: where their revision is noted."""

    scripts: str
    version_table: str


OURS = Schema("prodwise.store:migrations", "prodwise_version")
REPORTS = Schema("prodwise.store.reports:migrations", "prodwise_reports_version")


def migrate(database: Database, schema: Schema = OURS) -> None:
    """Upgrades to the newest revision. Raises StoreError, changing nothing, when the database is of a newer Prodwise."""
    settings = _alembic(schema)
    try:
        with database.engine.begin() as connection:
            have = _revision(connection, schema)
            known = {script.revision for script in ScriptDirectory.from_config(settings).walk_revisions()}
            if have is not None and have not in known:
                raise StoreError(
                    f"the database is of a newer Prodwise (revision {have})",
                    "install that version again, or restore the backup made before the upgrade",
                )
            settings.attributes["connection"] = connection
            command.upgrade(settings, "head")
    except sa.exc.DBAPIError as error:
        raise StoreError(
            f"the database cannot be opened: {error.orig}", "check the disk and the file's owner"
        ) from None


def is_current(database: Database, schema: Schema) -> bool:
    """Whether the tables are there, of this version. Changes nothing."""
    head = ScriptDirectory.from_config(_alembic(schema)).get_current_head()
    with database.engine.connect() as connection:
        return _revision(connection, schema) == head


def _alembic(schema: Schema) -> Alembic:
    settings = Alembic()
    settings.set_main_option("script_location", schema.scripts)
    return settings


def _revision(connection: sa.Connection, schema: Schema) -> str | None:
    return MigrationContext.configure(connection, opts={"version_table": schema.version_table}).get_current_revision()
