"""Sends ready-made requests over kept-alive connections, as fast as they are answered or at a given rate. A process of its own:
`python -m bench.load PORT FILE CONNECTIONS [RATE]` reads requests from FILE (each after its length as 4 bytes) and prints JSON."""

from __future__ import annotations

import json
import selectors
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

PATIENCE_S = 30.0
ANSWER_MAX = 64 * 1024


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of a run. statuses: how often each came, 0 for no answer; ms: of all answers, sorted; acknowledged: which of the
    requests got a 200, by their place."""

    seconds: float
    statuses: dict[int, int]
    ms: list[float]
    acknowledged: list[int] = field(default_factory=list)

    def quantile(self, q: float) -> float:
        return self.ms[min(len(self.ms) - 1, int(q * len(self.ms)))]


class Wire:
    """One connection with at most one request under way; connects again when it was closed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.number, self.begun = -1, 0.0
        self._left, self._got = memoryview(b""), bytearray()
        self.connect()

    def connect(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self._port), timeout=5)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)

    def send(self, number: int, request: bytes) -> None:
        self.number, self.begun = number, time.perf_counter()
        self._left = memoryview(request)
        self._got.clear()
        self.push()

    def push(self) -> bool:
        """Whether something is left to be sent."""
        try:
            while self._left:
                self._left = self._left[self.socket.send(self._left) :]
        except BlockingIOError:
            return True
        return False

    def pull(self) -> tuple[int, bool] | None:
        """(status, whether the connection stays), None while the answer is not whole. Raises OSError."""
        try:
            chunk = self.socket.recv(ANSWER_MAX)
        except BlockingIOError:
            return None
        if not chunk:
            raise ConnectionResetError
        self._got += chunk
        head, gap, body = self._got.partition(b"\r\n\r\n")
        lower = head.lower()
        at = lower.find(b"content-length:")
        if not gap or len(body) < (int(lower[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0):
            return None
        return int(head[9:12]), b"connection: close" not in lower


class Load:
    """rate: requests a second, 0 for as fast as they are answered."""

    def __init__(self, port: int, connections: int, rate: float = 0.0) -> None:
        self._port, self._connections, self._rate = port, connections, rate
        self._statuses: Counter[int] = Counter()
        self._ms: list[float] = []
        self._acknowledged: list[int] = []
        self._idle: list[Wire] = []
        self._selector = selectors.DefaultSelector()

    def run(self, requests: Sequence[bytes], seconds: float = 0.0) -> Sent:
        """Until all are answered, or the time is over."""
        begun = time.perf_counter()
        for _ in range(self._connections):
            self._add(Wire(self._port))
        line = iter(enumerate(requests))
        due, given, under_way = begun, 0, 0
        while True:
            now = time.perf_counter()
            over = bool(seconds) and now - begun > seconds
            while self._idle and not over and (not self._rate or due <= now):
                following = next(line, None)
                if following is None:
                    over = True
                    break
                given += 1
                due = begun + given / self._rate if self._rate else now
                self._begin(self._idle.pop(), *following)
            under_way = self._connections - len(self._idle)
            if over and not under_way:
                break
            wait = 0.5 if not self._rate or not self._idle else max(0.0, min(0.5, due - now))
            if not self._turn(wait) and under_way and now - begun > (seconds or 600) + PATIENCE_S:
                break
        return Sent(time.perf_counter() - begun, dict(self._statuses), sorted(self._ms), self._acknowledged)

    def _add(self, wire: Wire) -> None:
        self._selector.register(wire.socket, selectors.EVENT_READ, wire)
        self._idle.append(wire)

    def _begin(self, wire: Wire, number: int, request: bytes) -> None:
        try:
            wire.send(number, request)
            if wire.push():
                self._selector.modify(wire.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, wire)
        except OSError:
            self._lost(wire)

    def _turn(self, wait: float) -> int:
        ready = self._selector.select(wait)
        for key, events in ready:
            wire: Wire = key.data
            try:
                if events & selectors.EVENT_WRITE and not wire.push():
                    self._selector.modify(wire.socket, selectors.EVENT_READ, wire)
                if events & selectors.EVENT_READ:
                    self._answered(wire, wire.pull())
            except OSError:
                self._lost(wire)
        return len(ready)

    def _answered(self, wire: Wire, answer: tuple[int, bool] | None) -> None:
        if answer is None:
            return
        status, stays = answer
        self._statuses[status] += 1
        self._ms.append((time.perf_counter() - wire.begun) * 1000)
        if status == 200:
            self._acknowledged.append(wire.number)
        wire.number = -1
        if stays:
            self._idle.append(wire)
        else:
            self._again(wire)

    def _lost(self, wire: Wire) -> None:
        if wire.number >= 0:
            self._statuses[0] += 1
            wire.number = -1
        self._again(wire)

    def _again(self, wire: Wire) -> None:
        """A new connection; without one after a while this wire is given up."""
        self._selector.unregister(wire.socket)
        wire.socket.close()
        if wire in self._idle:
            self._idle.remove(wire)
        for _ in range(100):
            try:
                wire.connect()
            except OSError:
                time.sleep(0.05)
                continue
            self._add(wire)
            return
        self._connections -= 1


def write(path: Path, requests: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        for one in requests:
            file.write(struct.pack(">I", len(one)) + one)


def read(path: Path) -> Iterator[bytes]:
    data = path.read_bytes()
    at = 0
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 4 + size]
        at += 4 + size


def main(argv: Sequence[str]) -> int:
    port, file, connections, *more = argv
    rate, seconds = (float(more[0]) if more else 0.0), (float(more[1]) if len(more) > 1 else 0.0)
    done = Load(int(port), int(connections), rate).run(list(read(Path(file))), seconds)
    json.dump(asdict(done), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
