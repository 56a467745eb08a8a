"""Run by Alembic with a connection that prodwise.store.migrate hands it."""

from __future__ import annotations

from alembic import context

from prodwise.store.migrate import REPORTS
from prodwise.store.reports.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    version_table=REPORTS.version_table,
)
with context.begin_transaction():
    context.run_migrations()
