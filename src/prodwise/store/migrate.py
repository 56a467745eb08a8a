"""Brings a database to this version's schema, or says why it cannot be used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import command
from alembic.config import Config as Alembic
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from prodwise.model.errors import StoreError
from prodwise.store.engine import Database


def migrate(database: Database) -> None:
    """Upgrades to the newest revision. Raises StoreError, changing nothing, when the database is of a newer Prodwise."""
    settings = Alembic()
    settings.set_main_option("script_location", "prodwise.store:migrations")
    known = {script.revision for script in ScriptDirectory.from_config(settings).walk_revisions()}
    try:
        with database.engine.begin() as connection:
            have = MigrationContext.configure(
                connection, opts={"version_table": "prodwise_version"}
            ).get_current_revision()
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
