"""The newest entries of a kind are found without reading the whole ledger"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_ledger_kind", "ledger", ["kind", "seq"])
