"""How long a receiver keeps a connection: as long as requests come on it."""

from __future__ import annotations

import asyncio
import time

import pytest

from prodwise.signals.receiver import serve
from prodwise.signals.receiver.http import Receive, Scope, Send, answer

WAIT_S = 0.25
REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "HEAD_S", WAIT_S)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    while scope["type"] == "lifespan":
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
    while (await receive()).get("more_body"):
        pass
    await answer(send, 200, {}, [])


async def asked(streams: Streams) -> bytes:
    """The first line of the answer; b"" when the connection was closed."""
    reader, writer = streams
    writer.write(REQUEST)
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    await asyncio.wait_for(reader.readexactly(2), 5)
    return head.split(b"\r\n", 1)[0]


async def closed(streams: Streams) -> bool:
    """Ended by the other side, without an answer."""
    return await asyncio.wait_for(streams[0].read(), 5) == b""


async def _served(connections: int) -> list[Streams]:
    made, listening = serve.server(app), serve.shared_socket("127.0.0.1:0")
    port = listening.getsockname()[1]
    running = asyncio.create_task(made.serve(sockets=[listening]))
    while not made.started:
        assert not running.done()
        await asyncio.sleep(0.01)
    return [await asyncio.open_connection("127.0.0.1", port) for _ in range(connections)]


def test_a_busy_connection_stays_and_one_without_a_head_ends() -> None:
    async def scene() -> None:
        busy, silent, halfway = await _served(3)
        halfway[1].write(REQUEST[:20])
        begun = time.monotonic()
        while time.monotonic() - begun < 6 * WAIT_S:
            assert await asked(busy) == b"HTTP/1.1 200 OK"
            await asyncio.sleep(0.02)
        assert await closed(silent)
        assert await closed(halfway)
        assert await asked(busy) == b"HTTP/1.1 200 OK"
        busy[1].write(REQUEST[:20])
        assert await closed(busy), "the rest of a head did not come"

    asyncio.run(scene())
