"""YAML as settings are written: maps in maps by their indent, one value a line, lists and long texts as one value. What is
written otherwise (anchors, merges, several documents, values over lines) is not told apart.
"""

from __future__ import annotations

import re

from prodwise.loop.choose.settings.forms.lines import Line, lines_of
from prodwise.loop.choose.settings.told import NotApart, Unreadable
from prodwise.model.setting import Entry, Key

_KEY = re.compile(r"( *)(\"[^\"\\\n]{1,200}\"|'[^'\n]{1,200}'|[\w./$][\w ./$-]{0,200}?)[ ]*:(?=[ ]|$)[ ]*")
_PLAIN = re.compile(r"[^\s\"'\[\]{}&*!|>%@`#,?-]|-(?=\S)|\?(?=\S)")
_BLOCK = re.compile(r"[|>][+-]?\d?[+-]?[ ]*(?:#.*)?")
_QUOTED = re.compile(r"(\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*')[ ]*(?:[ ]#.*)?")
_COMMENT = re.compile(r"[ \t]#.*$")


def read(text: str) -> tuple[Entry, ...]:
    if "\t" in "".join(line.text[: len(line.text) - len(line.text.lstrip())] for line in lines_of(text)):
        raise Unreadable("no YAML: an indent has a tab")
    lines, found, above = _said(text), list[Entry](), list[tuple[int, str]]()
    at = 0
    while at < len(lines):
        line = lines[at]
        match = _KEY.match(line.text)
        if match is None or line.text.lstrip().startswith(("- ", "? ", "<<")):
            raise NotApart(f"a line is not understood: {line.text.strip()[:40]!r}")
        indent, name = len(match[1]), _bare(match[2])
        while above and above[-1][0] >= indent:
            above.pop()
        key: Key = (*(one for _, one in above), name)
        behind = _behind(lines, at, indent)
        rest = _COMMENT.sub("", f" {line.text[match.end() :]}").strip()
        if not rest and behind > at + 1 and _KEY.match(lines[at + 1].text) and not _is_item(lines[at + 1]):
            above.append((indent, name))
            at += 1
            continue
        one = _entry(text, key, lines, at, behind, line.start + match.end())
        found.append(one)
        at = next((number for number in range(at + 1, behind) if lines[number].start >= one.last), behind)
    if len({one.key for one in found}) != len(found):
        raise NotApart("a setting stands there twice")
    return tuple(found)


def _said(text: str) -> list[Line]:
    """Lines that are neither blank nor a comment, without the first `---`."""
    lines = [one for one in lines_of(text) if one.text.strip() and not one.text.lstrip().startswith("#")]
    if lines and lines[0].text.rstrip() == "---":
        lines.pop(0)
    if any(one.text.startswith(("---", "...", "%")) for one in lines):
        raise NotApart("it holds more than one document")
    return lines


def _is_item(line: Line) -> bool:
    return line.text.lstrip().startswith("- ") or line.text.strip() == "-"


def _behind(lines: list[Line], at: int, indent: int) -> int:
    """The first line that no longer belongs to the one at `at`: further in, or items of its list."""
    after = at + 1
    while after < len(lines):
        depth = len(lines[after].text) - len(lines[after].text.lstrip())
        if depth < indent or (depth == indent and not _is_item(lines[after])):
            break
        after += 1
    return after


def _entry(text: str, key: Key, lines: list[Line], at: int, behind: int, start: int) -> Entry:
    line, last = lines[at], lines[behind - 1]
    rest = line.text[start - line.start :]
    value = _COMMENT.sub("", f" {rest}")[1:].rstrip() if rest[:1] not in "\"'" else rest.rstrip()
    if behind > at + 1:
        if value and not _BLOCK.fullmatch(value):
            raise NotApart(f"a value goes on over lines: {key[-1][:40]}")
        if not value and not _is_item(lines[at + 1]):
            raise NotApart(f"a value goes on over lines: {key[-1][:40]}")
        start = line.start + len(line.text.rstrip()) if not value else start
        last = _last_of_text(text, line) if value else last
        end = last.start + len(last.text.rstrip())
        return Entry(key, line.start, start, end, last.last, text[start:end])
    if value[:1] in ("'", '"') and value:
        quoted = _QUOTED.fullmatch(value)
        if quoted is None:
            raise NotApart(f"a quote does not end: {key[-1][:40]}")
        value = quoted[1]
    elif value and not (_PLAIN.match(value) or _flow(value)):
        raise NotApart(f"a value is not understood: {key[-1][:40]}")
    return Entry(key, line.start, start, start + len(value), line.last, value)


def _last_of_text(text: str, head: Line) -> Line:
    """Of a long text: what looks like a comment belongs to it."""
    depth, last = len(head.text) - len(head.text.lstrip()), head
    for row in lines_of(text[head.last :]):
        if row.text.strip():
            if len(row.text) - len(row.text.lstrip()) <= depth:
                break
            last = Line(row.start + head.last, row.last + head.last, row.text)
    return last


def _flow(value: str) -> bool:
    """A list or map on one line, without quotes or marks that could mean something else."""
    pairs = value[0] + value[-1] in ("[]", "{}")
    return (
        pairs
        and value.count("[") == value.count("]")
        and value.count("{") == value.count("}")
        and not set(value) & set("&*!#")
    )


def _bare(name: str) -> str:
    return name[1:-1] if name[:1] in "\"'" else name
