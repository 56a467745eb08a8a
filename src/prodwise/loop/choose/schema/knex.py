"""Knex: chains on `knex.schema`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from prodwise.loop.choose.schema import sql
from prodwise.loop.choose.schema.node import Chain, Step, arguments, callback, chains, plain, way_up
from prodwise.loop.choose.schema.notes import DROPS, NARROWS, RELAXES, RENAMES, REWRITES, Column, Notes, shown
from prodwise.loop.choose.schema.words import Part, Word, javascript, literal

_TYPES_NAMES: Final = (
    "bigInteger bigint binary boolean date dateTime datetime decimal double enu enum float geography geometry int integer json "
    "jsonb mediumint point smallint string text time timestamp tinyint uuid"
)
_TYPES: Final = frozenset(_TYPES_NAMES.split())
_MODIFIERS_NAMES: Final = (
    "after collate comment defaultTo first inTable index notNull notNullable nullable on onDelete onUpdate references unique "
    "unsigned withKeyName"
)
_MODIFIERS: Final = frozenset(_MODIFIERS_NAMES.split())
_TABLES: Final = frozenset({"table", "alterTable"})
_ROWS: Final = frozenset({"insert", "update", "del", "delete", "truncate", "increment", "decrement", "batchInsert"})
_HARMLESS: Final = frozenset(
    {"createSchema", "createSchemaIfNotExists", "createExtension", "createExtensionIfNotExists"}
)


def read(notes: Notes, text: str) -> None:
    """Raises Unreadable."""
    up = way_up(javascript(text))
    for chain in chains(up.body):
        if isinstance(chain, int):
            notes.unknown(chain, "a statement of its own", "what it does cannot be told without running it")
        else:
            _chain(notes, chain, up.variable)


def _chain(notes: Notes, chain: Chain, root: str) -> None:
    first, rest = chain[0], chain[1:]
    if first.name == root and first.call is None and rest and rest[0].name == "raw" and len(rest) == 1:
        return _raw(notes, rest[0])
    if first.name == root and any(step.name in _ROWS for step in rest):
        return notes.data(first.line, "changes rows")
    if first.name != root or first.call is not None or not rest or rest[0].name != "schema" or rest[0].call is not None:
        return notes.unknown(first.line, f"calls {shown(first.name)}")
    if len(rest) == 1:
        return notes.unknown(first.line, "knex.schema")
    scoped = any(step.name == "withSchema" for step in rest)
    for step in rest[1:]:
        _step(notes, step, root, scoped=scoped)
    return None


def _step(notes: Notes, step: Step, root: str, *, scoped: bool) -> None:
    """scoped: in a schema that is named elsewhere, so that tables are not told apart by their name."""
    given = arguments(step.call or ())
    table = _name(given, 0)
    what = f"{shown(step.name)} {shown(table)}".rstrip()
    if step.call is None:
        notes.unknown(step.line, what)
    elif step.name in ("createTable", "createTableIfNotExists", *_TABLES):
        function = callback(given[1]) if len(given) == 2 else None
        if function is None or not table:
            notes.unknown(step.line, what)
        elif step.name in _TABLES:
            _table(notes, table, chains(function.body), function.variable, root)
        else:
            _create(notes, step, table, chains(function.body), (function.variable, root), scoped=scoped)
    elif step.name.startswith("drop"):
        notes.contract(step.line, what, DROPS)
    elif step.name.startswith("rename"):
        notes.contract(step.line, what, RENAMES)
    elif step.name == "raw":
        _raw(notes, step)
    elif step.name in _HARMLESS or step.name == "withSchema":
        notes.expand(step.line, what)
    else:
        notes.unknown(step.line, f"calls {shown(step.name)}")


def _raw(notes: Notes, step: Step) -> None:
    given = arguments(step.call or ())
    text = literal(given[0][0], holes="${") if len(given) == 1 and len(given[0]) == 1 else None
    if text is None:
        notes.unknown(step.line, "runs SQL that is made while it runs")
    else:
        sql.read(notes, text, given[0][0].line)


def _create(
    notes: Notes, step: Step, table: str, body: Sequence[Chain | int], names: tuple[str, str], *, scoped: bool
) -> None:
    """All that is done with the new table's own variable concerns the new table. names: that variable, and knex's."""
    own = [chain for chain in body if not isinstance(chain, int) and chain[0].name == names[0]]
    if len(own) != len(body) or not all(_plain_step(step, names[1]) for chain in own for step in chain):
        notes.unknown(step.line, f"creates table {shown(table)} with more than plain calls")
        return
    if step.name == "createTable" and not scoped:
        notes.made(table)
    notes.expand(step.line, f"creates table {shown(table)}")


def _table(notes: Notes, table: str, body: Sequence[Chain | int], variable: str, root: str) -> None:
    for chain in body:
        if isinstance(chain, int):
            notes.unknown(chain, f"alters {shown(table)} with more than plain calls")
        elif chain[0].name != variable or len(chain) < 2 or any(step.call is None for step in chain[1:]):
            notes.unknown(chain[0].line, f"alters {shown(table)} with more than plain calls")
        elif not all(_plain_step(step, root) for step in chain[1:]):
            notes.unknown(chain[0].line, f"alters {shown(table)} with what is made while it runs")
        else:
            _in_table(notes, table, chain[1:])


def _plain_step(step: Step, root: str) -> bool:
    """A default may be made by the database: `knex.fn.now()`, `knex.raw('…')`."""
    return plain(step.call or (), *(() if step.name == "defaultTo" else (root,)))


def _in_table(notes: Notes, table: str, steps: Chain) -> None:
    first, names = steps[0], {step.name for step in steps[1:]}
    given = arguments(first.call or ())
    column, what = _name(given, 0), f"{shown(first.name)} {shown(table)}.{shown(_name(given, 0))}"
    if "alter" in names:
        notes.contract(first.line, what, REWRITES)
    elif first.name in _TYPES and column and names <= _MODIFIERS:
        notes.column(first.line, table, column, _column(steps[1:]))
    elif first.name.startswith(("drop", "setNullable")):
        notes.contract(first.line, what, RELAXES if first.name == "setNullable" else DROPS)
    elif first.name.startswith("rename"):
        notes.contract(first.line, what, RENAMES)
    elif first.name == "index" and not names:
        notes.expand(first.line, f"adds an index to {shown(table)}")
    elif first.name in ("unique", "primary", "foreign", "check", "checkIn"):
        notes.constraint(first.line, f"{first.name} on {shown(table)}", table, [column] if column else ())
    elif first.name == "timestamps" and not names:
        notes.expand(first.line, f"adds timestamps to {shown(table)}", "they may be left out")
    elif first.name == "comment":
        notes.expand(first.line, what)
    elif first.name == "dropNullable":
        notes.contract(first.line, what, NARROWS)
    else:
        notes.unknown(first.line, what)


def _column(modifiers: Chain) -> Column:
    calls = {step.name: step.call or () for step in modifiers}
    given = calls.get("defaultTo")
    null = (
        given is not None and len(given) == 1 and isinstance(given[0], Word) and given[0].text in ("null", "undefined")
    )
    return Column(bool({"notNull", "notNullable"} & set(calls)), bool(given) and not null, "unique" in calls)


def _name(given: Sequence[Sequence[Part]], place: int) -> str:
    return (literal(given[place][0], holes="${") or "") if place < len(given) and len(given[place]) == 1 else ""
