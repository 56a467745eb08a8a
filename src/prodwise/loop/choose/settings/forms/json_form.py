"""JSON: every member that is no object; a list is one value."""

from __future__ import annotations

import json
from collections.abc import Iterator

from prodwise.loop.choose.pins.json_text import members, skip
from prodwise.loop.choose.settings.told import NotApart, Unreadable
from prodwise.model.setting import Entry, Key


def read(text: str) -> tuple[Entry, ...]:
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"no JSON: {error}") from None
    if not isinstance(whole, dict):
        raise NotApart("it is no object")
    found = tuple(_members(text, skip(text, 0), ()))
    if len({one.key for one in found}) != len(found):
        raise NotApart("a setting stands there twice")
    return found


def _members(text: str, at: int, above: Key) -> Iterator[Entry]:
    for one in members(text, at):
        key = (*above, one.key)
        if text[one.value] == "{":
            yield from _members(text, one.value, key)
        else:
            yield Entry(key, one.start, one.value, one.end, one.end, text[one.value : one.end])
