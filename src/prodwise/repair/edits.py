"""One change of one file's text, and the diff that says it."""

from __future__ import annotations

import difflib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edit:
    """text[start:end] becomes `new`. kind: the rule that made it; why: one plain sentence; cost: how unusual such a fix is,
    0 the commonest; line: where it is."""

    path: str
    start: int
    end: int
    new: str
    kind: str
    why: str
    cost: float
    line: int

    def applied(self, text: str) -> str:
        return text[: self.start] + self.new + text[self.end :]


def unified(path: str, old: str, new: str) -> str:
    """A git diff; lines keep their own endings."""
    body: list[str] = []
    for line in difflib.unified_diff(_lines(old), _lines(new), f"a/{path}", f"b/{path}"):
        body.append(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n")
    return f"diff --git a/{path} b/{path}\n" + "".join(body) if body else ""


def _lines(text: str) -> list[str]:
    parts = text.split("\n")
    return [part + "\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])
