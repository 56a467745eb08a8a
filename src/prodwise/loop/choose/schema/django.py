"""Django: the operations of a Migration class.

A default in a Django model is Django's, not the database's: once the column is there its default is taken away again, and a
release that does not know of the column writes rows without it. Only `null=True` and `db_default` keep such rows possible.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Final

from prodwise.loop.choose.schema import python, sql
from prodwise.loop.choose.schema.notes import (
    DROPS,
    RENAMES,
    REWRITES,
    Column,
    Notes,
    Unreadable,
    shown,
)

_DROPS: Final = frozenset({"DeleteModel", "RemoveField", "RemoveIndex", "RemoveConstraint", "RemoveIndexConcurrently"})
_RENAMES: Final = frozenset({"RenameField", "RenameModel", "AlterModelTable"})
_STATE_ONLY: Final = frozenset({"AlterModelOptions", "AlterModelManagers", "AlterModelTableComment", "RenameIndex"})
_NARROWS: Final = frozenset({"AlterUniqueTogether", "AddConstraint", "AlterOrderWithRespectTo"})
_POSTGRES: Final = "django.contrib.postgres.operations"
_EXTENSIONS: Final = frozenset(
    {"BtreeGinExtension", "BtreeGistExtension", "CITextExtension", "CreateExtension", "CryptoExtension", "HStoreExtension",
     "TrigramExtension", "UnaccentExtension"}
)  # fmt: skip
_NO_COLUMN: Final = frozenset({"ManyToManyField", "GenericRelation", "GeneratedField"})


def read(notes: Notes, text: str) -> None:
    """Raises Unreadable."""
    tree = python.parse(text)
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    known = python.imported_as(tree, "django.db", "migrations") and python.plain_module(tree.body)
    if not known or [one.name for one in classes] != ["Migration"]:
        raise Unreadable("it is no Django migration of the usual form")
    if [python.dotted(base) for base in classes[0].bases] != ["migrations.Migration"]:
        raise Unreadable("it is no Django migration of the usual form")
    operations = _operations(classes[0])
    extensions = {name for name in _EXTENSIONS | {"AddIndexConcurrently"} if python.imported_as(tree, _POSTGRES, name)}
    for operation in operations:
        _operation(notes, operation, extensions)


def _operations(found: ast.ClassDef) -> list[ast.expr]:
    """Raises Unreadable unless they stand there as a plain list."""
    operations: list[ast.expr] | None = None
    for node in found.body:
        if isinstance(node, ast.Pass) or python.is_docstring(node):
            continue
        if not isinstance(node, ast.Assign) or len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
            raise Unreadable("its class holds more than the usual")
        if node.targets[0].id == "operations":
            if not isinstance(node.value, ast.List) or operations is not None:
                raise Unreadable("its operations are made while it runs")
            operations = node.value.elts
        elif not python.pure(node.value):
            raise Unreadable("its class holds more than the usual")
    return operations or []


def _operation(notes: Notes, node: ast.expr, extensions: set[str]) -> None:
    call = node if isinstance(node, ast.Call) else None
    owner, _, name = python.dotted(call.func).rpartition(".") if call is not None else ("", "", "")
    if call is None or not (owner == "migrations" or (not owner and name in extensions)):
        return notes.unknown(node.lineno, f"runs {shown(name or 'something')}")
    if name in extensions and not owner:
        return notes.expand(call.lineno, name)
    if name in ("RunPython", "SeparateDatabaseAndState"):
        if name == "RunPython":
            return notes.data(call.lineno, "RunPython")
        return notes.unknown(call.lineno, name)
    if not python.plain_arguments(call):
        return notes.unknown(call.lineno, f"{shown(name)} with what is made while it runs")
    model = _argument(call, 0, "model_name") or _argument(call, 0, "name")
    field = _argument(call, 1, "name") if name in ("AddField", "RemoveField", "AlterField") else ""
    what = f"{name} {shown(model)}{'.' + shown(field) if field else ''}"
    if name in _DROPS:
        return notes.contract(call.lineno, what, DROPS)
    if name in _RENAMES:
        return notes.contract(call.lineno, what, RENAMES)
    if name in _NARROWS:
        return notes.constraint(call.lineno, what, model.lower())
    if name in _STATE_ONLY:
        return notes.expand(call.lineno, what, "it changes nothing that a release reads or writes")
    known = _KNOWN.get(name)
    return known(notes, call, what) if known else notes.unknown(call.lineno, what)


def _argument(call: ast.Call, place: int, name: str) -> str:
    given = python.keywords(call).get(name) or (call.args[place] if place < len(call.args) else None)
    return python.text_of(given)


def _create_model(notes: Notes, call: ast.Call, what: str) -> None:
    notes.made(_argument(call, 0, "name").lower())
    notes.expand(call.lineno, what)


def _add_index(notes: Notes, call: ast.Call, what: str) -> None:
    notes.expand(call.lineno, what)


def _alter_field(notes: Notes, call: ast.Call, what: str) -> None:
    """What the field was before does not stand here."""
    if _argument(call, 0, "model_name").lower() in notes.tables:
        return notes.expand(call.lineno, what, "it is on what this migration adds itself")
    return notes.contract(call.lineno, what, REWRITES)


def _add_field(notes: Notes, call: ast.Call, what: str) -> None:
    model, name = _argument(call, 0, "model_name").lower(), _argument(call, 1, "name")
    field = python.keywords(call).get("field") or (call.args[2] if len(call.args) > 2 else None)
    if not isinstance(field, ast.Call) or not model or not name:
        return notes.unknown(call.lineno, what)
    given = python.keywords(field)
    flags = {key: python.flag(given[key]) for key in ("null", "unique", "primary_key") if key in given}
    if None in flags.values():
        return notes.unknown(call.lineno, what)
    kind = python.dotted(field.func).rpartition(".")[2]
    if kind in _NO_COLUMN:
        return notes.expand(call.lineno, what)
    unique = bool(flags.get("unique") or flags.get("primary_key")) or kind == "OneToOneField"
    default = "db_default" in given and not python.dotted(given["db_default"]).endswith("NOT_PROVIDED")
    return notes.column(call.lineno, model, name, Column(not flags.get("null", False), default, unique))


def _run_sql(notes: Notes, call: ast.Call, what: str) -> None:
    given = python.keywords(call).get("sql") or (call.args[0] if call.args else None)
    if text := python.text_of(given):
        sql.read(notes, text, given.lineno if given is not None else call.lineno)
    else:
        notes.unknown(call.lineno, what)


_KNOWN: Final[dict[str, Callable[[Notes, ast.Call, str], None]]] = {
    "CreateModel": _create_model,
    "AddField": _add_field,
    "AddIndex": _add_index,
    "AlterField": _alter_field,
    "RunSQL": _run_sql,
}
