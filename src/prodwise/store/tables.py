"""The tables. Rows of stories are never overwritten silently: every change of state is also an entry in the ledger."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

Text, Integer, Float, JSON, Boolean = sa.Text, sa.Integer, sa.Float, sa.JSON, sa.Boolean

ledger = sa.Table(
    "ledger",
    metadata,
    sa.Column("seq", Integer, primary_key=True, autoincrement=False),
    sa.Column("at", Float, nullable=False),
    sa.Column("kind", Text, nullable=False),
    sa.Column("actor", Text, nullable=False),
    sa.Column("service", Text, nullable=False, default=""),
    sa.Column("incident", Text, nullable=False, default="", index=True),
    sa.Column("text", Text, nullable=False, default=""),
    sa.Column("data", JSON, nullable=False),
    sa.Column("previous", Text, nullable=False),
    sa.Column("hash", Text, nullable=False, unique=True),
    sa.Index("ix_ledger_kind", "kind", "seq"),
    comment="everything that was seen, decided and done, chained by hashes; rows are only ever added",
)

chain_head = sa.Table(
    "chain_head",
    metadata,
    sa.Column("one", Integer, primary_key=True, autoincrement=False),
    sa.Column("seq", Integer, nullable=False),
    sa.Column("hash", Text, nullable=False),
    comment="one row: updating it first is what serialises appends",
)

effect = sa.Table(
    "effect",
    metadata,
    sa.Column("key", Text, primary_key=True),
    sa.Column("story", Text, nullable=False, index=True),
    sa.Column("service", Text, nullable=False, index=True),
    sa.Column("kind", Text, nullable=False),
    sa.Column("command", JSON, nullable=False),
    sa.Column("undo", JSON, nullable=True),
    sa.Column("token", Integer, nullable=False),
    sa.Column("state", Text, nullable=False),
    sa.Column("intended_at", Float, nullable=False),
    sa.Column("settled_at", Float, nullable=True),
    sa.Column("result", Text, nullable=False, default=""),
    comment="outside effects: the intent row is committed before the effect starts",
)

release = sa.Table(
    "release",
    metadata,
    sa.Column("id", Text, primary_key=True),
    sa.Column("number", Integer, nullable=False, unique=True),
    sa.Column("commit", Text, nullable=False),
    sa.Column("digest", Text, nullable=False, default=""),
    sa.Column("title", Text, nullable=False, default=""),
    sa.Column("author", Text, nullable=False, default=""),
    sa.Column("created_at", Float, nullable=False),
    sa.Column("state", Text, nullable=False),
    sa.Column("reason", Text, nullable=False, default=""),
    sa.Column("facts", JSON, nullable=False),
    sa.Index("ix_release_begins", "id", postgresql_ops={"id": "text_pattern_ops"}),
)

change = sa.Table(
    "change",
    metadata,
    sa.Column("id", Text, primary_key=True),
    sa.Column("at", Float, nullable=False, index=True),
    sa.Column("kind", Text, nullable=False),
    sa.Column("service", Text, nullable=False, default=""),
    sa.Column("before", Text, nullable=False, default=""),
    sa.Column("after", Text, nullable=False, default=""),
    sa.Column("who", Text, nullable=False),
    sa.Column("inverse", Text, nullable=False, default=""),
    sa.Column("text", Text, nullable=False, default=""),
)

incident = sa.Table(
    "incident",
    metadata,
    sa.Column("id", Text, primary_key=True),
    sa.Column("service", Text, nullable=False, index=True),
    sa.Column("title", Text, nullable=False, default=""),
    sa.Column("opened_at", Float, nullable=False, index=True),
    sa.Column("state", Text, nullable=False),
    sa.Column("outcome", Text, nullable=True),
    sa.Column("closed_at", Float, nullable=True),
    sa.Column("symptoms", JSON, nullable=False),
    sa.Column("turn", JSON, nullable=False),
    sa.Column("diagnosis", JSON, nullable=True),
    sa.Column("decision", JSON, nullable=True),
    sa.Column("users_hit", Integer, nullable=True),
    sa.Column("requests_failed", Integer, nullable=False, default=0),
    sa.Index("ix_incident_begins", "id", postgresql_ops={"id": "text_pattern_ops"}),
)

evidence = sa.Table(
    "evidence",
    metadata,
    sa.Column("id", Text, primary_key=True),
    sa.Column("incident", Text, primary_key=True),
    sa.Column("kind", Text, nullable=False),
    sa.Column("source", Text, nullable=False),
    sa.Column("since", Float, nullable=False),
    sa.Column("until", Float, nullable=False),
    sa.Column("text", Text, nullable=False),
    sa.Column("data", JSON, nullable=False),
)

rollout = sa.Table(
    "rollout",
    metadata,
    sa.Column("release", Text, primary_key=True),
    sa.Column("previous", Text, nullable=False, default=""),
    sa.Column("state", Text, nullable=False),
    sa.Column("stage", Text, nullable=False, default=""),
    sa.Column("share", Float, nullable=False, default=0.0),
    sa.Column("began_at", Float, nullable=False),
    sa.Column("ended_at", Float, nullable=True),
    sa.Column("watch_until", Float, nullable=True),
    sa.Column("gates", JSON, nullable=False),
    sa.Column("numbers", JSON, nullable=False),
    sa.Column("asked_by", Text, nullable=False, default=""),
)

approval = sa.Table(
    "approval",
    metadata,
    sa.Column("id", Text, primary_key=True),
    sa.Column("incident", Text, nullable=False, index=True),
    sa.Column("plan_hash", Text, nullable=False),
    sa.Column("plan", JSON, nullable=False),
    sa.Column("asked_at", Float, nullable=False),
    sa.Column("expires_at", Float, nullable=False),
    sa.Column("state", Text, nullable=False),
    sa.Column("decided_at", Float, nullable=True),
    sa.Column("decided_by", Text, nullable=False, default=""),
)

setting = sa.Table(
    "setting",
    metadata,
    sa.Column("name", Text, primary_key=True),
    sa.Column("value", JSON, nullable=False),
    sa.Column("at", Float, nullable=False),
    sa.Column("who", Text, nullable=False),
    comment="what outlives a restart: autonomy, freeze, baselines, the log's position",
)

login = sa.Table(
    "login",
    metadata,
    sa.Column("hash", Text, primary_key=True),
    sa.Column("kind", Text, nullable=False),
    sa.Column("expires_at", Float, nullable=False),
    sa.Column("used_at", Float, nullable=True),
    sa.Column("csrf", Text, nullable=False, default=""),
    comment="one-time login links and sessions, by the SHA-256 of their secret",
)

delivery = sa.Table(
    "delivery",
    metadata,
    sa.Column("way", Text, primary_key=True),
    sa.Column("id", Text, primary_key=True),
    sa.Column("at", Float, nullable=False),
    comment="what a hook took already, so that it is not taken twice",
)

alarm = sa.Table(
    "alarm",
    metadata,
    sa.Column("source", Text, primary_key=True),
    sa.Column("subject", Text, primary_key=True),
    sa.Column("service", Text, nullable=False, default=""),
    sa.Column("name", Text, nullable=False),
    sa.Column("text", Text, nullable=False, default=""),
    sa.Column("about", Text, nullable=False, default=""),
    sa.Column("began_at", Float, nullable=False),
    sa.Column("seen_at", Float, nullable=False),
    sa.Column("lasts_s", Float, nullable=False),
    comment="what other monitors say is wrong now",
)
