"""Tails the proxy's JSON access log: through rotation, truncation, half-written and garbage lines, and our own restarts."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from prodwise.model.access import BadRecord, parse
from prodwise.model.signal import RequestSeen
from prodwise.signals.routes import Routes

RECORDS_MAX = 10_000  # a read
CHUNK = 256 * 1024
PAST_READS = 50
BYTES_MAX = 16 * 1024 * 1024  # a read, whatever stands in the lines
LINE_MAX = 64 * 1024
_HEAD = 256


@dataclass(frozen=True, slots=True)
class Position:
    """Up to where a file was read. head: hex digest of its first min(256, offset) bytes, since inode numbers are reused."""

    inode: int
    offset: int
    head: str


class AccessLog:
    """Implements RequestLog. Starts at the end of the log, or at a saved position, from where nothing is lost that still exists."""

    def __init__(
        self, path: Path, position: Mapping[str, Any] | None = None, until: Mapping[str, Any] | None = None
    ) -> None:
        """position: what `position()` returned in an earlier life; one that fits no file is counted in `gaps`.

        until: a later position, at which the log ends for this reader.
        """
        self._path, self._until = path, _position(until)
        self._routes = Routes()
        self._rejected: Counter[str] = Counter()
        self._fd = -1
        self._offset = 0
        self._skipping = False  # inside a line that is too long
        self.gaps = 0  # how often records may have been lost: a saved or rotated file that is gone
        self._ignored = {inode for _, inode, _ in self._files()}  # what was logged before us
        saved = _position(position)
        if saved is not None:
            self._resume(saved)
        elif self._open(path):
            self._offset = os.fstat(self._fd).st_size
        self._began = self.position()

    @property
    def rejected(self) -> Mapping[str, int]:
        """Reason → number of lines that were no usable record."""
        return dict(self._rejected)

    def position(self) -> dict[str, Any]:
        """Where the next read begins, ready for JSON; {} while there is no file."""
        if self._fd < 0:
            return {}
        return asdict(Position(os.fstat(self._fd).st_ino, self._offset, self._head(self._offset)))

    def read(self) -> list[RequestSeen]:
        """What was logged since the last call, oldest first, at most 10,000 records (the rest comes with the next call)."""
        found: list[RequestSeen] = []
        budget = BYTES_MAX
        while len(found) < RECORDS_MAX and budget > 0:
            if self._fd < 0 and not self._open_first():
                break
            self._notice_truncation()
            chunk = os.pread(self._fd, self._room(), self._offset)
            budget -= max(1, len(chunk))
            before = self._offset
            found.extend(self._records(chunk, RECORDS_MAX - len(found)))
            if self._offset == before and (self._room() < CHUNK or not self._follow()):
                break
        return found

    def since(self, position: Mapping[str, Any]) -> Iterator[RequestSeen]:
        """What was logged from an earlier position up to where this reader began, at most PAST_READS × 10,000 records."""
        past = AccessLog(self._path, position, self._began)
        with contextlib.closing(past):
            for _ in range(PAST_READS):
                found = past.read()
                if not found:
                    return
                yield from found

    def _room(self) -> int:
        """How many bytes may be read at once."""
        if self._until is None or os.fstat(self._fd).st_ino != self._until.inode:
            return CHUNK
        return max(0, min(CHUNK, self._until.offset - self._offset))

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _records(self, chunk: bytes, most: int) -> Iterator[RequestSeen]:
        """Takes up to `most` records from whole lines of the chunk and moves the offset behind what was taken."""
        start = 0
        while most > 0 and (end := chunk.find(b"\n", start)) >= 0:
            line, start = chunk[start:end], end + 1
            self._offset += len(line) + 1
            if self._skipping:
                self._skipping = False
            elif (seen := self._record(line)) is not None:
                most -= 1
                yield seen
        if most > 0 and len(chunk) - start >= LINE_MAX:
            self._rejected["line too long"] += not self._skipping
            self._skipping = True
            self._offset += len(chunk) - start

    def _record(self, line: bytes) -> RequestSeen | None:
        if not line.strip():
            return None
        try:
            if len(line) > LINE_MAX:
                raise BadRecord("line too long")
            return parse(json.loads(line), self._routes.route)
        except BadRecord as error:
            self._rejected[str(error)] += 1
        except (ValueError, RecursionError):
            self._rejected["not JSON"] += 1
        return None

    def _open_first(self) -> bool:
        """Nothing was there when we began: the oldest file that has appeared since, which may have been rotated already."""
        path = next((path for _, inode, path in self._files() if inode not in self._ignored), None)
        return path is not None and self._open(path)

    def _open(self, path: Path) -> bool:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        self.close()
        self._fd, self._offset, self._skipping = fd, 0, False
        return True

    def _head(self, offset: int) -> str:
        return hashlib.sha256(os.pread(self._fd, min(_HEAD, offset), 0)).hexdigest()[:16]

    def _notice_truncation(self) -> None:
        if os.fstat(self._fd).st_size < self._offset:
            self._offset, self._skipping = 0, False

    def _follow(self) -> bool:
        """At the end of a file: goes on to the next one if the log was rotated. True when there may be more to read.

        The writer closes the old file before it makes the new one: once a newer file exists, what the old one holds now
        is all that it will ever hold, so that is looked at once more.
        """
        ours = os.fstat(self._fd)
        if self._live_inode() == ours.st_ino:
            return False
        files = self._files()
        if not files or files[-1][1] == ours.st_ino:
            return False
        if b"\n" in os.pread(self._fd, max(0, ours.st_size - self._offset), self._offset):
            return True
        self._rejected["cut off by rotation"] += ours.st_size > self._offset
        inodes = [inode for _, inode, _ in files]
        if ours.st_ino in inodes:
            return self._open(files[inodes.index(ours.st_ino) + 1][2])
        self.gaps += 1  # ours was deleted meanwhile; whether others between went too is not known
        newer = [path for mtime_ns, _, path in files if mtime_ns >= ours.st_mtime_ns]
        return self._open(newer[0] if newer else files[-1][2])

    def _live_inode(self) -> int:
        """0 while there is no live file. Asked at each read, so that the folder is searched only after a rotation."""
        try:
            return os.stat(self._path).st_ino
        except FileNotFoundError:
            return 0

    def _files(self) -> list[tuple[int, int, Path]]:
        """(mtime in ns, inode, path) of the rotated files, oldest first, and of the live one last (if it exists)."""
        rotated: list[tuple[int, int, Path]] = []
        live: list[tuple[int, int, Path]] = []
        for path in [*self._path.parent.glob(f"{self._path.stem}-*{self._path.suffix}"), self._path]:
            try:
                stat = path.stat()
            except FileNotFoundError:
                continue
            (live if path == self._path else rotated).append((stat.st_mtime_ns, stat.st_ino, path))
        return sorted(rotated) + live

    def _resume(self, saved: Position) -> None:
        files = self._files()
        for _, inode, path in files:
            if inode == saved.inode and self._open(path):
                if os.fstat(self._fd).st_size >= saved.offset and self._head(saved.offset) == saved.head:
                    self._offset = saved.offset
                    return
                break
        self.gaps += 1
        self._open(files[0][2] if files else self._path)


def _position(data: Mapping[str, Any] | None) -> Position | None:
    """None for no position at all, or one that is none of ours."""
    try:
        return Position(int(data["inode"]), int(data["offset"]), str(data["head"])) if data else None
    except (KeyError, TypeError, ValueError):
        return None
