"""The one way out of a sandbox: a unix socket that leads to one host, bounded, with a line in the log for each connection."""

from __future__ import annotations

import os
import selectors
import shutil
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from prodwise import clock
from prodwise.loop.repair.door import HEAD_MAX, Asked, Way, asked, is_host, is_public
from prodwise.model.errors import ConfigError, TargetError
from prodwise.repair.command import relay

SOCKET, RELAY, PROMPT = "out", "relay.py", "prompt.md"
AT_ONCE_MAX, CONNECTIONS_MAX = 16, 1_000
BYTES_MAX = 256_000_000
HEAD_S, CONNECT_S, IDLE_S = 10.0, 10.0, 300.0
_CHUNK = 65_536


@dataclass(slots=True)
class _Flow:
    sent: int = 0
    received: int = 0


class Door:
    """A directory to bind into a sandbox, and the thread behind its socket. A context manager: it is shut at the end."""

    def __init__(self, way: Way, prompt: str, seconds: float, log: Callable[..., None]) -> None:
        """log: called with (kind, **facts) for each connection. Raises ConfigError, or TargetError for a host that is not found."""
        self._way, self._log, self._until = way, log, clock.monotonic() + seconds
        self._addresses = _resolved(way)
        self._open, self._left, self._count = threading.BoundedSemaphore(AT_ONCE_MAX), BYTES_MAX, 0
        self._shut = False
        self._lock = threading.Lock()
        self._live: set[socket.socket] = set()
        self._outer = Path(tempfile.mkdtemp(prefix="prodwise-door-"))  # its owner's alone: who is bound in sees past it
        self.place = self._outer / "door"
        self.place.mkdir(mode=0o755)
        self.place.chmod(0o755)
        for name, text in ((RELAY, Path(relay.__file__).read_text()), (PROMPT, prompt)):
            (self.place / name).write_text(text)
            (self.place / name).chmod(0o644)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.place / SOCKET))
        os.chmod(self.place / SOCKET, 0o666)
        self._listener.listen(AT_ONCE_MAX)
        self._thread = threading.Thread(target=self._serve, name="door", daemon=True)

    def __enter__(self) -> Door:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._shut = True
        with self._lock:
            live = [self._listener, *self._live]
        for one in live:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)
        shutil.rmtree(self._outer, ignore_errors=True)

    def _serve(self) -> None:
        while not self._shut:
            try:
                inner, _ = self._listener.accept()
            except OSError:
                return
            self._count += 1
            if self._count > CONNECTIONS_MAX or not self._open.acquire(blocking=False):
                self._log(
                    "door", refused="too many connections", number=self._count
                ) if self._count < 2 * CONNECTIONS_MAX else None
                inner.close()
                continue
            threading.Thread(target=self._served, args=(inner,), daemon=True).start()

    def _served(self, inner: socket.socket) -> None:
        began, flow, request = clock.monotonic(), _Flow(), Asked(refused="no request")
        with ExitStack() as held:
            held.callback(self._open.release)
            held.enter_context(inner)
            self._known(held, inner)
            try:
                head, rest = _head(inner)
                request = asked(head, self._way) if head else request
                if request.refused:
                    inner.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                else:
                    outer = held.enter_context(self._connected(request))
                    self._known(held, outer)
                    self._joined(inner, outer, request, rest, flow)
            except OSError as error:
                request = Asked(
                    request.method, request.place, f"{type(error).__name__}: {error.strerror or error}"[:200]
                )
            facts = {
                "method": request.method,
                "place": request.place,
                "host": self._way.host,
                "refused": request.refused,
            }
            took = round(clock.monotonic() - began, 3)
            facts["over"] = "bytes" if self._left < 0 else ""
            self._log("door", **facts, sent=flow.sent, received=flow.received, seconds=took)

    def _known(self, held: ExitStack, one: socket.socket) -> None:
        """So that shutting the door ends it."""
        with self._lock:
            self._live.add(one)
        held.callback(self._forget, one)

    def _forget(self, one: socket.socket) -> None:
        with self._lock:
            self._live.discard(one)

    def _connected(self, request: Asked) -> socket.socket:
        """To an address that was looked up and judged when the door was made: a name that points elsewhere by now changes nothing."""
        last: OSError = OSError("no address")
        for family, address in self._addresses:
            plain = socket.socket(family, socket.SOCK_STREAM)
            plain.settimeout(CONNECT_S)
            try:
                plain.connect((address, self._way.port))
                if request.is_tunnel or not self._way.tls:
                    return plain
                return ssl.create_default_context().wrap_socket(plain, server_hostname=self._way.host)
            except OSError as error:
                plain.close()
                last = error
        raise last

    def _joined(self, inner: socket.socket, outer: socket.socket, request: Asked, rest: bytes, flow: _Flow) -> None:
        if request.is_tunnel:
            inner.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        first = request.head + rest
        inner.settimeout(IDLE_S)
        outer.settimeout(IDLE_S)
        outer.sendall(first)
        flow.sent += len(first)
        with selectors.DefaultSelector() as waiting:
            waiting.register(inner, selectors.EVENT_READ, outer)
            waiting.register(outer, selectors.EVENT_READ, inner)
            while waiting.get_map() and (left := min(IDLE_S, self._until - clock.monotonic())) > 0 and not self._shut:
                ready = waiting.select(left)
                if not ready:
                    return
                for key, _ in ready:
                    source = inner if key.fileobj is inner else outer
                    if not self._moved(source, key.data, source is inner, flow):
                        waiting.unregister(source)
                        if source is outer:
                            return

    def _moved(self, source: socket.socket, into: socket.socket, is_out: bool, flow: _Flow) -> bool:
        """Takes what is there to the other side; False once there will be no more."""
        while True:
            source.settimeout(0)  # TLS may have had something for itself only: never wait here
            try:
                part = source.recv(_CHUNK)
            except (BlockingIOError, ssl.SSLWantReadError):
                return True
            finally:
                source.settimeout(IDLE_S)
            with self._lock:
                self._left -= len(part)
                spent = self._left < 0
            if not part or spent:
                if not isinstance(into, ssl.SSLSocket):
                    with suppress(OSError):
                        into.shutdown(socket.SHUT_WR)
                return False
            into.sendall(part)
            flow.sent, flow.received = flow.sent + len(part) * is_out, flow.received + len(part) * (not is_out)
            if not (isinstance(source, ssl.SSLSocket) and source.pending()):
                return True


