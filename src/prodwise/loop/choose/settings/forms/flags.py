"""A file that is one value: a flag."""

from __future__ import annotations

from typing import Final

from prodwise.loop.choose.settings.told import NotApart
from prodwise.model.setting import Entry

VALUE_MAX: Final = 100


def read(text: str) -> tuple[Entry, ...]:
    bare = text.strip()
    if "\n" in bare or len(bare) > VALUE_MAX:
        raise NotApart("it is more than one value")
    start = text.index(bare) if bare else 0
    return (Entry(("value",), 0, start, start + len(bare), len(text), bare),)
