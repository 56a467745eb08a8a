"""How many different users there were, from hashes, in bounded space: exact while few, then within a few percent."""

from __future__ import annotations

import math
from collections.abc import Iterable

EXACT_MAX = 32
_REGISTERS, _BITS = 1024, 10
_HASH_BYTES = 8
_ALPHA = 0.7213 / (1 + 1.079 / _REGISTERS)


class Users:
    """A set of user hashes (16 hex digits each); beyond EXACT_MAX of them a HyperLogLog sketch, off by 3 % as a rule.

    The order of additions, repetitions and merges does not matter.
    """

    __slots__ = ("_few", "_many")

    def __init__(self) -> None:
        self._few: set[int] = set()
        self._many: bytearray | None = None

    def add(self, user: str) -> None:
        """Ignores ""."""
        if user:
            self._add(int(user, 16))

    def merge(self, other: Users) -> None:
        if other._many is None:
            for one in other._few:
                self._add(one)
            return
        mine = self._sketch()
        for at, rank in enumerate(other._many):
            if rank > mine[at]:
                mine[at] = rank

    def count(self) -> int:
        if self._many is None:
            return len(self._few)
        empty = self._many.count(0)
        if empty > _REGISTERS // 4:
            return round(_REGISTERS * math.log(_REGISTERS / empty))
        return round(_ALPHA * _REGISTERS**2 / sum(2.0**-rank for rank in self._many))

    def pack(self) -> bytes:
        """For `unpack`: EXACT_MAX hashes at most, or the sketch."""
        if self._many is not None:
            return b"m" + bytes(self._many)
        return b"f" + b"".join(one.to_bytes(_HASH_BYTES, "big") for one in sorted(self._few))

    @classmethod
    def unpack(cls, packed: bytes) -> Users:
        made = cls()
        if packed[:1] == b"m" and len(packed) == _REGISTERS + 1:
            made._many = bytearray(packed[1:])
        elif packed[:1] == b"f":
            made._few = {
                int.from_bytes(packed[at : at + _HASH_BYTES], "big") for at in range(1, len(packed), _HASH_BYTES)
            }
        return made

    @classmethod
    def union(cls, packed: Iterable[bytes]) -> Users:
        made = cls()
        for one in packed:
            made.merge(cls.unpack(one))
        return made

    def _add(self, user: int) -> None:
        if self._many is None:
            self._few.add(user)
            if len(self._few) > EXACT_MAX:
                self._sketch()
            return
        at, rest = user & (_REGISTERS - 1), user >> _BITS
        rank = (64 - _BITS) - rest.bit_length() + 1
        if rank > self._many[at]:
            self._many[at] = rank

    def _sketch(self) -> bytearray:
        if self._many is None:
            self._many = bytearray(_REGISTERS)
            few, self._few = self._few, set()
            for one in few:
                self._add(one)
        return self._many
