"""Ruby and JavaScript as words: enough to see plain calls with plain arguments. Anything odd is unreadable."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from prodwise.loop.choose.schema.notes import Unreadable

TOKENS_MAX: Final = 40_000
DEPTH_MAX: Final = 40

_JS = re.compile(
    r"""(?P<space>[ \t\r\f\ufeff]+)|(?P<newline>\n)|(?P<comment>//[^\n]*)|(?P<block>/\*)
      |(?P<text>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`)
      |(?P<number>\d[\w.]*)|(?P<word>[^\W\d][\w$]*|\$[\w$]*)|(?P<mark>=>|\?\.|\.\.\.|[^\w\s])""",
    re.VERBOSE | re.DOTALL,
)
_RUBY = re.compile(
    r"""(?P<space>[ \t\r\f\ufeff]+|\\\n)|(?P<newline>\n|;)|(?P<comment>\#[^\n]*)
      |(?P<heredoc><<[~-]?(?P<quote>['"]?)(?P<tag>[A-Z_]+)(?P=quote))
      |(?P<list>%[wi](?:\[[^\[\]\\]*\]|\([^()\\]*\)))
      |(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
      |(?P<label>[^\W\d]\w*[?!]?:(?!:))|(?P<symbol>:[^\W\d]\w*[?!]?|:"[^"\\#]*")
      |(?P<number>\d[\w.]*)|(?P<word>[^\W\d]\w*[?!]?)|(?P<mark>::|=>|->|[^\w\s])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES: Final = {"`": "`", '"': '"', "'": "'", "\\": "\\", "n": "\n", "t": "\t"}


@dataclass(frozen=True, slots=True)
class Word:
    """kind: word, text, number, mark; in Ruby also symbol, label, list, newline. text: as it stands there."""

    kind: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Group:
    """What stands in a pair of brackets."""

    opens: str
    parts: tuple[Part, ...]
    line: int


Part = Word | Group


def javascript(text: str) -> tuple[Part, ...]:
    """Raises Unreadable."""
    found: list[Word] = []
    at, line = 0, 1
    while at < len(text):
        match = _JS.match(text, at)
        kind, raw = (str(match.lastgroup), match.group()) if match else ("mark", "`")
        if kind == "block":
            end = text.find("*/", at + 2)
            if end < 0:
                raise Unreadable("a comment does not end")
            raw = text[at : end + 2]
        elif kind == "mark" and raw in "'\"`#\\":
            raise Unreadable("a text does not end")
        elif kind not in ("space", "newline", "comment"):
            found.append(Word(kind, raw, line))
        line, at = line + raw.count("\n"), at + len(raw)
    return grouped(found)


def ruby(text: str) -> tuple[Part, ...]:
    """Raises Unreadable."""
    found: list[Word] = []
    at, line, bodies = 0, 1, 0  # bodies: end of the here-documents that begin on this line
    while at < len(text):
        match = _RUBY.match(text, at)
        kind, raw = _ruby_kind(match) if match else ("mark", "`")
        if kind == "mark" and raw in "'\"`%\\":
            raise Unreadable("a text does not end")
        if kind == "heredoc" and match is not None:
            if bodies:
                raise Unreadable("two texts begin on one line")
            body, bodies = _heredoc(text, match)
            found.append(Word("text", body, line + 1))
        elif kind == "newline" and raw == "\n" and bodies:
            found.append(Word(kind, "\n", line))
            line, at, bodies = line + text.count("\n", at, bodies), bodies, 0
            continue
        elif kind not in ("space", "comment"):
            found.append(Word(kind, raw, line))
        line, at = line + raw.count("\n"), at + len(raw)
    return grouped(found)


def _ruby_kind(match: re.Match[str]) -> tuple[str, str]:
    kind = "heredoc" if match.group("heredoc") else str(match.lastgroup)
    return kind, match.group()


def _heredoc(text: str, match: re.Match[str]) -> tuple[str, int]:
    """(its text as a literal, where it ends: before the newline after its last line)."""
    start = text.find("\n", match.end())
    tag = match.group("tag")
    end = re.compile(rf"^[ \t]*{tag}[ \t]*$", re.M).search(text, start + 1) if start >= 0 else None
    if end is None:
        raise Unreadable("a text does not end")
    quote = match.group("quote") or '"'
    body = text[start + 1 : end.start()]
    return f"{quote}{body}{quote}", end.end()


def grouped(words: list[Word]) -> tuple[Part, ...]:
    """Raises Unreadable where brackets do not match, are too deep or too many."""
    if len(words) > TOKENS_MAX:
        raise Unreadable("it is too long")
    closes = {"(": ")", "[": "]", "{": "}"}
    stack: list[tuple[str, int, list[Part]]] = [("", 0, [])]
    for word in words:
        if word.kind == "mark" and word.text in closes:
            if len(stack) > DEPTH_MAX:
                raise Unreadable("its brackets are too deep")
            stack.append((word.text, word.line, []))
        elif word.kind == "mark" and word.text in closes.values():
            opens, line, parts = stack.pop()
            if closes.get(opens) != word.text:
                raise Unreadable("its brackets do not match")
            stack[-1][2].append(Group(opens, tuple(parts), line))
        else:
            stack[-1][2].append(word)
    if len(stack) != 1:
        raise Unreadable("its brackets do not match")
    return tuple(stack[0][2])


def literal(part: Part | None, *, holes: str) -> str | None:
    """The text of a literal; None for anything else, and for one with a hole (`#{` in Ruby, `${` in JavaScript) in it."""
    if not isinstance(part, Word) or part.kind != "text":
        return None
    quote, raw = part.text[0], part.text[1:-1]
    if (quote == "`" or (holes == "#{" and quote == '"')) and holes in raw:
        return None
    found, at = [], 0
    while at < len(raw):
        if raw[at] == "\\":
            if at + 1 >= len(raw) or raw[at + 1] not in _ESCAPES:
                return None
            found.append(_ESCAPES[raw[at + 1]])
            at += 2
        else:
            found.append(raw[at])
            at += 1
    return "".join(found)


def flat(parts: tuple[Part, ...]) -> list[Word]:
    """All words, with brackets as words; depth is bounded when groups are made."""
    found: list[Word] = []
    for part in parts:
        if isinstance(part, Group):
            found += [Word("mark", part.opens, part.line), *flat(part.parts), Word("mark", ")", part.line)]
        else:
            found.append(part)
    return found
