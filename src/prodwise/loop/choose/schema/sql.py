"""Plain SQL: a dozen forms of statement are known, in the words that PostgreSQL, MySQL and SQLite share; all else is unknown."""

from __future__ import annotations

import re
from typing import Final

from prodwise.loop.choose.schema.notes import DROPS, NARROWS, RELAXES, RENAMES, REWRITES, Notes, Unreadable, shown
from prodwise.loop.choose.schema.sql_alter import Words, alter_table, names_in
from prodwise.loop.choose.schema.sql_words import Token, script

_DOWN = re.compile(r"^[ \t]*--[ \t]*(?:\+goose|\+migrate|\+micrate|migrate:)[ \t]*down\b", re.I | re.M)
_UP = re.compile(r"^[ \t]*--[ \t]*(?:\+goose|\+migrate|\+micrate|migrate:)[ \t]*up\b", re.I | re.M)
_GONE = re.compile(r"\b(drop|truncate|rename)\b", re.I)
_TIMEOUTS: Final = frozenset({"LOCK_TIMEOUT", "STATEMENT_TIMEOUT", "IDLE_IN_TRANSACTION_SESSION_TIMEOUT"})
_HARMLESS: Final = frozenset(
    {("BEGIN",), ("BEGIN", "TRANSACTION"), ("BEGIN", "WORK"), ("START", "TRANSACTION"), ("COMMIT",), ("COMMIT", "WORK"),
     ("COMMIT", "TRANSACTION"), ("END",), ("ANALYZE",)}
)  # fmt: skip
_CHANGES_ROWS: Final = frozenset({"UPDATE", "DELETE", "MERGE", "REPLACE", "COPY", "LOAD", "UPSERT"})
_NEW_OBJECTS: Final = frozenset({"SEQUENCE", "SCHEMA", "EXTENSION", "TYPE", "DOMAIN", "COLLATION"})
_ADDS: Final = frozenset({"CREATE", "ALTER", "INSERT", "COMMENT"})
_BEGINS: Final = frozenset({"CREATE", "TRUNCATE", "EXEC", "EXECUTE", "GO", "DECLARE", "CALL", "GRANT", "REVOKE"})
_OBJECTS: Final = frozenset(
    {"TABLE", "INDEX", "VIEW", "TYPE", "SCHEMA", "DATABASE", "SEQUENCE", "FUNCTION", "PROCEDURE", "ROLE"}
)
_WRITES: Final = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE"})


def read(notes: Notes, text: str, first_line: int = 1) -> None:
    """All statements of a file's way up (or of a literal that begins at first_line)."""
    up = _way_up(notes, text)
    before = len(notes.found)
    try:
        found = script(up)
    except Unreadable as error:
        notes.unknown(first_line, "SQL", str(error))
        return
    for one in found.statements:
        _statement(notes, one, first_line - 1)
    if all(finding.safe for finding in notes.found[before:]):
        for line, why in found.doubts:
            notes.unknown(line + first_line - 1, "a comment", why)
        if gone := _GONE.search(up):
            line = first_line + up.count("\n", 0, gone.start())
            notes.unknown(line, f"holds {gone.group().upper()}", "whether it is run is not certain")


def _way_up(notes: Notes, text: str) -> str:
    down = _DOWN.search(text)
    if down is None:
        return text
    if _UP.search(text, down.end()):
        notes.unknown(0, "SQL", "its way up and down are mixed")
    return text[: down.start()]


def _statement(notes: Notes, tokens: list[Token], offset: int) -> None:
    words = Words(tokens, offset)
    line, plain = words.line, tuple(token.word() for token in tokens)
    if plain in _HARMLESS or _is_setting(words):
        return
    first = plain[0]
    if first in _ADDS and _several(tokens):
        notes.unknown(line, f"{first} and more", "several statements without a semicolon between them")
    elif first == "CREATE":
        _create(notes, words)
    elif first == "ALTER":
        _alter(notes, words)
    elif first == "INSERT":
        _insert(notes, words)
    elif first in _CHANGES_ROWS:
        notes.data(line, f"{first} of rows")
    elif first in ("DROP", "TRUNCATE"):
        notes.contract(line, " ".join(word for word in plain[:2] if word), DROPS)
    elif first == "RENAME":
        notes.contract(line, "RENAME", RENAMES)
    elif first == "REVOKE":
        notes.contract(line, "REVOKE", NARROWS)
    elif first in ("COMMENT", "GRANT"):
        notes.expand(line, first)
    else:
        notes.unknown(line, f"a statement that begins with {shown(tokens[0].text)}")


