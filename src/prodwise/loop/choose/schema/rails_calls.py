"""Ruby statements as a tree of calls: heads, plain arguments, and the blocks that follow them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from prodwise.loop.choose.schema.notes import Unreadable
from prodwise.loop.choose.schema.words import DEPTH_MAX, Part, Word, flat

_OPENERS: Final = frozenset({"class", "module", "def", "if", "unless", "case", "while", "until", "for", "begin"})
_LITERALS: Final = frozenset({"true", "false", "nil"})
_MARKS: Final = frozenset({",", "=>", "->", "(", ")", "[", "{", "-"})
_GOES_ON: Final = frozenset({",", ".", "=>", "|", "&", "+", "-", "=", "->", "::"})


@dataclass(frozen=True, slots=True)
class Call:
    """Plain arguments only. values: of those without a name, as they stand there; options: of the others."""

    line: int
    arguments: tuple[Word, ...]
    values: tuple[str, ...]
    options: tuple[tuple[str, str], ...]

    def name(self, place: int) -> str:
        """A symbol or text as a name; "" for anything else."""
        value = self.values[place] if place < len(self.values) else ""
        if value[:1] == ":":
            return value[1:].strip('"')
        return value[1:-1] if value[:1] in "'\"" and "#{" not in value and "\\" not in value else ""

    def option(self, name: str) -> str:
        """As it stands there; "" when it is not given."""
        return dict(self.options).get(name, "")

    def has_default(self) -> bool:
        return self.option("default") not in ("", "nil")


@dataclass(slots=True)
class Node:
    """A statement, with the block that follows it. words: brackets included; variable: the block's."""

    words: list[Word]
    body: list[Node] = field(default_factory=list)
    variable: str = ""

    @property
    def head(self) -> str:
        return self.words[0].text

    @property
    def line(self) -> int:
        return self.words[0].line

    def call(self) -> Call | None:
        """`head arguments`; None when there is more to it than plain arguments."""
        return _call(self.words[1:], self.line) if self.words[0].kind == "word" else None

    def call_on(self, variable: str) -> tuple[str, Call] | None:
        """(method, its call) of `variable.method arguments`."""
        if len(self.words) < 3 or self.words[1].text != "." or self.words[2].kind != "word" or self.head != variable:
            return None
        call = _call(self.words[3:], self.line)
        return (self.words[2].text, call) if call is not None else None


def nodes(parts: Sequence[Part]) -> list[Node]:
    """The statements of a file. Raises Unreadable where blocks do not end, or end too often."""
    root = Node([Word("word", "", 0)])
    stack = [root]
    for words in _lines(parts):
        if words[0].text == "end" and words[0].kind == "word" and len(words) == 1:
            stack.pop()
            if not stack:
                raise Unreadable("a block ends that did not begin")
            continue
        plain, variable, opens = _block(words)
        node = Node(plain, variable=variable)
        stack[-1].body.append(node)
        if opens:
            stack.append(node)
        if len(stack) > DEPTH_MAX:
            raise Unreadable("its blocks are too deep")
    if len(stack) != 1:
        raise Unreadable("a block does not end")
    return root.body


def _lines(parts: Sequence[Part]) -> list[list[Word]]:
    """Statements by line: a line that ends with a comma or an operator goes on, as does what stands in brackets."""
    found: list[list[Word]] = [[]]
    for part in parts:
        if isinstance(part, Word) and part.kind == "newline":
            last = found[-1][-1] if found[-1] else None
            if last is not None and not (
                last.kind == "mark" and last.text in _GOES_ON and not _closes_block(found[-1])
            ):
                found.append([])
        elif isinstance(part, Word):
            found[-1].append(part)
        else:
            found[-1] += [word for word in flat((part,)) if word.kind != "newline"]
    return [words for words in found if words]


def _closes_block(words: Sequence[Word]) -> bool:
    """`do |t|`"""
    return len(words) >= 4 and words[-1].text == "|" and words[-3].text == "|" and words[-4].text == "do"


def _block(words: list[Word]) -> tuple[list[Word], str, bool]:
    """(the statement without its `do |t|`, t, whether a block follows)."""
    if words[0].kind == "word" and words[0].text in _OPENERS:
        return words, "", True
    if _closes_block(words):
        return words[:-4], words[-2].text, True
    if words[-1].kind == "word" and words[-1].text == "do" and len(words) > 1:
        return words[:-1], "", True
    return words, "", False


def _call(words: Sequence[Word], line: int) -> Call | None:
    if len(words) >= 2 and words[0].text == "(" and _ends(words) == len(words) - 1:
        words = words[1:-1]
    if any(not _plain(word) for word in words):
        return None
    values: list[str] = []
    options: dict[str, str] = {}
    for part in _split(words):
        if part[0].kind == "label" and len(part) > 1:
            options[part[0].text[:-1]] = " ".join(word.text for word in part[1:])
        elif len(part) > 2 and part[1].text == "=>" and part[0].kind == "symbol":
            options[part[0].text[1:]] = " ".join(word.text for word in part[2:])
        else:
            values.append(" ".join(word.text for word in part))
    return Call(line, tuple(words), tuple(values), tuple(options.items()))


def _ends(words: Sequence[Word]) -> int:
    """Where the bracket that opens first closes."""
    depth = 0
    for place, word in enumerate(words):
        if word.kind == "mark":
            depth += word.text in "([{"
            depth -= word.text == ")"
            if depth == 0:
                return place
    return -1


def _plain(word: Word) -> bool:
    if word.kind == "word":
        return word.text in _LITERALS
    return word.kind in ("symbol", "label", "text", "number", "list") or word.text in _MARKS


def _split(words: Sequence[Word]) -> list[list[Word]]:
    """At commas outside of brackets."""
    found: list[list[Word]] = [[]]
    depth = 0
    for word in words:
        if word.kind == "mark":
            depth += word.text in "([{"
            depth -= word.text == ")"
            if word.text == "," and depth == 0:
                found.append([])
                continue
        found[-1].append(word)
    return [part for part in found if part]
