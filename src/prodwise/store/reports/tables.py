"""The tables of reports. Every row belongs to one receiver, so that no two ever write the same one; readers add them up."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

Text, Integer, BigInteger, Float, JSON, Boolean, Binary = (
    sa.Text, sa.Integer, sa.BigInteger, sa.Float, sa.JSON, sa.Boolean, sa.LargeBinary,
)  # fmt: skip


def _receiver() -> sa.Column[int]:
    return sa.Column("receiver", Integer, primary_key=True, autoincrement=False)


receiver = sa.Table(
    "report_receiver",
    metadata,
    _receiver(),
    sa.Column("fed", BigInteger, nullable=False),
    sa.Column("events", BigInteger, nullable=False),
    sa.Column("at", Float, nullable=False),
    comment="how far each receiver has counted: the numbers of its newest feed row and event",
)

feed = sa.Table(
    "report_feed",
    metadata,
    _receiver(),
    sa.Column("seq", BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", Float, nullable=False),
    sa.Column("size", Integer, nullable=False),
    sa.Column("packed", Binary, nullable=False),
    comment="what detectors read: a row a commit, kept for as long as a healer may be away",
)

event = sa.Table(
    "report_event",
    metadata,
    _receiver(),
    sa.Column("seq", BigInteger, primary_key=True, autoincrement=False),
    sa.Column("id", Text, nullable=False),
    sa.Column("project", Integer, nullable=False),
    sa.Column("group_key", Text, nullable=False),
    sa.Column("at", Float, nullable=False),
    sa.Column("received_at", Float, nullable=False),
    sa.Column("release", Text, nullable=False),
    sa.Column("route", Text, nullable=False),
    sa.Column("user_hash", Text, nullable=False),
    sa.Column("level", Text, nullable=False),
    sa.Column("handled", Boolean, nullable=True),
    sa.Index("ix_report_event_id", "id"),
    sa.Index("ix_report_event_group", "group_key", "seq"),
)

detail = sa.Table(
    "report_detail",
    metadata,
    _receiver(),
    sa.Column("seq", BigInteger, primary_key=True, autoincrement=False),
    sa.Column("project", Integer, nullable=False),
    sa.Column("rare", Boolean, nullable=False),
    sa.Column("size", Integer, nullable=False),
    sa.Column("packed", Binary, nullable=False),
    sa.Index("ix_report_detail_project", "project", "rare", "seq", "size"),
    comment="all that an event said, private values out; rare: of the first of a group, or unlike the others: goes last",
)

group = sa.Table(
    "report_group",
    metadata,
    _receiver(),
    sa.Column("key", Text, primary_key=True),
    sa.Column("project", Integer, nullable=False),
    sa.Column("title", Text, nullable=False),
    sa.Column("place", Text, nullable=False),
    sa.Column("rule", Text, nullable=False),
    sa.Column("level", Text, nullable=False),
    sa.Column("first_seen", Float, nullable=False),
    sa.Column("last_seen", Float, nullable=False),
    sa.Column("count", BigInteger, nullable=False),
    sa.Column("users", Binary, nullable=False),
    sa.Column("releases", JSON, nullable=False),
    sa.Column("routes", JSON, nullable=False),
)

tally = sa.Table(
    "report_tally",
    metadata,
    _receiver(),
    sa.Column("group_key", Text, primary_key=True),
    sa.Column("minute", Integer, primary_key=True, autoincrement=False),
    sa.Column("release", Text, primary_key=True),
    sa.Column("route", Text, primary_key=True),
    sa.Column("count", Integer, nullable=False),
    sa.Column("users", Binary, nullable=False),
    sa.Index("ix_report_tally_minute", "minute"),
)

counted = sa.Table(
    "report_counted",
    metadata,
    _receiver(),
    sa.Column("project", Integer, primary_key=True, autoincrement=False),
    sa.Column("hour", Integer, primary_key=True, autoincrement=False),
    sa.Column("reason", Text, primary_key=True),
    sa.Column("count", BigInteger, nullable=False),
    comment="what was refused, left out or cleaned, and how often",
)

taken = sa.Table(
    "report_taken",
    metadata,
    _receiver(),
    sa.Column("project", Integer, primary_key=True, autoincrement=False),
    sa.Column("first", Float, nullable=False),
    sa.Column("last", Float, nullable=False),
    sa.Column("deliveries", BigInteger, nullable=False),
    sa.Column("events", BigInteger, nullable=False),
    comment="what came in for each project, in all",
)

call = sa.Table(
    "report_call",
    metadata,
    _receiver(),
    sa.Column("project", Integer, primary_key=True, autoincrement=False),
    sa.Column("minute", Integer, primary_key=True, autoincrement=False),
    sa.Column("caller", Text, primary_key=True),
    sa.Column("callee", Text, primary_key=True),
    sa.Column("address", Text, primary_key=True),
    sa.Column("count", BigInteger, nullable=False),
    sa.Column("errors", BigInteger, nullable=False),
    sa.Column("ms_sum", Float, nullable=False),
    sa.Column("ms_max", Float, nullable=False),
    sa.Index("ix_report_call_minute", "minute"),
    comment="who called whom, as traces tell; caller '': told by the one that was called",
)

series = sa.Table(
    "report_series",
    metadata,
    _receiver(),
    sa.Column("key", Text, primary_key=True),
    sa.Column("project", Integer, nullable=False),
    sa.Column("service", Text, nullable=False),
    sa.Column("name", Text, nullable=False),
    sa.Column("unit", Text, nullable=False),
    sa.Column("kind", Text, nullable=False),
    sa.Column("attributes", JSON, nullable=False),
    sa.Column("last_seen", Float, nullable=False),
)

point = sa.Table(
    "report_point",
    metadata,
    _receiver(),
    sa.Column("series", Text, primary_key=True),
    sa.Column("minute", Integer, primary_key=True, autoincrement=False),
    sa.Column("at", Float, nullable=False),
    sa.Column("value", Float, nullable=False),
    sa.Column("since", Float, nullable=False),
    sa.Column("count", BigInteger, nullable=False),
    sa.Column("buckets", JSON, nullable=False),
    sa.Index("ix_report_point_minute", "minute"),
    comment="a minute of a series; buckets: upper bounds (null = without end) and counts",
)
