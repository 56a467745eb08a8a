"""ALTER TABLE, action by action."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from prodwise.loop.choose.schema.notes import DROPS, NARROWS, RELAXES, RENAMES, REWRITES, Column, Notes, shown
from prodwise.loop.choose.schema.sql_words import Token

_INDEXES: Final = ("INDEX", "KEY", "FULLTEXT", "SPATIAL")
_CONSTRAINTS: Final = ("CONSTRAINT", "UNIQUE", "PRIMARY", "FOREIGN", "CHECK", "EXCLUDE")
_NO_COLUMN: Final = (*_INDEXES, *_CONSTRAINTS, "PARTITION", "PERIOD", "SYSTEM", "IF", "GENERATED", "NOT")
_ASKS: Final = frozenset({"AND", "OR", "NOT", "IS", "NULL", "IN", "BETWEEN", "LIKE", "TRUE", "FALSE"})
_GIVEN: Final = frozenset({"GENERATED", "AUTO_INCREMENT", "AUTOINCREMENT", "SERIAL", "BIGSERIAL", "SMALLSERIAL"})


class Words:
    """A statement's tokens, taken from the front. offset: lines before the statement's text in its file."""

    def __init__(self, tokens: Sequence[Token], offset: int) -> None:
        self._tokens, self._at, self.offset = tokens, 0, offset
        self.line = tokens[0].line + offset

    def rewind(self) -> None:
        self._at = 0

    def peek(self) -> str:
        """The next word in capitals; "" for all but words."""
        return self._tokens[self._at].word() if self._at < len(self._tokens) else ""

    def take(self, *words: str) -> str:
        """The next word if it is one of these, else ""."""
        word = self.peek()
        if word not in words:
            return ""
        self._at += 1
        return word

    def take_all(self, *words: str) -> bool:
        found = [token.word() for token in self._tokens[self._at : self._at + len(words)]]
        if found != list(words):
            return False
        self._at += len(words)
        return True

    def take_mark(self, mark: str) -> bool:
        if self._at >= len(self._tokens) or self._tokens[self._at].text != mark:
            return False
        self._at += 1
        return True

    def next_name(self) -> str:
        """A name as it is compared; "" when there is none."""
        if self._at >= len(self._tokens) or not self._tokens[self._at].is_name():
            return ""
        self._at += 1
        return self._tokens[self._at - 1].key()

    def table(self) -> str:
        """A name with its schema."""
        parts = [self.next_name()]
        while parts[-1] and self.take_mark("."):
            parts.append(self.next_name())
        return ".".join(parts) if all(parts) else ""

    def left(self) -> Sequence[Token]:
        return self._tokens[self._at :]


def alter_table(notes: Notes, words: Words) -> None:
    words.take_all("IF", "EXISTS")
    words.take("ONLY")
    table = words.table()
    actions = _split(words.left())
    if not table or not actions:
        return notes.unknown(words.line, "ALTER TABLE")
    for action in actions:
        _action(notes, table, Words(action, words.offset), action)
    return None


def _split(tokens: Sequence[Token]) -> list[list[Token]]:
    """At commas outside of brackets."""
    found: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        if token.kind == "mark":
            depth += (token.text == "(") - (token.text == ")")
            if token.text == "," and depth == 0:
                found.append([])
                continue
        found[-1].append(token)
    return found if all(found) else []


def _action(notes: Notes, table: str, words: Words, action: Sequence[Token]) -> None:
    line, first = words.line, words.peek()
    named = shown(table)
    if words.take("ADD"):
        return _add(notes, table, words)
    if first == "DROP":
        column = shown(action[-1].text) if action[-1].is_name() else ""
        return notes.contract(line, f"drops from {named}: {column}", DROPS)
    if first == "RENAME":
        return notes.contract(line, f"renames in {named}", RENAMES)
    if first in ("MODIFY", "CHANGE"):
        return notes.contract(line, f"changes a column of {named}", REWRITES)
    if words.take_all("VALIDATE", "CONSTRAINT"):
        return notes.expand(line, f"checks a constraint of {named}", "the constraint held for new rows before")
    if words.take("ALTER"):
        words.take("COLUMN")
        return _alter_column(notes, table, words)
    return notes.unknown(line, f"ALTER TABLE {named} {shown(action[0].text)}")


def _add(notes: Notes, table: str, words: Words) -> None:
    if any(words.take(kind) for kind in _INDEXES):
        return notes.expand(words.line, f"adds an index to {shown(table)}")
    if words.peek() in _CONSTRAINTS:
        return _constraint(notes, table, words)
    words.take("COLUMN")
    words.take_all("IF", "NOT", "EXISTS")
    if words.peek() in _NO_COLUMN:
        return notes.unknown(words.line, f"ALTER TABLE {shown(table)} ADD {words.peek()}")
    column, whole = words.next_name(), words.left()
    rest = _outside(whole)
    if not column or not rest or rest[0].kind not in ("word", "name"):
        return notes.unknown(words.line, f"ALTER TABLE {shown(table)} ADD")
    if others := _checked(whole) - {column}:
        return notes.constraint(
            words.line, f"adds column {shown(table)}.{shown(column)} with a check of others", table, sorted(others)
        )
    return notes.column(words.line, table, column, _column(rest))


def _checked(tokens: Sequence[Token]) -> set[str]:
    """What the CHECKs of a column speak of: databases let one name other columns, too."""
    found: set[str] = set()
    depth = 0
    for before, token in pairwise(tokens):
        if token.text == "(" and token.kind == "mark" and (depth or before.word() == "CHECK"):
            depth += 1
        elif token.text == ")" and token.kind == "mark" and depth:
            depth -= 1
        elif depth and token.is_name() and token.word() not in _ASKS:
            found.add(token.key())
    return found


def _outside(tokens: Sequence[Token]) -> list[Token]:
    """What stands outside of brackets."""
    found, depth = [], 0
    for token in tokens:
        opens = token.kind == "mark" and token.text == "("
        closes = token.kind == "mark" and token.text == ")"
        depth -= closes
        if depth == 0 and not opens and not closes:
            found.append(token)
        depth += opens
    return found


def _column(rest: Sequence[Token]) -> Column:
    words = [token.word() for token in rest]
    pairs = list(zip(words, [*words[1:], ""], strict=True))
    must = ("NOT", "NULL") in pairs or ("PRIMARY", "KEY") in pairs
    constant = any(word == "DEFAULT" and after != "NULL" for word, after in pairs)
    if _GIVEN & set(words):
        return Column(default=True)
    return Column(must, constant, "UNIQUE" in words or ("PRIMARY", "KEY") in pairs)


def _constraint(notes: Notes, table: str, words: Words) -> None:
    if words.take("CONSTRAINT") and words.peek() not in ("UNIQUE", "PRIMARY", "FOREIGN", "CHECK", "EXCLUDE"):
        words.next_name()
    kind = words.take("UNIQUE", "PRIMARY", "FOREIGN", "CHECK", "EXCLUDE")
    if not kind:
        return notes.unknown(words.line, f"ALTER TABLE {shown(table)} ADD CONSTRAINT")
    words.take("KEY", "INDEX")
    columns = names_in(words.left()) if kind in ("UNIQUE", "FOREIGN") else []
    what = {"FOREIGN": "a foreign key", "PRIMARY": "a primary key", "UNIQUE": "a unique constraint"}
    return notes.constraint(words.line, f"adds {what.get(kind, 'a constraint')} to {shown(table)}", table, columns)


def names_in(tokens: Sequence[Token]) -> list[str]:
    """The plain names in the first brackets; none when there is anything else in them."""
    start = next((place for place, token in enumerate(tokens) if token.text == "("), len(tokens))
    found: list[str] = []
    for place, token in enumerate(tokens[start + 1 :]):
        if token.text == ")" and token.kind == "mark":
            return found
        if place % 2 == 0 and token.is_name():
            found.append(token.key())
        elif token.text != ",":
            return []
    return []


def _alter_column(notes: Notes, table: str, words: Words) -> None:
    column = f"{shown(table)}.{shown(words.next_name())}"
    line = words.line
    if words.take_all("SET", "DEFAULT"):
        if words.peek() == "NULL":
            return notes.contract(line, f"takes the default of {column} away", NARROWS)
        return notes.expand(line, f"gives {column} a default")
    if words.take_all("SET", "NOT", "NULL"):
        return notes.contract(line, f"makes {column} NOT NULL", NARROWS)
    if words.take_all("DROP", "NOT", "NULL"):
        return notes.contract(line, f"lets {column} be NULL", RELAXES)
    if words.take_all("DROP", "DEFAULT"):
        return notes.contract(line, f"takes the default of {column} away", NARROWS)
    if words.take("TYPE") or words.take_all("SET", "DATA", "TYPE"):
        return notes.contract(line, f"changes the type of {column}", REWRITES)
    return notes.unknown(line, f"alters {column}")
