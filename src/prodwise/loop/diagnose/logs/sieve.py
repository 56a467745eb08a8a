"""A log of any size in bounded memory: its beginning, its end, and of what lies between the lines that may say what broke."""

from __future__ import annotations

import re
from collections import deque
from typing import Final

HEAD_BYTES: Final = 2 * 2**20
TAIL_BYTES: Final = 2 * 2**20
KEPT_BYTES: Final = 2**20
LOOKED_AT_BYTES: Final = 64 * 2**20  # of the middle
_TELLING: Final = re.compile(
    rb"[Ee]rror|ERR!|ERROR|Exception|FAIL|Traceback|panic|onflict|Caused by|npm warn|requires|Downloaded from"
)


class Sieve:
    """Takes pieces in order. `kept` is what a diagnosis reads; `cut` tells whether something was left out."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._middle: list[bytes] = []
        self._middle_bytes = self._looked_at = 0
        self._tail: deque[bytes] = deque()
        self._tail_bytes = 0
        self.seen = 0

    def take(self, piece: bytes) -> None:
        self.seen += len(piece)
        room = HEAD_BYTES - len(self._head)
        if room > 0:
            self._head += piece[:room]
            piece = piece[room:]
        if not piece:
            return
        self._tail.append(piece)
        self._tail_bytes += len(piece)
        while self._tail_bytes - len(self._tail[0]) >= TAIL_BYTES:
            self._tail_bytes -= len(self._tail[0])
            self._look(self._tail.popleft())

    def _look(self, piece: bytes) -> None:
        """Keeps its telling lines, while there is room and time."""
        if self._middle_bytes >= KEPT_BYTES or self._looked_at >= LOOKED_AT_BYTES:
            return
        self._looked_at += len(piece)
        at = 0
        while self._middle_bytes < KEPT_BYTES and (found := _TELLING.search(piece, at)) is not None:
            start = max(piece.rfind(b"\n", at, found.start()) + 1, found.start() - 2_000, 0)
            end = piece.find(b"\n", found.end())
            end = len(piece) if end < 0 else end
            line = piece[start : min(end, start + 4_000)] + b"\n"
            self._middle.append(line)
            self._middle_bytes += len(line)
            at = max(end, found.end())

    @property
    def cut(self) -> bool:
        return self.seen > len(self._head) + self._tail_bytes

    @property
    def kept(self) -> bytes:
        between = b"".join(self._middle) if not self.cut else b"\n" + b"".join(self._middle)
        return bytes(self._head) + between + b"".join(self._tail)
