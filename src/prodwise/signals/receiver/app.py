"""The receiver's ASGI app: who sends, how much, what is in it, stored, answered."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from prodwise.clock import monotonic, now
from prodwise.model.digest import Delivery
from prodwise.model.project import Project
from prodwise.model.report import Reason, Rejected, Report
from prodwise.signals.inflate import unpack
from prodwise.signals.receiver.admission import Admission
from prodwise.signals.receiver.commits import Commits
from prodwise.signals.receiver.digest import Digester
from prodwise.signals.receiver.http import (
    DISCARD_MAX,
    Gone,
    Headers,
    Receive,
    Scope,
    Send,
    announced,
    answer,
    answer_raw,
    discard,
    headers_of,
    read_body,
)

INLINE_MAX = 128 * 1024
"""Bytes, unpacked, that are read at once; more is read beside, so that nobody else waits for it."""
SPEECH_INLINE_MAX = 32 * 1024
"""The same for other protocols, which take more time a byte."""
RETRY_S = 5
LIGHT = 50
"""Timings or points that count as one event."""
CLOSE = (b"connection", b"close")
NOBODY = Project(0, "", "0" * 32)
_CORS_HEADERS = b"content-type, content-encoding, x-sentry-auth, authorization, sentry-trace, baggage"


class Decoder(Protocol):
    """One kind of delivery. raw: unpacked; raises Rejected when nothing of it can be read."""

    def __call__(self, raw: bytes, project: int, received_at: float) -> Report: ...


class Forwards(Protocol):
    """Passes a delivery on, as it came."""

    def put(self, project: int, way: str, headers: Headers, body: bytes) -> None:
        """Never waits; does nothing for a project that has nowhere to pass it on to."""


class Speech(Protocol):
    """Another protocol than Sentry's: its paths name no project, and its answers have the form of what was sent."""

    def key(self, headers: Headers) -> str:
        """The key that was sent, "" without one."""

    def decoder(self, headers: Headers) -> Decoder:
        """Raises Rejected for a form that is not known."""

    def taken(self, report: Report) -> dict[str, Any]:
        """What is answered once it is stored."""

    def answer(self, headers: Headers, told: Mapping[str, Any]) -> tuple[bytes, bytes]:
        """(content type, body)."""


@dataclass(frozen=True, slots=True)
class Way:
    """A path's last part ("envelope"), how its deliveries are read, and whether other origins' pages may send them. With a
    speech it is the whole path ("v1/logs"), and `decode` is not asked."""

    name: str
    decode: Decoder | None
    browsers: bool
    speech: Speech | None = None

    def decoder(self, headers: Headers) -> Decoder:
        """Raises Rejected."""
        if self.speech is not None:
            return self.speech.decoder(headers)
        if self.decode is None:
            raise Rejected(Reason.CONTENT_TYPE, 415)
        return self.decode


@dataclass(frozen=True, slots=True)
class ReceiverParts:
    """What a receiver is made of. key_of: the key that was sent; slow: a second digester, for another thread."""

    projects: Mapping[int, Project]
    key_of: Callable[[Headers, bytes], str]
    ways: tuple[Way, ...]
    digester: Digester
    slow: Digester
    admission: Admission
    commits: Commits
    forwards: Forwards
    origins: tuple[str, ...] = ("*",)


