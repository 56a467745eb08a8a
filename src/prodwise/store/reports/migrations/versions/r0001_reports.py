"""Reports: the first schema"""

import sqlalchemy as sa
from alembic import op

revision = "r0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "report_counted",
        sa.Column("receiver", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("project", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hour", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("receiver", "project", "hour", "reason"),
        comment="what was refused, left out or cleaned, and how often",
    )
    op.create_table(
        "report_detail",
        sa.Column("receiver", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("project", sa.Integer(), nullable=False),
        sa.Column("rare", sa.Boolean(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("receiver", "seq"),
        comment="all that an event said, private values out; rare: of the first of a group, or unlike the others: goes last",
    )
    op.create_index("ix_report_detail_project", "report_detail", ["project", "rare", "seq", "size"], unique=False)
    op.create_table(
        "report_event",
        sa.Column("receiver", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("project", sa.Integer(), nullable=False),
        sa.Column("group_key", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("received_at", sa.Float(), nullable=False),
        sa.Column("release", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("user_hash", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("handled", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("receiver", "seq"),
    )
    op.create_index("ix_report_event_group", "report_event", ["group_key", "seq"], unique=False)
    op.create_index("ix_report_event_id", "report_event", ["id"], unique=False)
    op.create_table(
        "report_feed",
        sa.Column("receiver", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("receiver", "seq"),
        comment="what detectors read: a row a commit, kept for as long as a healer may be away",
    )
    op.create_table(
        "report_group",
        sa.Column("receiver", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("project", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("first_seen", sa.Float(), nullable=False),
        sa.Column("last_seen", sa.Float(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("users", sa.LargeBinary(), nullable=False),
        sa.Column("releases", sa.JSON(), nullable=False),
        sa.Column("routes", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("receiver", "key"),
    )
    op.create_table(
        "report_receiver",
        sa.Column("receiver", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("fed", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("receiver"),
        comment="how far each receiver has counted: the numbers of its newest feed row and event",
    )
    op.create_table(
        "report_taken",
        sa.Column("receiver", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("project", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first", sa.Float(), nullable=False),
        sa.Column("last", sa.Float(), nullable=False),
        sa.Column("deliveries", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("receiver", "project"),
        comment="what came in for each project, in all",
    )
    op.create_table(
        "report_tally",
        sa.Column("receiver", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("group_key", sa.Text(), nullable=False),
        sa.Column("minute", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("release", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("users", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("receiver", "group_key", "minute", "release", "route"),
    )
    op.create_index("ix_report_tally_minute", "report_tally", ["minute"], unique=False)