def _head(inner: socket.socket) -> tuple[bytes, bytes]:
    """The first request's head, and what came after it; (b"", b"") where there is none in time or in size."""
    got, until = b"", clock.monotonic() + HEAD_S
    while b"\r\n\r\n" not in got:
        left = until - clock.monotonic()
        if left <= 0 or len(got) > HEAD_MAX:
            return b"", b""
        inner.settimeout(left)
        part = inner.recv(4_096)
        if not part:
            return b"", b""
        got += part
    head, _, rest = got.partition(b"\r\n\r\n")
    return head, rest


def _resolved(way: Way) -> tuple[tuple[socket.AddressFamily, str], ...]:
    """The host's addresses, looked up once. One that is not on the public net makes the whole name unusable."""
    if not is_host(way.host):
        raise ConfigError(f"repair.command: {way.host!r} is no name of a host", "write it like api.example.com")
    try:
        found = socket.getaddrinfo(way.host, way.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise TargetError(f"{way.host} is not found: {error.strerror or error}", "is this machine online?") from None
    addresses = list(dict.fromkeys((family, str(place[0])) for family, _, _, _, place in found))[:8]
    if not way.private and (wrong := [one for _, one in addresses if not is_public(one)]):
        raise ConfigError(
            f"repair.command: {way.host} leads to {wrong[0]}, which is not on the public net",
            "for a model on your own network, set private = true there",
        )
    return tuple(addresses)
