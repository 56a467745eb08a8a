"""SQL text as statements of words. Where databases read the same text differently, it is unreadable rather than guessed at."""

from __future__ import annotations

import re
from dataclasses import dataclass

from prodwise.loop.choose.schema.notes import Unreadable

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      |(?P<line>--[^\n]*)
      |(?P<block>/\*)
      |(?P<text>'(?:[^'\\]|'')*')
      |(?P<name>"(?:[^"\\]|"")*"|`(?:[^`\\]|``)*`)
      |(?P<dollar>\$(?:[A-Za-z_]\w*)?\$)
      |(?P<word>[^\W\d][\w$]*)
      |(?P<number>\d[\w.]*)
      |(?P<mark>::|[^\w\s])""",
    re.VERBOSE,
)
_RISKY = re.compile(r"\b(drop|truncate|rename|delete|update|alter|insert|modify|change|replace|execute|call)\b", re.I)
# MySQL wants a space after the dashes, and reads on without one.
_COMMENT_START = re.compile(r"--(?:$|[\s>\-])")


@dataclass(frozen=True, slots=True)
class Token:
    """kind: word (as in the text), name (quoted, without its quotes), text, number or mark."""

    kind: str
    text: str
    line: int

    def word(self) -> str:
        """In capitals; "" for all but words."""
        return self.text.upper() if self.kind == "word" else ""

    def is_name(self) -> bool:
        return self.kind in ("word", "name")

    def key(self) -> str:
        """How a name is compared: a quoted one as it is, another without case."""
        return self.text if self.kind == "name" else self.text.lower()


@dataclass(frozen=True, slots=True)
class Script:
    """doubts: (line, why) of comments that some databases may run."""

    statements: list[list[Token]]
    doubts: list[tuple[int, str]]


def script(text: str) -> Script:
    """Split at semicolons. Raises Unreadable."""
    found: list[list[Token]] = [[]]
    doubts: list[tuple[int, str]] = []
    depth = 0
    for token in _tokens(text, doubts):
        if token.text == ";" and token.kind == "mark" and depth == 0:
            found.append([])
            continue
        if token.kind == "mark":
            depth += (token.text == "(") - (token.text == ")")
            if depth < 0:
                raise Unreadable("a bracket closes that was not opened")
        found[-1].append(token)
    if depth:
        raise Unreadable("a bracket is not closed")
    return Script([one for one in found if one], doubts)


def _tokens(text: str, doubts: list[tuple[int, str]]) -> list[Token]:
    found: list[Token] = []
    at, line = 0, 1
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise Unreadable("it holds what is no SQL")
        kind, raw = str(match.lastgroup), match.group()
        if kind == "block":
            raw = _block_comment(text, at)
            if _RISKY.search(raw):
                doubts.append((line, "some databases run what stands in comments"))
        elif kind == "dollar":
            raw, kind = _dollar(text, at, raw), "text"
        elif kind == "line" and not _COMMENT_START.match(raw) and _RISKY.search(raw):
            doubts.append((line, "some databases run what stands after dashes without a space"))
        elif kind == "mark" and raw in "'\"`\\#":
            raise Unreadable(f"databases read {raw} differently")
        if kind not in ("space", "line", "block"):
            found.append(Token(kind, raw[1:-1] if kind == "name" else raw, line))
        line += raw.count("\n")
        at += len(raw)
    return found


def _block_comment(text: str, at: int) -> str:
    end = text.find("*/", at + 2)
    body = text[at:end]
    if end < 0 or "/*" in body[2:]:
        raise Unreadable("databases read comments in comments differently")
    if body[2:3] in ("!", "+", "M"):
        raise Unreadable("some databases run what stands in such a comment")
    return text[at : end + 2]


def _dollar(text: str, at: int, tag: str) -> str:
    end = text.find(tag, at + len(tag))
    if end < 0:
        raise Unreadable("a quoted text does not end")
    return text[at : end + len(tag)]
