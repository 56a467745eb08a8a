"""A text by lines, with their offsets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """start…last: with its end; text: without."""

    start: int
    last: int
    text: str


def lines_of(text: str) -> list[Line]:
    return list(_lines(text))


def _lines(text: str) -> Iterator[Line]:
    at = 0
    for row in text.split("\n"):
        last = min(at + len(row) + 1, len(text))
        if at < len(text):
            yield Line(at, last, row.removesuffix("\r"))
        at += len(row) + 1
