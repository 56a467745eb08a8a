"""Items for detectors as bytes and back. A kind that this version does not know is left out, a new field takes its default."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
from operator import attrgetter
from typing import Any

import orjson

from prodwise.model.digest import Heard, Item
from prodwise.model.event import ErrorSeen
from prodwise.model.report import CheckIn, Sessions, Timed

KINDS: dict[str, type[Any]] = {"error": ErrorSeen, "timed": Timed, "sessions": Sessions, "check_in": CheckIn}
_NAMES = {kind: name for name, kind in KINDS.items()}
_VALUES = {kind: attrgetter(*(field.name for field in fields(kind))) for kind in KINDS.values()}


def pack(heard: Iterable[tuple[float, int, Item]]) -> bytes:
    """heard: (received at, project, item)."""
    return orjson.dumps([(at, project, _NAMES[type(item)], *_VALUES[type(item)](item)) for at, project, item in heard])


def unpack(packed: bytes, service: Callable[[int], str]) -> list[Heard]:
    """service: of a project."""
    found = []
    for at, project, name, *values in orjson.loads(packed):
        kind = KINDS.get(name)
        if kind is not None:
            found.append(Heard(at, project, service(project), kind(*values)))
    return found
