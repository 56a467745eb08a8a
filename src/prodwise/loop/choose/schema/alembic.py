"""Alembic (and Flask-Migrate): what `upgrade()` calls."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Final

from prodwise.loop.choose.schema import python, sql
from prodwise.loop.choose.schema.notes import (
    DROPS,
    FINAL,
    NARROWS,
    RELAXES,
    RENAMES,
    REWRITES,
    Column,
    Notes,
    Unreadable,
    shown,
)

_NARROWING: Final = ("create_check_constraint", "create_primary_key", "create_exclude_constraint")
_COMMENTS: Final = ("create_table_comment",)
_FILLED: Final = frozenset({"Identity", "Computed"})
_HARMLESS_CHANGES: Final = frozenset({"comment", "schema", "autoincrement"})


def read(notes: Notes, text: str) -> None:
    """Raises Unreadable."""
    tree = python.parse(text)
    plain = python.plain_module(tree.body) and not any(isinstance(node, ast.ClassDef) for node in tree.body)
    if not plain or not python.imported_as(tree, "alembic", "op"):
        raise Unreadable("it is no Alembic migration of the usual form")
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    ups = [node for node in functions if node.name == "upgrade"]
    if len(ups) != 1 or ups[0].args.args:
        raise Unreadable("it has no upgrade() of the usual form")
    _body(notes, ups[0].body, "op", "")
    for down in functions:
        if down.name == "downgrade" and any(isinstance(node, ast.Raise) for node in ast.walk(down)):
            notes.contract(down.lineno, "downgrade() raises", FINAL)


def _body(notes: Notes, body: list[ast.stmt], root: str, table: str) -> None:
    """root: what operations are called on; table: the one of the batch, "" outside of one."""
    for node in body:
        if isinstance(node, ast.Pass) or python.is_docstring(node):
            continue
        if isinstance(node, ast.With):
            _with(notes, node)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            _call(notes, node.value, root, table)
        else:
            notes.unknown(node.lineno, "a statement of its own", "what it does cannot be told without running it")


def _with(notes: Notes, node: ast.With) -> None:
    """A batch of changes of one table, or a block outside of the transaction."""
    call = node.items[0].context_expr
    name = python.dotted(call.func) if isinstance(call, ast.Call) else ""
    alias = node.items[0].optional_vars
    if isinstance(call, ast.Call) and len(node.items) == 1:
        table = python.text_of(call.args[0]) if call.args else ""
        if name == "op.batch_alter_table" and table and isinstance(alias, ast.Name) and python.plain_arguments(call):
            return _body(notes, node.body, alias.id, table)
        match call.func:
            case ast.Attribute(value=ast.Call(func=inner), attr="autocommit_block"):
                if python.dotted(inner) == "op.get_context" and alias is None:
                    return _body(notes, node.body, "op", "")
    return notes.unknown(node.lineno, "a block of its own")


def _call(notes: Notes, call: ast.Call, root: str, table: str) -> None:
    owner, _, name = python.dotted(call.func).rpartition(".")
    if owner != root or not python.plain_arguments(call):
        return notes.unknown(call.lineno, f"calls {shown(python.dotted(call.func) or 'something')}")
    arguments = [*([ast.Constant(table)] if table else []), *call.args]
    if table and name in _NAME_FIRST:  # in a batch the name comes first, and the table is left out
        arguments = [*call.args[:1], ast.Constant(table), *call.args[1:]]
    known = _KNOWN.get(name)
    if known is not None:
        return known(notes, call, arguments)
    if name.startswith("drop_"):
        target = ".".join(python.text_of(argument) for argument in arguments)
        return notes.contract(call.lineno, f"{name} {shown(target)}", DROPS)
    if name.startswith("rename_"):
        return notes.contract(call.lineno, f"{name} {shown(_text(arguments, 0))}", RENAMES)
    if name == "bulk_insert":
        return notes.data(call.lineno, "bulk_insert of rows")
    return notes.unknown(call.lineno, f"calls op.{shown(name)}")


def _text(arguments: list[ast.expr], place: int) -> str:
    return python.text_of(arguments[place]) if place < len(arguments) else ""


def _table(call: ast.Call, name: str) -> str:
    """As it is compared, with its schema; "" when that is not plain."""
    given = python.keywords(call)
    schema = python.text_of(given.get("schema"))
    if "schema" in given and not schema and not python.is_none(given["schema"]):
        return ""
    return f"{schema}.{name}" if schema and name else name


def _create_table(notes: Notes, call: ast.Call, arguments: list[ast.expr]) -> None:
    name = _table(call, _text(arguments, 0))
    if not name:
        return notes.unknown(call.lineno, "creates a table without a plain name")
    if "if_not_exists" not in python.keywords(call):
        notes.made(name)
    return notes.expand(call.lineno, f"creates table {shown(name)}")


def _add_column(notes: Notes, call: ast.Call, arguments: list[ast.expr]) -> None:
    table, column = _table(call, _text(arguments, 0)), arguments[1] if len(arguments) > 1 else None
    if not isinstance(column, ast.Call) or python.dotted(column.func).rpartition(".")[2] != "Column":
        return notes.unknown(call.lineno, f"adds a column to {shown(table)}")
    name, given = python.text_of(column.args[0]) if column.args else "", python.keywords(column)
    flags = {key: python.flag(given[key]) for key in ("nullable", "primary_key", "unique") if key in given}
    if not table or not name or None in flags.values():
        return notes.unknown(call.lineno, f"adds a column to {shown(table)}")
    made = {python.dotted(part.func).rpartition(".")[2] for part in column.args if isinstance(part, ast.Call)}
    if made & _FILLED:
        return notes.column(call.lineno, table, name, Column(default=True))
    required = not flags.get("nullable", True) or bool(flags.get("primary_key"))
    default = "server_default" in given and not python.is_none(given["server_default"])
    return notes.column(call.lineno, table, name, Column(required, default, bool(flags.get("unique"))))


def _create_index(notes: Notes, call: ast.Call, arguments: list[ast.expr]) -> None:
    """(name, table, columns, unique=…)"""
    table, given = _table(call, _text(arguments, 1)), python.keywords(call).get("unique")
    unique = python.flag(given) if given is not None else False
    if not table or unique is None:
        return notes.unknown(call.lineno, f"adds an index to {shown(table)}")
    if unique:
        columns = python.texts_of(arguments[2] if len(arguments) > 2 else None)
        return notes.constraint(call.lineno, f"makes {shown(table)} unique", table, columns)
    return notes.expand(call.lineno, f"adds an index to {shown(table)}")


def _create_unique(notes: Notes, call: ast.Call, arguments: list[ast.expr]) -> None:
    """(name, table, columns)"""
    table, columns = _table(call, _text(arguments, 1)), python.texts_of(arguments[2] if len(arguments) > 2 else None)
    notes.constraint(call.lineno, f"makes {shown(table)} unique", table, columns)


def _create_foreign_key(notes: Notes, call: ast.Call, arguments: list[ast.expr]) -> None:
    """(name, table, the other table, columns, the other's columns)"""
    own = "" if "source_schema" in python.keywords(call) else _text(arguments, 1)
    table, columns = own, python.texts_of(arguments[3] if len(arguments) > 3 else None)
    notes.constraint(call.lineno, f"adds a foreign key to {shown(table)}", table, columns)


def _narrowing(notes: Notes, call: ast.Call, arguments: list[ast.expr]) -> None:
    table = _table(call, _text(arguments, 1))
    notes.constraint(call.lineno, f"adds a constraint to {shown(table)}", table)


def _comment(notes: Notes, call: ast.Call, arguments: list[ast.expr]) -> None:
    notes.expand(call.lineno, f"comments on {shown(_text(arguments, 0))}")


def _alter_column(notes: Notes, call: ast.Call, arguments: list[ast.expr]) -> None:
    table, column, line = _text(arguments, 0), _text(arguments, 1), call.lineno
    named, before = f"{shown(table)}.{shown(column)}", len(notes.found)
    for key, value in python.keywords(call).items():
        if key in _HARMLESS_CHANGES or key.startswith("existing_"):
            continue
        if key == "new_column_name":
            notes.contract(line, f"renames {named}", RENAMES)
        elif key == "type_":
            notes.contract(line, f"changes the type of {named}", REWRITES)
        elif key == "nullable" and python.flag(value) is not None:
            narrows = python.flag(value) is False
            notes.contract(
                line, f"{'makes' if narrows else 'lets'} {named} {'NOT ' if narrows else 'be '}NULL",
                NARROWS if narrows else RELAXES,
            )  # fmt: skip
        elif key == "server_default" and not python.is_none(value) and python.flag(value) is None:
            notes.expand(line, f"gives {named} a default")
        elif key == "server_default":
            notes.contract(line, f"takes the default of {named} away", NARROWS)
        else:
            notes.unknown(line, f"alters {named}: {shown(key)}")
    if len(notes.found) == before:
        notes.expand(line, f"comments on {named}")


def _execute(notes: Notes, call: ast.Call, arguments: list[ast.expr]) -> None:
    given = call.args[0] if len(call.args) == 1 else None
    if isinstance(given, ast.Call) and python.dotted(given.func).rpartition(".")[2] == "text" and len(given.args) == 1:
        given = given.args[0]
    if text := python.text_of(given):
        sql.read(notes, text, given.lineno if given is not None else call.lineno)
    else:
        notes.unknown(call.lineno, "executes SQL that is made while it runs")


_KNOWN: Final[dict[str, Callable[[Notes, ast.Call, list[ast.expr]], None]]] = {
    "create_table": _create_table,
    "add_column": _add_column,
    "create_index": _create_index,
    "create_unique_constraint": _create_unique,
    "create_foreign_key": _create_foreign_key,
    "alter_column": _alter_column,
    "execute": _execute,
    **dict.fromkeys(_NARROWING, _narrowing),
    **dict.fromkeys(_COMMENTS, _comment),
}
_NAME_FIRST: Final = frozenset({"create_index", "create_unique_constraint", "create_foreign_key", *_NARROWING})
