"""Which changed files are migrations, and who reads them. A file that lies among migrations and has no reader is unknown."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Final

from prodwise.loop.choose.schema import alembic, django, knex, rails, sql, typeorm
from prodwise.loop.choose.schema.notes import Notes

Reader = Callable[[Notes, str], None]

SOURCE: Final = frozenset({".py", ".rb", ".js", ".ts", ".mjs", ".cjs", ".mts", ".cts"})
"""Suffixes of files that may be migrations wherever they lie."""
_MARKS: Final = frozenset({"migrations", "migration", "drizzle", "alembic", "changelog"})
_RUNS_NOTHING: Final = frozenset(
    {
        ".md",
        ".txt",
        ".rst",
        ".json",
        ".toml",
        ".lock",
        ".mako",
        ".ini",
        ".cfg",
        ".gitkeep",
        ".keep",
        ".gitignore",
        ".prisma",
        ".snap",
    }
)
_FLYWAY: Final = re.compile(r"^(?:[VBR][\d._]*__|V\d)", re.I)
_WAY_DOWN: Final = re.compile(r"(?:\.down\.sql|^down\.sql|^U[\d._]+__.*\.sql)$", re.I)
_JS_UP: Final = re.compile(r"\bup\b\s*[=:(]")


def is_source(path: str) -> bool:
    """Whether its text must be looked at to tell."""
    return PurePosixPath(path).suffix.lower() in SOURCE


def lies_among_migrations(path: str) -> bool:
    """Told by its place alone."""
    where = PurePosixPath(path)
    folders = {part.lower() for part in where.parts[:-1]}
    if where.suffix.lower() == ".sql" and _FLYWAY.match(where.name):
        return True
    return bool(folders & _MARKS) or ("migrate" in folders and where.suffix.lower() in (".rb", ".sql"))


def is_migration(path: str, text: str) -> bool:
    """By its place or its text; not what only stands beside migrations, or is their way down."""
    where = PurePosixPath(path)
    if _WAY_DOWN.search(where.name):
        return False
    if lies_among_migrations(path):
        beside = (where.suffix or where.name).lower() in _RUNS_NOTHING
        return not beside and not (where.name == "__init__.py" and not text.strip())
    return is_source(path) and reader(path, text) is not None


def reader(path: str, text: str) -> Reader | None:
    suffix = PurePosixPath(path).suffix.lower()
    if suffix == ".sql":
        return sql.read
    if suffix == ".py":
        return _python(text)
    if suffix == ".rb":
        return rails.read if "ActiveRecord::Migration" in text else None
    if suffix in SOURCE and "MigrationInterface" in text:
        return typeorm.read
    return (
        knex.read if suffix in SOURCE and "schema" in text and _JS_UP.search(text) and "knex" in text.lower() else None
    )


def _python(text: str) -> Reader | None:
    if re.search(r"^down_revision\b", text, re.M):
        return alembic.read
    return django.read if "migrations.Migration" in text else None
