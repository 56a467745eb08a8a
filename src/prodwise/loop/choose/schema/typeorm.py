"""TypeORM: SQL in `queryRunner.query`, and its own calls."""

from __future__ import annotations

from typing import Final

from prodwise.loop.choose.schema import sql
from prodwise.loop.choose.schema.node import Step, arguments, chains, plain, way_up
from prodwise.loop.choose.schema.notes import DROPS, RENAMES, REWRITES, Column, Notes, Unreadable, shown
from prodwise.loop.choose.schema.words import Group, Part, Word, javascript, literal

_NARROWING: Final = frozenset(
    {"createForeignKey", "createForeignKeys", "createUniqueConstraint", "createUniqueConstraints", "createCheckConstraint",
     "createPrimaryKey"}
)  # fmt: skip


def read(notes: Notes, text: str) -> None:
    """Raises Unreadable."""
    up = way_up(javascript(text))
    for chain in chains(up.body):
        if isinstance(chain, int):
            notes.unknown(chain, "a statement of its own", "what it does cannot be told without running it")
        elif len(chain) == 2 and chain[0].name == up.variable and chain[0].call is None and chain[1].call is not None:
            _call(notes, chain[1], up.variable)
        else:
            notes.unknown(chain[0].line, f"calls {shown(chain[0].name)}")


def _call(notes: Notes, step: Step, root: str) -> None:
    given = arguments(step.call or ())
    if step.name == "query":
        return _query(notes, step, given)
    table = (literal(given[0][0], holes="${") or "") if given and len(given[0]) == 1 else ""
    what = f"{shown(step.name)} {shown(table)}".rstrip()
    if step.name.startswith(("drop", "clear")):
        return notes.contract(step.line, what, DROPS)
    if step.name.startswith("rename"):
        return notes.contract(step.line, what, RENAMES)
    if step.name.startswith("change") or step.name == "updatePrimaryKeys":
        return notes.contract(step.line, what, REWRITES)
    if not plain(step.call or (), root):
        return notes.unknown(step.line, what)
    if step.name == "createTable":
        return notes.expand(step.line, "creates a table")
    if step.name in _NARROWING:
        return notes.constraint(step.line, what, table)
    if step.name == "addColumn" and table and len(given) == 2:
        return _add_column(notes, step, table, given[1])
    if step.name == "createIndex" and table and len(given) == 2:
        unique = any(isinstance(part, Group) and "isUnique" in _keys(part) for part in _inside(given[1]))
        if unique:
            return notes.constraint(step.line, f"makes {shown(table)} unique", table)
        return notes.expand(step.line, f"adds an index to {shown(table)}")
    return notes.unknown(step.line, what)


def _query(notes: Notes, step: Step, given: list[list[Part]]) -> None:
    text = literal(given[0][0], holes="${") if len(given) == 1 and len(given[0]) == 1 else None
    if text is None:
        notes.unknown(step.line, "runs SQL that is made while it runs")
    else:
        sql.read(notes, text, given[0][0].line)


def _add_column(notes: Notes, step: Step, table: str, given: list[Part]) -> None:
    """`new TableColumn({ name: "x", type: "int", isNullable: true })`; without isNullable a column is NOT NULL."""
    objects = [part for part in _inside(given) if isinstance(part, Group) and part.opens == "{"]
    options = _keys(objects[0]) if len(objects) == 1 else {}
    name = literal(options.get("name"), holes="${") or ""
    if not name or any(key not in _COLUMN for key in options):
        raise Unreadable("it adds a column in a form that is not known")
    words = {key: value.text for key, value in options.items() if isinstance(value, Word)}
    filled = "default" in options and words.get("default") not in ("null", "undefined")
    made = bool({"isGenerated", "generatedType", "generationStrategy"} & set(options))
    unique = words.get("isUnique", "false") != "false"
    notes.column(step.line, table, name, Column(words.get("isNullable") != "true", filled or made, unique and not made))


_COLUMN_NAMES: Final = (
    "name type length width precision scale isNullable isUnique isArray default comment enum enumName unsigned charset collation "
    "isGenerated generatedType generationStrategy asExpression"
)
_COLUMN: Final = frozenset(_COLUMN_NAMES.split())


def _inside(given: list[Part]) -> tuple[Part, ...]:
    """What stands in the brackets of `new Something(…)`, or the object itself."""
    last = given[-1]
    return last.parts if isinstance(last, Group) and last.opens == "(" else tuple(given)


def _keys(found: Group) -> dict[str, Part]:
    """`name: value` pairs of an object; spread and shorthand count under their own text, so that they are not known."""
    pairs: dict[str, Part] = {}
    for one in arguments(found.parts):
        key = one[0].text if isinstance(one[0], Word) else "?"
        named = len(one) == 3 and isinstance(one[1], Word) and one[1].text == ":"
        pairs[key if named else f"?{key}"] = one[-1]
    return pairs
