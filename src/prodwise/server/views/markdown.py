"""Markdown that holds text of others: nothing in it can become a link, an image, a list, a table or HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from prodwise.server.views.words import visible

_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~&!${}^@]|:(?=/)|(?<=www)\.)", re.IGNORECASE)
_BEGINS = re.compile(r"^([-+=]|\d{1,9}(?=[.)]))")


def plain(text: object, longest: int = 400) -> str:
    """Outside text as one line of Markdown that reads as it is written."""
    line = " ".join(visible(" ".join(str(text).split()), longest).split())
    escaped = _SPECIAL.sub(r"\\\1", line)
    begins = _BEGINS.match(escaped)
    if begins is None:
        return escaped
    first = begins[1]
    return f"{first}\\{escaped[len(first) :]}" if first.isdigit() else f"\\{escaped}"


@dataclass
class Sources:
    """Footnotes: each stored row once, numbered as it is first cited. rows: id → what it is."""

    rows: Mapping[str, str]
    _cited: dict[str, int] = field(default_factory=dict)

    def cite(self, ids: Iterable[str]) -> str:
        """ "[^1][^4]"; ids that are not stored are left out."""
        return "".join(f"[^{self._number(name)}]" for name in dict.fromkeys(ids) if name in self.rows)

    def _number(self, name: str) -> int:
        return self._cited.setdefault(name, len(self._cited) + 1)

    def notes(self) -> list[str]:
        return [f"[^{number}]: {self.rows[name]}" for name, number in self._cited.items()]