class Receiver:
    """`POST /api/<project>/<way>/`. Everything is refused that is not known to be fine; what is refused is counted."""

    def __init__(self, parts: ReceiverParts) -> None:
        self._parts = parts
        self._ways = {way.name: way for way in parts.ways}
        self._beside = ThreadPoolExecutor(1, "digest")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        self._parts.commits.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await asyncio.to_thread(self._parts.commits.close)
        await send({"type": "lifespan.shutdown.complete"})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        number, way = self._place(scope["path"])
        headers, method = headers_of(scope), scope["method"]
        if way is None:
            health = scope["path"] == "/health" and method == "GET"
            return await answer(
                send, 200 if health else 404, {"status": "ok"} if health else _told("there is nothing here"), []
            )
        cors = self._cors(headers) if way.browsers else []
        if method == "OPTIONS":
            return await answer(send, 204, {}, cors)
        if method != "POST":
            return await answer(send, 405, _told("only POST"), [(b"allow", b"POST, OPTIONS"), *cors])
        try:
            status, told, more = await self._post(scope, headers, number, way, receive)
        except Gone:
            return None
        if way.speech is not None:
            return await answer_raw(send, status, *way.speech.answer(headers, told), more)
        return await answer(send, status, told, [*cors, *more])

    async def _post(
        self, scope: Scope, headers: Headers, number: int, way: Way, receive: Receive
    ) -> tuple[int, dict[str, Any], list[tuple[bytes, bytes]]]:
        """(status, body, more headers)."""
        parts = self._parts
        if way.speech is not None:
            project = self._with_key(way.speech.key(headers))
        else:
            project = self._project(number, parts.key_of(headers, scope["query_string"]))
        if project is None:
            parts.commits.count(NOBODY.id, Reason.KEY)
            return 401, _told(Reason.KEY), await _unread(headers, receive)
        try:
            size, decode = announced(headers), way.decoder(headers)
        except Rejected as error:
            parts.commits.count(project.id, error.reason)
            return error.status, _told(error.reason), await _unread(headers, receive)
        turned = parts.admission.admit(project.id, size, monotonic())
        if turned is not None:
            parts.commits.count(project.id, turned.reason)
            return (
                429,
                _told(turned.reason),
                [(b"retry-after", b"%d" % turned.retry_s), *await _unread(headers, receive)],
            )
        try:
            return await self._take(headers, project, way, decode, receive)
        except Rejected as error:
            parts.commits.count(project.id, error.reason)
            return error.status, _told(error.reason), [CLOSE] if error.status in (408, 413) else []
        except Gone:
            parts.commits.count(project.id, Reason.CUT_OFF)
            raise
        finally:
            parts.admission.leave(project.id, size)

    async def _take(
        self, headers: Headers, project: Project, way: Way, decode: Decoder, receive: Receive
    ) -> tuple[int, dict[str, Any], list[tuple[bytes, bytes]]]:
        """1. The body. 2. Unpacked and digested, beside the loop when it is large. 3. Stored. 4. Passed on."""
        body = await read_body(receive)
        at = now()
        raw = unpack(body, headers.get(b"content-encoding", b"").decode("latin-1"))
        if len(raw) <= (INLINE_MAX if way.speech is None else SPEECH_INLINE_MAX):
            report = decode(raw, project.id, at)
            delivery = self._parts.digester.digest(report, project, at)
        else:
            report, delivery = await asyncio.get_running_loop().run_in_executor(
                self._beside, self._digest_beside, decode, raw, project, at
            )
        self._parts.admission.charge(project.id, _weight(delivery))
        if not await self._parts.commits.put(delivery):
            return 503, _told(Reason.NOT_STORED), [(b"retry-after", b"%d" % RETRY_S)]
        if way.speech is not None:
            return 200, way.speech.taken(report), []
        self._parts.forwards.put(project.id, way.name, headers, body)
        return 200, {"id": report.id}, []

    def _digest_beside(self, decode: Decoder, raw: bytes, project: Project, at: float) -> tuple[Report, Delivery]:
        report = decode(raw, project.id, at)
        return report, self._parts.slow.digest(report, project, at)

    def _place(self, path: str) -> tuple[int, Way | None]:
        """(project, way) of "/api/7/envelope/"; (0, way) of "/v1/logs"."""
        parts = path.strip("/").split("/")
        if (way := self._ways.get("/".join(parts))) is not None and way.speech is not None:
            return 0, way
        if (
            len(parts) != 3
            or parts[0] != "api"
            or not (parts[1].isascii() and parts[1].isdigit() and len(parts[1]) < 10)
        ):
            return 0, None
        way = self._ways.get(parts[2])
        return int(parts[1]), way if way is not None and way.speech is None else None

    def _project(self, number: int, key: str) -> Project | None:
        """A project that does not exist takes as long as a wrong key."""
        found = self._parts.projects.get(number, NOBODY)
        fits = hmac.compare_digest(found.key.encode(), key.encode())
        return found if fits and found is not NOBODY else None

    def _with_key(self, key: str) -> Project | None:
        """Each is compared, so that a wrong key takes as long as a right one."""
        fits = [one for one in self._parts.projects.values() if hmac.compare_digest(one.key.encode(), key.encode())]
        return fits[0] if fits else None

    def _cors(self, headers: Headers) -> list[tuple[bytes, bytes]]:
        origin = headers.get(b"origin")
        if origin is None:
            return []
        if "*" in self._parts.origins:
            allowed = b"*"
        elif origin.decode("latin-1") in self._parts.origins:
            allowed = origin
        else:
            return []
        return [
            (b"access-control-allow-origin", allowed),
            (b"access-control-allow-methods", b"POST"),
            (b"access-control-allow-headers", _CORS_HEADERS),
            (b"access-control-expose-headers", b"retry-after"),
            (b"access-control-max-age", b"3600"),
            (b"vary", b"origin"),
        ]


async def _unread(headers: Headers, receive: Receive) -> list[tuple[bytes, bytes]]:
    """Reads a refused body; more headers for the answer: the connection ends where reading would take too long."""
    length = headers.get(b"content-length", b"0")
    small = length.isdigit() and int(length[:19]) <= DISCARD_MAX
    return [] if small and await discard(receive) else [CLOSE]


def _weight(delivery: Delivery) -> int:
    """In events: what needs no grouping and no detail costs little."""
    return len(delivery.events) + (len(delivery.items) + len(delivery.measured)) // LIGHT


def _told(reason: str) -> dict[str, str]:
    return {"detail": str(reason)}
