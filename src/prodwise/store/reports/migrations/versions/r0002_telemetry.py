"""What traces and metrics say: calls between services, series by the minute"""

import sqlalchemy as sa
from alembic import op

revision = "r0002"
down_revision = "r0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "report_call",
        sa.Column("receiver", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("project", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("minute", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("callee", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("errors", sa.BigInteger(), nullable=False),
        sa.Column("ms_sum", sa.Float(), nullable=False),
        sa.Column("ms_max", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("receiver", "project", "minute", "caller", "callee", "address"),
        comment="who called whom, as traces tell; caller '': told by the one that was called",
    )
    op.create_index("ix_report_call_minute", "report_call", ["minute"], unique=False)
    op.create_table(
        "report_series",
        sa.Column("receiver", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("project", sa.Integer(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("attributes", sa.JSON(), nullable=False),
        sa.Column("last_seen", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("receiver", "key"),
    )
    op.create_table(
        "report_point",
        sa.Column("receiver", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("minute", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("since", sa.Float(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("buckets", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("receiver", "series", "minute"),
        comment="a minute of a series; buckets: upper bounds (null = without end) and counts",
    )
    op.create_index("ix_report_point_minute", "report_point", ["minute"], unique=False)
