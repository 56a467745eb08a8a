"""The little of HTTP that a receiver needs: headers, bodies within their limits, short answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

import orjson

from prodwise.model.report import Reason, Rejected
from prodwise.signals.inflate import BODY_MAX

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = dict[bytes, bytes]

BODY_S = 10.0
"""A body that takes longer to arrive is given up."""
DISCARD_MAX = 8 * BODY_MAX
"""Bytes of a refused body that are read all the same, and forgotten at once."""


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
    if not length.isdigit() or int(length[:19]) > BODY_MAX:
        raise Rejected(Reason.TOO_LARGE, 413)
    return int(length)


async def read_body(receive: Receive) -> bytes:
    """The whole body. Raises Rejected for one that is too large or too slow, Gone."""
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_S):
            async for part in _parts(receive):
                size += len(part)
                if size <= BODY_MAX:
                    parts.append(part)
                elif size > DISCARD_MAX:
                    break
    except TimeoutError:
        raise Rejected(Reason.SLOW, 408) from None
    if size > BODY_MAX:
        raise Rejected(Reason.TOO_LARGE, 413)
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def discard(receive: Receive) -> bool:
    """Reads a body that is refused, so that its sender hears why instead of a broken connection. False when it is too much."""
    left = DISCARD_MAX
    try:
        async with asyncio.timeout(BODY_S):
            async for part in _parts(receive):
                left -= len(part)
                if left < 0:
                    return False
    except (TimeoutError, Gone):
        return False
    return True


async def _parts(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        more = message.get("more_body", False)
        yield message.get("body", b"")


async def answer(send: Send, status: int, body: dict[str, Any], headers: list[tuple[bytes, bytes]]) -> None:
    await answer_raw(send, status, b"application/json", orjson.dumps(body) if status != 204 else b"", headers)


async def answer_raw(send: Send, status: int, kind: bytes, raw: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    """kind: its content type."""
    common = [(b"content-type", kind), (b"content-length", b"%d" % len(raw))]
    await send({"type": "http.response.start", "status": status, "headers": common + headers})
    await send({"type": "http.response.body", "body": raw})
