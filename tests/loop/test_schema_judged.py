"""The readers of migrations beside those who know better: Alembic's own generator, and sqlglot's reading of SQL."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa
import sqlglot
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from prodwise.loop.choose import schema
from prodwise.model.schema import FileChange, Finding, MigrationFile, SchemaKind

HEAD = (
    "from alembic import op\nimport sqlalchemy as sa\n\nrevision = 'b'\ndown_revision = 'a'\n\n\ndef upgrade():\n    "
)


def tables(*columns: sa.Column[Any], more: Sequence[sa.schema.SchemaItem] = (), pets: bool = False) -> sa.MetaData:
    found = sa.MetaData()
    sa.Table("users", found, sa.Column("id", sa.Integer, primary_key=True), *columns, *more)
    if pets:
        owner = sa.Column("owner_id", sa.ForeignKey("users.id"), nullable=False, unique=True)
        sa.Table(
            "pets",
            found,
            sa.Column("id", sa.Integer, primary_key=True),
            owner,
            sa.Column("born", sa.DateTime, index=True),
        )
    return found


def text(name: str, **more: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.String(50), **more)


GENERATED = [
    ("a new table", tables(), tables(pets=True), True),
    ("a nullable column", tables(), tables(text("mail")), True),
    ("a column with a default in the database", tables(), tables(text("mail", nullable=False, server_default="x")), True),
    ("a column with a default in Python only", tables(), tables(text("mail", nullable=False, default="x")), False),
    ("a column without a default", tables(), tables(text("mail", nullable=False)), False),
    ("an index", tables(text("mail")), tables(text("mail", index=True)), True),
    ("a unique index", tables(text("mail")), tables(text("mail", index=True, unique=True)), False),
    ("a new column that is unique", tables(), tables(text("mail", index=True, unique=True)), True),
    ("a dropped column", tables(text("mail")), tables(), False),
    ("a dropped table", tables(pets=True), tables(), False),
    ("a dropped index", tables(text("mail", index=True)), tables(text("mail")), False),
    ("another type", tables(text("mail")), tables(sa.Column("mail", sa.Integer)), False),
    ("NOT NULL", tables(text("mail")), tables(text("mail", nullable=False)), False),
    ("no longer NOT NULL", tables(text("mail", nullable=False)), tables(text("mail")), False),
    ("a renamed column", tables(text("mail")), tables(text("email")), False),
    ("nothing", tables(text("mail")), tables(text("mail")), True),
]  # fmt: skip


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize(("name", "before", "after", "safe"), GENERATED, ids=[row[0] for row in GENERATED])
def test_what_alembic_generates_is_read(
    name: str, before: sa.MetaData, after: sa.MetaData, safe: bool, batch: bool
) -> None:
    """On a real database, in both of the forms that its users commit."""
    logging.getLogger("alembic").setLevel(logging.ERROR)
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        before.create_all(connection)
        context = MigrationContext.configure(connection, opts={"compare_type": True, "target_metadata": after})
        upgrade = produce_migrations(context, after).upgrade_ops
        assert upgrade is not None
        code = render_python_code(upgrade, render_as_batch=batch, migration_context=context)
    found = schema.read_file(MigrationFile("alembic/versions/b.py", FileChange.ADDED, HEAD + code + "\n"))
    assert all(one.safe for one in found) is safe, (code, found)
    assert all(one.kind is not SchemaKind.UNKNOWN for one in found), (code, found)


DIALECTS = ("postgres", "mysql", "sqlite")
NAMES = ["users", '"Users"', "`users`", "public.users", '"a""b"', "u"]
PIECES = [
    "ADD COLUMN {n} int", "ADD {n} text DEFAULT 'a''b; DROP'", "ADD COLUMN {n} int NOT NULL", "ADD COLUMN {n} int DEFAULT 0 NOT NULL",
    "DROP COLUMN {n}", "ADD CONSTRAINT c UNIQUE ({n})", "ADD UNIQUE ({n})", "ALTER COLUMN {n} SET NOT NULL", "RENAME COLUMN {n} TO m",
    "ALTER COLUMN {n} SET DEFAULT 3", "ALTER COLUMN {n} TYPE bigint", "RENAME TO other", "MODIFY {n} bigint", "DROP PRIMARY KEY",
    "ADD INDEX i ({n})", "ADD CONSTRAINT f FOREIGN KEY ({n}) REFERENCES o (id)", "ADD CHECK ({n} > 0)",
]  # fmt: skip
WHOLE = [
    "CREATE TABLE {n} (id int PRIMARY KEY, at timestamp DEFAULT now())", "CREATE INDEX i ON {n} (a)",
    "CREATE UNIQUE INDEX i ON {n} (a)",
    "DROP TABLE {n}", "DELETE FROM {n}", "UPDATE {n} SET a = 1", "INSERT INTO {n} VALUES (1)", "TRUNCATE TABLE {n}", "DROP INDEX i",
    "CREATE TABLE x (a int); DROP TABLE x", "COMMENT ON TABLE {n} IS 'drop; it'", "CREATE VIEW v AS SELECT 1", "BEGIN", "COMMIT",
    "CREATE TABLE IF NOT EXISTS {n} (a int)",
]  # fmt: skip
GLUE = ["; ", ";\n", ";--x\n", "; /* note */ ", ";;", " ;\n-- a ' quote\n"]
UNSAFE = (exp.Drop, exp.Delete, exp.Update, exp.TruncateTable, exp.AlterRename, exp.RenameColumn, exp.ModifyColumn)


@st.composite
def scripts(draw: st.DrawFn) -> str:
    made = ""
    for _ in range(draw(st.integers(1, 4))):
        name = draw(st.sampled_from(NAMES))
        if draw(st.booleans()):
            actions = draw(st.lists(st.sampled_from(PIECES), min_size=1, max_size=3))
            made += f"ALTER TABLE {name} {', '.join(actions)}".replace(
                "{n}", draw(st.sampled_from(["a", '"b c"', "`d`"]))
            )
        else:
            made += draw(st.sampled_from(WHOLE)).replace("{n}", name)
        made += draw(st.sampled_from(GLUE))
    return made


@settings(max_examples=250, deadline=None)
@given(scripts())
def test_what_is_called_safe_drops_and_changes_nothing_in_any_dialect(script: str) -> None:
    found = schema.read_file(MigrationFile("migrations/1.sql", FileChange.ADDED, script))
    if not all(one.safe for one in found):
        return
    for dialect in DIALECTS:
        for tree in _parsed(script, dialect):
            assert not list(tree.find_all(*UNSAFE)), (dialect, script, found)
            assert not isinstance(tree, exp.Alter) or not _narrows(tree, found), (dialect, script, found)


def _parsed(script: str, dialect: str) -> list[exp.Expr]:
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    try:
        return [tree for tree in sqlglot.parse(script, dialect=dialect) if tree is not None]
    except sqlglot.errors.SqlglotError:
        return []  # no script of this dialect


def _narrows(tree: exp.Alter, found: Sequence[Finding]) -> bool:
    """A column that rows must have, and do not get by themselves."""
    made = any("this migration adds itself" in one.reason or "creates table" in one.what for one in found)
    for column in tree.find_all(exp.ColumnDef):
        kinds = [type(one.kind) for one in column.constraints]
        if exp.NotNullColumnConstraint in kinds and exp.DefaultColumnConstraint not in kinds:
            return not made
    return False
