"""Passes deliveries on to another Sentry, so that nobody who tries us loses what they have. It never holds anything up."""

from __future__ import annotations

import http.client
import queue
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from prodwise.clock import monotonic
from prodwise.model.errors import ConfigError
from prodwise.model.project import Project
from prodwise.signals.receiver.http import Headers

WAITING_MAX, BYTES_MAX = 200, 8 * 1024 * 1024
TIMEOUT_S, PAUSE_S, PAUSE_MAX_S = 5.0, 10.0, 300.0
CLIENT = "prodwise"
_PASSED = (b"content-type", b"content-encoding")


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another receiver, from its DSN."""

    secure: bool
    host: str
    port: int
    path: str
    key: str
    project: str

    @classmethod
    def of(cls, dsn: str) -> Elsewhere:
        """Raises ConfigError for what is no DSN."""
        try:
            url = urlsplit(dsn)
            path, _, project = url.path.rstrip("/").rpartition("/")
            port = url.port or (443 if url.scheme == "https" else 80)
        except ValueError:
            raise ConfigError(
                "a DSN to forward to cannot be read", "copy it from Sentry: https://KEY@HOST/NUMBER"
            ) from None
        known = url.scheme in ("http", "https") and re.fullmatch(r"[0-9a-zA-Z]{1,64}", url.username or "")
        if not known or not url.hostname or not re.fullmatch(r"[\w-]{1,64}", project):
            raise ConfigError("a DSN to forward to cannot be read", "copy it from Sentry: https://KEY@HOST/NUMBER")
        return cls(url.scheme == "https", url.hostname, port, path, url.username or "", project)


@dataclass(frozen=True, slots=True)
class _Parcel:
    way: str
    headers: Mapping[str, str]
    body: bytes


class _Lane:
    """One project's, with a thread and a connection of its own. The address is the configured one and no other: no redirect
    is followed, and nothing that came in chooses where it goes."""

    def __init__(self, to: Elsewhere, on_lost: Callable[[], None]) -> None:
        self._to, self._on_lost = to, on_lost
        self._queue: queue.Queue[_Parcel] = queue.Queue(WAITING_MAX)
        self._bytes, self._lock = 0, threading.Lock()
        self._paused_until = 0.0
        threading.Thread(target=self._run, name="forward", daemon=True).start()

    def put(self, parcel: _Parcel) -> None:
        if monotonic() < self._paused_until or self._bytes + len(parcel.body) > BYTES_MAX:
            return self._on_lost()
        self._hold(len(parcel.body))
        try:
            self._queue.put_nowait(parcel)
        except queue.Full:
            self._hold(-len(parcel.body))
            self._on_lost()

    def _hold(self, size: int) -> None:
        with self._lock:
            self._bytes += size

    def _run(self) -> None:
        connection: http.client.HTTPConnection | None = None
        while True:
            parcel = self._queue.get()
            connection = self._send(connection or self._connect(), parcel)
            self._hold(-len(parcel.body))

    def _connect(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._to.secure else http.client.HTTPConnection
        return kind(self._to.host, self._to.port, timeout=TIMEOUT_S)

    def _send(self, connection: http.client.HTTPConnection, parcel: _Parcel) -> http.client.HTTPConnection | None:
        """The connection while it can be used again. What cannot be sent now is lost, and a pause begins: it never piles up."""
        to = self._to
        try:
            connection.request("POST", f"{to.path}/api/{to.project}/{parcel.way}/", parcel.body, dict(parcel.headers))
            response = connection.getresponse()
            response.read(65_536)
            if response.status == 429 or response.status >= 500:
                self._pause(response.headers.get("Retry-After", ""))
            return connection if response.isclosed() else None
        except (OSError, http.client.HTTPException, ValueError):
            connection.close()
            self._pause("")
            return None

    def _pause(self, asked: str) -> None:
        seconds = float(asked) if asked.isdigit() else PAUSE_S
        self._paused_until = monotonic() + min(seconds, PAUSE_MAX_S)
        self._on_lost()


class Forwarder:
    """Implements app.Forwards. on_lost: told the project of each delivery that is not passed on, from any thread.

    Raises ConfigError for a broken DSN.
    """

    def __init__(self, projects: Iterable[Project], on_lost: Callable[[int], None]) -> None:
        self._to = {one.id: Elsewhere.of(one.forward) for one in projects if one.forward}
        self._lanes = {number: _Lane(to, partial(on_lost, number)) for number, to in self._to.items()}

    def put(self, project: int, way: str, headers: Headers, body: bytes) -> None:
        lane = self._lanes.get(project)
        if lane is None:
            return
        passed = {name.decode(): headers[name].decode("latin-1") for name in _PASSED if name in headers}
        key = self._to[project].key
        passed["X-Sentry-Auth"] = f"Sentry sentry_version=7, sentry_client={CLIENT}, sentry_key={key}"
        lane.put(_Parcel(way, passed, body))
