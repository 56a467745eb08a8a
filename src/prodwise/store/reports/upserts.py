"""Rows that are there already are replaced or added to, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import sqlalchemy as sa

from prodwise.store.reports import tables

ADDED = {tables.counted: ("count",), tables.taken: ("deliveries", "events")}
"""Columns that are summed up; all others outside the primary key are replaced."""
WRITTEN = (tables.group, tables.tally, tables.counted, tables.taken, tables.call, tables.series, tables.point)
FIRST_ONLY = {tables.taken: ("first",)}


class Upserts:
    """One statement a table, made once. dialect: "sqlite" or "postgresql"."""

    def __init__(self, dialect: str) -> None:
        insert: Callable[[sa.Table], Any] = import_module(f"sqlalchemy.dialects.{dialect}").insert
        self._made = {table: _upsert(table, insert(table)) for table in WRITTEN}

    def of(self, table: sa.Table) -> sa.Insert:
        return self._made[table]


def _upsert(table: sa.Table, insert: Any) -> sa.Insert:
    added, kept = ADDED.get(table, ()), FIRST_ONLY.get(table, ())
    changed = {
        column.name: column + insert.excluded[column.name] if column.name in added else insert.excluded[column.name]
        for column in table.columns
        if not column.primary_key and column.name not in kept
    }
    made: sa.Insert = insert.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=changed)
    return made
