"""Which events were stored already, for all receivers of one app: a retry may reach another one, or come after a restart."""

from __future__ import annotations

import mmap
import os
from hashlib import blake2b
from pathlib import Path

SLOTS = 1 << 20
_BYTES = SLOTS * 8


class SeenIds:
    """The last million or so event ids, by a 64-bit hash, in a file that receivers share.

    A slot is one aligned word, written whole: no lock is needed, and what two write at once is one of the two. An id is
    added after its commit only, so that a crash in between makes a repetition and never a loss.
    """

    def __init__(self, path: Path) -> None:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if os.fstat(handle).st_size < _BYTES:
                os.ftruncate(handle, _BYTES)
            self._map = mmap.mmap(handle, _BYTES)
        finally:
            os.close(handle)
        self._slots = memoryview(self._map).cast("Q")

    def __contains__(self, name: int) -> bool:
        return self._slots[name % SLOTS] == name

    def add(self, name: int) -> None:
        self._slots[name % SLOTS] = name


def name_of(project: int, event_id: str) -> int:
    """Never 0, which is an empty slot."""
    return int.from_bytes(blake2b(f"{project}/{event_id}".encode(), digest_size=8).digest(), "big") or 1
