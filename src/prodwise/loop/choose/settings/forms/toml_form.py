"""TOML: values by a scanner of ours, believed only where the standard library reads the same."""

from __future__ import annotations

import re
import tomllib
from typing import Any, Final

from prodwise.loop.choose.settings.forms.lines import lines_of
from prodwise.loop.choose.settings.told import NotApart, Unreadable
from prodwise.model.setting import Entry, Key

_PART: Final = r"(?:[A-Za-z0-9_-]+|\"[^\"\\\n]*\"|'[^'\n]*')"
_KEYS: Final = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
_HEADER = re.compile(rf"[ \t]*(\[\[?)[ \t]*({_KEYS})[ \t]*\]\]?[ \t]*(?:#.*)?")
_ENTRY = re.compile(rf"[ \t]*({_KEYS})[ \t]*=[ \t]*")
_STEP = re.compile(
    r'"""|\'\'\'|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|[\[{]|[\]}]|#[^\n]*|\n|[^\s"\'\[\]{}#]+|[ \t\r]+|.', re.DOTALL
)


def read(text: str) -> tuple[Entry, ...]:
    try:
        truth = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"no TOML: {error}") from None
    found, section, numbers, behind = list[Entry](), Key(), dict[Key, int](), 0
    for line in lines_of(text):
        if line.start < behind or not line.text.strip() or line.text.lstrip().startswith("#"):
            continue
        if header := _HEADER.fullmatch(line.text):
            section = _section(_keys(header[2]), header[1] == "[[", numbers)
            continue
        entry = _ENTRY.match(line.text)
        if entry is None:
            raise NotApart(f"a line is not understood: {line.text.strip()[:40]!r}")
        start = line.start + entry.end()
        end, behind = _value(text, start)
        found.append(Entry((*section, *_keys(entry[1])), line.start, start, end, behind, text[start:end]))
    if _rebuilt(found) != _bare(truth):
        raise NotApart("its tables are written in a way that is not told apart")
    return tuple(found)


def _section(keys: Key, anew: bool, numbers: dict[Key, int]) -> Key:
    """With the number of the table that is meant, where there are several of that name. anew: this header begins one."""
    found: Key = ()
    for place, name in enumerate(keys, 1):
        found = (*found, name)
        if anew and place == len(keys):
            numbers[found] = numbers.get(found, -1) + 1
        if found in numbers:
            found = (*found, f"#{numbers[found]}")
    return found


def _value(text: str, start: int) -> tuple[int, int]:
    """(where the value ends, where its last line does)."""
    at, depth, end = start, 0, start
    while at < len(text):
        step = _STEP.match(text, at)
        part = step[0] if step else ""
        if part in ('"""', "'''"):
            at = _closed(text, at, part)
            end = at
            continue
        at += len(part)
        if part == "\n" and not depth:
            return end, at
        if part and not part[0].isspace() and part[0] != "#":
            depth += (part in "[{") - (part in "]}")
            end = at
    return end, len(text)


def _closed(text: str, at: int, quotes: str) -> int:
    """Behind a text of many lines; up to two quotes may be its own last characters."""
    end = at + 3
    while not text.startswith(quotes, end):
        if end >= len(text):
            raise NotApart("a text does not end")
        end += 2 if quotes == '"""' and text[end] == "\\" else 1
    end += 3
    while text.startswith(quotes[0], end):
        end += 1
    return end


def _keys(text: str) -> Key:
    found: Any = tomllib.loads(f"{text} = 0")
    keys = list[str]()
    while isinstance(found, dict):
        ((key, found),) = found.items()
        keys.append(key)
    return tuple(keys)


def _rebuilt(entries: list[Entry]) -> Any:
    root: dict[str, Any] = {}
    for one in entries:
        place = root
        for key in one.key[:-1]:
            place = place.setdefault(key, {})
            if not isinstance(place, dict):
                raise NotApart("a table is both a value and not")
        if one.key[-1] in place:
            raise NotApart("a setting stands there twice")
        try:
            place[one.key[-1]] = tomllib.loads(f"v = {one.value}")["v"]
        except ValueError:
            raise NotApart("a value is not understood") from None
    return _bare(root)


def _bare(value: Any) -> Any:
    """Lists of tables by their numbers, without tables that are empty: all that entries can say. 1 and 1.0 differ."""
    if isinstance(value, dict):
        rows = {key: _bare(one) for key, one in value.items()}
        return {key: one for key, one in rows.items() if one != {}}
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        return _bare({f"#{number}": one for number, one in enumerate(value)})
    return (type(value).__name__, repr(value))
