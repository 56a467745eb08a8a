"""Rails: the calls in `change` or `up`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from prodwise.loop.choose.schema import sql
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
from prodwise.loop.choose.schema.rails_calls import Call, Node, nodes
from prodwise.loop.choose.schema.words import literal, ruby

_TYPES_NAMES: Final = (
    "bigint binary bit blob boolean box char cidr circle citext date datetime daterange decimal enum float hstore inet int4range "
    "int8range integer interval json jsonb line lseg ltree macaddr mediumint mediumtext longtext money numeric numrange oid path "
    "point polygon smallint string text time timestamp timestamptz tinyint tsrange tstzrange tsvector unsigned_integer uuid "
    "vector virtual xml"
)
TYPES: Final = frozenset(_TYPES_NAMES.split())
_SWITCHES: Final = frozenset({"disable_ddl_transaction!", "disable_lock_timeout!"})
_WRAPPERS: Final = frozenset({"safety_assured", "up_only"})
_CONSTRAINTS: Final = frozenset(
    {"add_foreign_key", "add_check_constraint", "add_unique_constraint", "add_exclusion_constraint", "foreign_key",
     "check_constraint", "unique_constraint", "exclusion_constraint"}
)  # fmt: skip
_HARMLESS: Final = frozenset(
    {"enable_extension", "create_enum", "create_schema", "create_join_table", "change_column_comment", "change_table_comment",
     "validate_foreign_key", "validate_check_constraint", "validate_constraint"}
)  # fmt: skip


def read(notes: Notes, text: str) -> None:
    """Raises Unreadable."""
    classes = [node for node in nodes(ruby(text)) if node.head != "require"]
    if len(classes) != 1 or classes[0].head != "class":
        raise Unreadable("it is no Rails migration of the usual form")
    inherits = [word.text for word in classes[0].words]
    if "<" not in inherits or inherits[inherits.index("<") + 1 :][:3] != ["ActiveRecord", "::", "Migration"]:
        raise Unreadable("it is no Rails migration of the usual form")
    ways = []
    for node in classes[0].body:
        if node.head == "def":
            ways.append(node)
        elif node.head not in _SWITCHES or node.body:
            raise Unreadable("its class holds more than the usual")
    _ways(notes, ways)


def _ways(notes: Notes, ways: Sequence[Node]) -> None:
    names = [way.words[1].text if len(way.words) > 1 else "" for way in ways]
    if sorted(names) not in (["change"], ["up"], ["down", "up"]) or any(len(way.words) > 2 for way in ways):
        raise Unreadable("it has no `change` or `up` of the usual form")
    for name, way in zip(names, ways, strict=True):
        if name != "down":
            _body(notes, way.body)
        elif any(node.head == "raise" for node in way.body):
            notes.contract(way.line, "down raises", FINAL)


def _body(notes: Notes, body: Sequence[Node]) -> None:
    for node in body:
        call = node.call()
        head = node.head
        if head in _WRAPPERS and call is not None and not call.arguments and node.body:
            _body(notes, node.body)
        elif head in ("create_table", "change_table") and call is not None:
            _table(notes, node, call)
        elif call is None or node.body:
            notes.unknown(node.line, f"{shown(head)} with more than plain arguments")
        elif head == "execute":
            _execute(notes, node, call)
        elif head == "add_column":
            _column(notes, call, call.name(0), call.name(1))
        else:
            _change(notes, head, call)


def _change(notes: Notes, head: str, call: Call, table: str = "") -> None:
    """A call about an existing table. table: the one whose block it stands in, "" outside of one."""
    about, first = table or call.name(0), 0 if table else 1
    what = f"{shown(head)} {shown(about)} {shown(call.name(first))}".rstrip()
    if head.startswith(("remove", "drop_")):
        notes.contract(call.line, what, DROPS)
    elif head.startswith("rename"):
        notes.contract(call.line, what, RENAMES)
    elif head in ("add_index", "index"):
        _index(notes, call, about, first)
    elif head in ("add_reference", "add_belongs_to", "references", "belongs_to"):
        _column(notes, call, about, call.name(first))
    elif head in ("add_timestamps", "timestamps"):
        given = call.option("null") == "true"
        notes.column(call.line, about, "created_at", Column(not given, call.has_default()))
    elif head in _CONSTRAINTS:
        notes.constraint(call.line, what, about)
    elif head in ("change_column_default", "change_default"):
        _default(notes, call, what, first)
    elif head in ("change_column_null", "change_null"):
        null = call.values[first + 1] if len(call.values) > first + 1 else ""
        notes.contract(call.line, what, RELAXES if null == "true" else NARROWS)
    elif head in ("change_column", "change"):
        notes.contract(call.line, what, REWRITES)
    elif head == "add_enum_value":
        notes.contract(call.line, what, RELAXES)
    elif head in _HARMLESS and not table:
        notes.expand(call.line, what)
    else:
        notes.unknown(call.line, f"calls {shown(head)}")


def _column(notes: Notes, call: Call, table: str, name: str) -> None:
    null, unique = call.option("null"), call.option("unique")
    if not table or not name or null not in ("", "true", "false") or unique not in ("", "true", "false"):
        notes.unknown(call.line, f"adds a column to {shown(table)}")
        return
    notes.column(call.line, table, name, Column(null == "false", call.has_default(), unique == "true"))


def _index(notes: Notes, call: Call, table: str, first: int) -> None:
    unique = call.option("unique")
    if not table or unique not in ("", "true", "false"):
        notes.unknown(call.line, f"adds an index to {shown(table)}")
    elif unique == "true":
        notes.constraint(call.line, f"makes {shown(table)} unique", table, [one for one in [call.name(first)] if one])
    else:
        notes.expand(call.line, f"adds an index to {shown(table)}")


def _default(notes: Notes, call: Call, what: str, first: int) -> None:
    given = call.option("to") or (call.values[first + 1] if len(call.values) > first + 1 else "nil")
    if given == "nil":
        notes.contract(call.line, what, NARROWS)
    else:
        notes.expand(call.line, what)


def _execute(notes: Notes, node: Node, call: Call) -> None:
    text = literal(call.arguments[0], holes="#{") if len(call.arguments) == 1 else None
    if text is None:
        notes.unknown(call.line, "executes SQL that is made while it runs")
    else:
        sql.read(notes, text, call.arguments[0].line)


def _table(notes: Notes, node: Node, call: Call) -> None:
    table, creates = call.name(0), node.head == "create_table"
    if not table or (node.body and not node.variable) or call.option("as"):
        notes.unknown(node.line, f"{node.head} {shown(table)}")
        return
    if creates:
        if call.option("force") not in ("", "false", "nil"):
            notes.contract(node.line, f"creates table {shown(table)} by force", DROPS)
        elif not call.option("if_not_exists"):
            notes.made(table)
        notes.expand(node.line, f"creates table {shown(table)}")
    for inner in node.body:
        found = inner.call_on(node.variable)
        if found is None or inner.body:
            notes.unknown(inner.line, f"{node.head} {shown(table)} with more than plain calls")
        elif not creates or table not in notes.tables:
            _in_table(notes, table, *found)


def _in_table(notes: Notes, table: str, head: str, call: Call) -> None:
    if head in TYPES:
        names = [call.name(place) for place in range(len(call.values))]
        for name in names or [""]:
            _column(notes, call, table, name)
    elif head == "column":
        _column(notes, call, table, call.name(0))
    else:
        _change(notes, head, call, table)
