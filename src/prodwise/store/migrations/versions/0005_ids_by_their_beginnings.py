"""Incidents and releases are found by the beginning of their ids, whatever a PostgreSQL database sorts by"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("incident", "release"):
        op.create_index(f"ix_{table}_begins", table, ["id"], postgresql_ops={"id": "text_pattern_ops"})
