"""OTLP's protobuf as the values that its JSON would give, within a budget of fields and a limit of depth.

Written here rather than taken from the protobuf library: that makes all messages of a body in one go, 94 MB and 96 ms of standstill
for 2 MiB of empty ones, before anything can be counted.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from prodwise.model.report import Reason, Rejected
from prodwise.signals.otlp.shapes import SHAPES, Holds

FIELDS_MAX = 60_000
"""Of one delivery; 512 spans with 30 attributes of text are 36,000."""
PACKED = 8
"""Numbers in a row that cost as much as one field."""
DEPTH_MAX = 60
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
_WIRES = {Holds.WHOLE: _VARINT, Holds.ZIGZAG: _VARINT, Holds.FLAG: _VARINT, Holds.COUNT: _VARINT,
          Holds.FIXED: _EIGHT, Holds.SIGNED: _EIGHT, Holds.REAL: _EIGHT}  # fmt: skip
_LETTERS = {Holds.FIXED: "Q", Holds.SIGNED: "q", Holds.REAL: "d"}
_UNPACK: dict[Holds, Callable[[bytes, int], tuple[Any, ...]]] = {
    holds: struct.Struct("<" + letter).unpack_from for holds, letter in _LETTERS.items()
}

Tags = dict[int, tuple[Holds, str, bool, Any]]
"""A message's fields by their tag (number and wire type): what it holds, its name, whether it is one of many, its message's Tags."""


def _tags() -> dict[str, Tags]:
    """Lists of numbers come one by one or packed, and have two tags."""
    made: dict[str, Tags] = {name: {} for name in SHAPES}
    for name, shape in SHAPES.items():
        for number, field in shape.items():
            entry = (field.holds, field.name, field.many, made.get(field.shape))
            wire = _WIRES.get(field.holds, _BYTES)
            made[name][number << 3 | wire] = entry
            if field.many and wire != _BYTES:
                made[name][number << 3 | _BYTES] = entry
    return made


TAGS = _tags()
_PAIR = TAGS["KeyValue"]


def read(raw: bytes, shape: str) -> dict[str, Any]:
    """Raises Rejected for what is no such message, or more than the budget."""
    try:
        return _Reader(raw).message(0, len(raw), TAGS[shape], 0)
    except (IndexError, struct.error):
        raise Rejected(Reason.PROTOBUF) from None


class _Reader:
    """One body while it is being read."""

    def __init__(self, raw: bytes) -> None:
        self._raw, self._left = raw, FIELDS_MAX

    def message(self, at: int, end: int, tags: Tags, depth: int) -> dict[str, Any]:
        """Field by field: 1. Its tag. 2. Its extent. 3. Its value, if it is known. (Small numbers are read in place: this is
        where the time goes.)"""
        if depth > DEPTH_MAX:
            raise Rejected(Reason.DEEP)
        raw, found = self._raw, dict[str, Any]()
        while at < end:
            self._left -= 1
            if self._left < 0:
                raise Rejected(Reason.FIELDS, 413)
            tag = raw[at]
            at += 1
            if tag > 0x7F:
                tag, at = self._varint(at - 1)
            known = tags.get(tag)
            if tag & 7 == _BYTES:
                size = raw[at]
                at += 1
                if size > 0x7F:
                    size, at = self._varint(at - 1)
                start, at = at, at + size
                if at > end:
                    raise Rejected(Reason.PROTOBUF)
                if known is not None:
                    self._take(found, known, start, at, depth)
            else:
                start, at = at, self._after(tag & 7, at)
                if at > end:
                    raise Rejected(Reason.PROTOBUF)
                if known is not None:
                    _put(found, known[1], known[2], self._number(known[0], start))
        return found

    def _take(self, found: dict[str, Any], known: Any, start: int, stop: int, depth: int) -> None:
        """A value that says how long it is."""
        holds, name, many, tags = known
        value: Any
        if tags is _PAIR and (pair := self._pair(start, stop)) is not None:
            value = pair
        elif holds is Holds.TEXT:
            value = self._raw[start:stop].decode("utf-8", "replace")
        elif holds is Holds.MESSAGE:
            value = self.message(start, stop, tags, depth + 1)
        elif holds is Holds.HEX:
            value = self._raw[start:stop].hex()
        else:
            found.setdefault(name, []).extend(self._packed(holds, start, stop))
            return
        _put(found, name, many, value)

    def _pair(self, start: int, stop: int) -> dict[str, Any] | None:
        """An attribute whose value is a short text, which most are, at once; None for any other."""
        raw = self._raw
        if stop - start < 6 or raw[start] != 0x0A or raw[start + 1] > 0x7F:
            return None
        key = start + 2
        after = key + raw[start + 1]
        if after + 4 > stop or raw[after] != 0x12 or raw[after + 2] != 0x0A or raw[after + 3] > 0x7F:
            return None
        value = after + 4
        if raw[after + 1] != raw[after + 3] + 2 or value + raw[after + 3] != stop:
            return None
        self._spend(1)
        said = raw[value:stop].decode("utf-8", "replace")
        return {"key": raw[key:after].decode("utf-8", "replace"), "value": {"stringValue": said}}

    def _packed(self, holds: Holds, at: int, stop: int) -> list[Any]:
        if holds in _LETTERS:
            count, rest = divmod(stop - at, 8)
            self._spend(count // PACKED)
            if rest:
                raise Rejected(Reason.PROTOBUF)
            return list(struct.unpack_from(f"<{count}{_LETTERS[holds]}", self._raw, at))
        made = []
        while at < stop:
            self._spend(1)
            made.append(self._number(holds, at))
            at = self._after(_VARINT, at)
        if at > stop:
            raise Rejected(Reason.PROTOBUF)
        return made

    def _number(self, holds: Holds, at: int) -> Any:
        unpack = _UNPACK.get(holds)
        if unpack is not None:
            return unpack(self._raw, at)[0]
        value, _ = self._varint(at)
        if holds is Holds.FLAG:
            return value != 0
        if holds is Holds.ZIGZAG:
            return (value >> 1) ^ -(value & 1)
        return value - (1 << 64) if value >> 63 and holds is Holds.WHOLE else value

    def _after(self, wire: int, at: int) -> int:
        """Where a number ends. Groups, which OTLP does not have, are refused."""
        if wire == _VARINT:
            return self._varint(at)[1]
        if wire == _EIGHT:
            return at + 8
        if wire == _FOUR:
            return at + 4
        raise Rejected(Reason.PROTOBUF)

    def _varint(self, at: int) -> tuple[int, int]:
        """(value, where it ends): at most ten bytes."""
        value = shift = 0
        while shift < 70:
            byte = self._raw[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value & 0xFFFF_FFFF_FFFF_FFFF, at
            shift += 7
        raise Rejected(Reason.PROTOBUF)

    def _spend(self, fields: int) -> None:
        self._left -= fields
        if self._left < 0:
            raise Rejected(Reason.FIELDS, 413)


def _put(found: dict[str, Any], name: str, many: bool, value: Any) -> None:
    if not many:
        found[name] = value
    elif name in found:
        found[name].append(value)
    else:
        found[name] = [value]
