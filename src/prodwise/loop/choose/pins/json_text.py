"""JSON edited as text: what is not touched keeps its layout, byte for byte."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_BLANK: Final = re.compile(r"[\s,:]*")
_INDENT: Final = re.compile(r"\{\s*\n([ \t]+)\"")
_DECODER: Final = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Member:
    """One of an object: where its key begins, where its value begins and ends."""

    key: str
    start: int
    value: int
    end: int


def members(text: str, at: int) -> Iterator[Member]:
    """Of the object whose brace stands at `at`. Raises ValueError for what is no JSON object."""
    if text[at : at + 1] != "{":
        raise ValueError("it is no object")
    at = skip(text, at + 1)
    while text[at : at + 1] == '"':
        key, after = _DECODER.raw_decode(text, at)
        value = skip(text, after)
        _, end = _DECODER.raw_decode(text, value)
        yield Member(key, at, value, end)
        at = skip(text, end)


def find(text: str, path: Sequence[str]) -> Member | None:
    """The member that the keys lead to."""
    found, at = None, skip(text, 0)
    for key in path:
        found = next((one for one in members(text, at) if one.key == key), None) if text[at : at + 1] == "{" else None
        if found is None:
            return None
        at = found.value
    return found


def put(text: str, path: Sequence[str], value: str) -> str:
    """With this string there; objects on the way are made at the end of what holds them."""
    return put_as(text, path, json.dumps(value, ensure_ascii=False))


def put_as(text: str, path: Sequence[str], inside: str) -> str:
    """As `put`, with a value as JSON writes it."""
    found = find(text, path)
    if found is not None:
        return text[: found.value] + inside + text[found.end :]
    known = next(depth for depth in range(len(path) - 1, -1, -1) if depth == 0 or find(text, path[:depth]))
    unit = _unit(text)
    for depth in range(len(path) - 1, known, -1):
        margin = unit * (depth + 1)
        inside = f"{{\n{margin}{json.dumps(path[depth])}: {inside}\n{unit * depth}}}"
    holder = find(text, path[:known]) if known else None
    return _added(
        text, holder.value if holder else skip(text, 0), f"{json.dumps(path[known])}: {inside}", unit * (known + 1)
    )


def drop(text: str, path: Sequence[str]) -> str:
    """Without that member, and without objects that are empty then."""
    found = find(text, path)
    if found is None:
        return text
    holder = find(text, path[:-1]) if len(path) > 1 else None
    at = holder.value if holder else skip(text, 0)
    rows = list(members(text, at))
    if len(rows) == 1 and holder is not None:
        return drop(text, path[:-1])
    place = rows.index(found)
    if place + 1 < len(rows):
        return text[: found.start] + text[rows[place + 1].start :]
    return text[: rows[place - 1].end if place else at + 1] + text[found.end :]


def _added(text: str, at: int, member: str, margin: str) -> str:
    rows = list(members(text, at))
    if rows:
        end = rows[-1].end
        return f"{text[:end]},\n{margin}{member}{text[end:]}"
    close = text.index("}", at)
    return f"{text[: at + 1]}\n{margin}{member}\n{margin[: -len(_unit(text))]}{text[close:]}"


def _unit(text: str) -> str:
    found = _INDENT.search(text)
    return found[1] if found else "  "


def skip(text: str, at: int) -> int:
    """Behind blanks, commas and colons."""
    found = _BLANK.match(text, at)
    return found.end() if found else at