def _several(tokens: list[Token]) -> bool:
    """T-SQL needs no semicolons: whether a word that begins another statement stands outside of brackets."""
    depth, before = 0, ""
    for place, token in enumerate(tokens):
        word = token.word()
        if token.kind == "mark":
            depth += (token.text == "(") - (token.text == ")")
        elif depth == 0 and place > 0:
            begins = word in _BEGINS or (word in _WRITES and before not in ("ON", "DO"))
            if begins or (before == "ALTER" and word in _OBJECTS and place > 1):
                return True
        before = word
    return False


def _is_setting(words: Words) -> bool:
    """How long to wait, and SQLite's switch for foreign keys: nothing that stays."""
    if words.take("SET"):
        words.take("LOCAL", "SESSION")
        name = words.next_name().upper()
        return name in _TIMEOUTS and len(words.left()) <= 3 and bool(words.take_mark("=") or words.take("TO"))
    if words.take("PRAGMA"):
        return words.next_name().upper() in ("FOREIGN_KEYS", "DEFER_FOREIGN_KEYS")
    words.rewind()
    return False


def _create(notes: Notes, words: Words) -> None:
    words.take("CREATE")
    if words.take("OR", "DEFINER"):
        return notes.unknown(words.line, "CREATE OR REPLACE", REWRITES)
    words.take("GLOBAL", "LOCAL")
    words.take("TEMP", "TEMPORARY", "UNLOGGED")
    unique = bool(words.take("UNIQUE"))
    words.take("FULLTEXT", "SPATIAL")
    if words.take("INDEX"):
        return _create_index(notes, words, unique=unique)
    if unique:
        return notes.unknown(words.line, "CREATE UNIQUE")
    if words.take("TABLE"):
        return _create_table(notes, words)
    words.take("MATERIALIZED")
    if words.take("VIEW"):
        return _create_view(notes, words)
    kind = next((kind for kind in sorted(_NEW_OBJECTS) if words.take(kind)), "")
    if not kind or any(token.word() in _WRITES for token in words.left()):
        return notes.unknown(words.line, f"CREATE {shown(words.peek())}")
    return notes.expand(words.line, f"creates {kind.lower()}")


def _create_view(notes: Notes, words: Words) -> None:
    words.take_all("IF", "NOT", "EXISTS")
    name = words.table()
    if not name or any(token.word() in _WRITES for token in words.left()):
        return notes.unknown(words.line, "CREATE VIEW")
    return notes.expand(words.line, f"creates view {shown(name)}")


def _create_table(notes: Notes, words: Words) -> None:
    exists = words.take_all("IF", "NOT", "EXISTS")
    name, rest = words.table(), words.left()
    inherits = any(
        token.word() == "INHERITS" for token in rest
    )  # what its parent is asked for then holds its rows, too
    if not name or not rest or rest[0].text != "(" or inherits:
        return notes.unknown(words.line, f"CREATE TABLE {shown(name)}")
    if not exists:
        notes.made(name)
    return notes.expand(words.line, f"creates table {shown(name)}")


def _create_index(notes: Notes, words: Words, *, unique: bool) -> None:
    words.take("CONCURRENTLY")
    words.take_all("IF", "NOT", "EXISTS")
    if words.peek() != "ON":
        words.table()
    if not words.take("ON"):
        return notes.unknown(words.line, "CREATE INDEX")
    words.take("ONLY")
    table = words.table()
    if not table:
        return notes.unknown(words.line, "CREATE INDEX")
    if unique:
        return notes.constraint(words.line, f"makes {shown(table)} unique", table, names_in(words.left()))
    return notes.expand(words.line, f"adds an index to {shown(table)}")


def _alter(notes: Notes, words: Words) -> None:
    words.take("ALTER")
    if words.take("TABLE"):
        return alter_table(notes, words)
    if words.take("TYPE") and words.table() and words.take("ADD") and words.take("VALUE"):
        return notes.contract(words.line, "adds a value to a type", RELAXES)
    return notes.unknown(words.line, f"ALTER {shown(words.peek())}")


def _insert(notes: Notes, words: Words) -> None:
    words.take("INSERT")
    words.take("INTO")
    table = words.table()
    if table and table in notes.tables:
        notes.expand(words.line, f"fills {shown(table)}", "this migration made the table itself")
    else:
        notes.data(words.line, f"INSERT into {shown(table)}")
