"""The little of HTTP that a receiver needs: headers, bodies within their limits, short answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson

from prodwise.model.report import Reason, Rejected
from prodwise.signals.sentry.inflate import BODY_MAX

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = dict[bytes, bytes]

BODY_S = 10.0
"""A body that takes longer to arrive is given up."""


class Gone(Exception):
    """The sender went away: nobody is to be answered."""


def headers_of(scope: Scope) -> Headers:
    """Names in lower case; of one that comes twice the last."""
    return dict(scope["headers"])


def announced(headers: Headers) -> int:
    """The body's length as the sender says; as much as may come when it does not say. Raises Rejected for too much."""
    length = headers.get(b"content-length")
    if length is None:
        return BODY_MAX
    if not length.isdigit() or int(length) > BODY_MAX:
        raise Rejected(Reason.TOO_LARGE, 413)
    return int(length)


async def read_body(receive: Receive) -> bytes:
    """The whole body. Raises Rejected for one that is too large or too slow, Gone."""
    try:
        message = await receive()
        if not message.get("more_body") and message["type"] == "http.request":
            return _within(message.get("body", b""))
        async with asyncio.timeout(BODY_S):
            return await _rest(message, receive)
    except TimeoutError:
        raise Rejected(Reason.SLOW, 408) from None


async def _rest(message: MutableMapping[str, Any], receive: Receive) -> bytes:
    parts, size = [], 0
    while True:
        if message["type"] == "http.disconnect":
            raise Gone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > BODY_MAX:
            raise Rejected(Reason.TOO_LARGE, 413)
        if not message.get("more_body"):
            return b"".join(parts)
        message = await receive()


def _within(body: bytes) -> bytes:
    if len(body) > BODY_MAX:
        raise Rejected(Reason.TOO_LARGE, 413)
    return body


async def answer(send: Send, status: int, body: dict[str, Any], headers: list[tuple[bytes, bytes]]) -> None:
    raw = orjson.dumps(body) if status != 204 else b""
    common = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(raw))]
    await send({"type": "http.response.start", "status": status, "headers": common + headers})
    await send({"type": "http.response.body", "body": raw})
