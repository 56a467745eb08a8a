"""A log of any size in bounded memory: its beginning, its end, and of what lies between the lines that may say what broke."""

from __future__ import annotations

from collections import deque
from typing import Final

HEAD_BYTES: Final = 2 * 2**20
TAIL_BYTES: Final = 2 * 2**20
KEPT_BYTES: Final = 2**20
LINES_MAX: Final = 50  # of one piece, for each telling word
_TELLING: Final = (
    b"rror:",
    b"ERR!",
    b"[ERROR]",
    b"Exception",
    b"FAIL",
    b"Traceback",
    b"panic",
    b"onflict",
    b"Caused by",
    b"requires ",
    b"Downloaded from",
)


class Sieve:
    """Takes pieces in order. `kept` is what a diagnosis reads; `cut` tells whether something was left out."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._middle: list[bytes] = []
        self._middle_bytes = 0
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
        """Keeps its telling lines, while there is room."""
        if self._middle_bytes >= KEPT_BYTES:
            return
        lines: dict[int, bytes] = {}
        for word in _TELLING:
            at = piece.find(word)
            for _ in range(LINES_MAX):
                if at < 0:
                    break
                start = max(piece.rfind(b"\n", 0, at) + 1, at - 2_000)
                end = piece.find(b"\n", at)
                end = len(piece) if end < 0 else end
                lines[start] = piece[start : min(end, at + 2_000)] + b"\n"
                at = piece.find(word, end)
        for _, line in sorted(lines.items()):
            if self._middle_bytes < KEPT_BYTES:
                self._middle.append(line)
                self._middle_bytes += len(line)

    @property
    def cut(self) -> bool:
        return self.seen > len(self._head) + self._tail_bytes

    @property
    def kept(self) -> bytes:
        between = b"".join(self._middle) if not self.cut else b"\n" + b"".join(self._middle)
        return bytes(self._head) + between + b"".join(self._tail)
