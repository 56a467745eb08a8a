"""Live updates: fragments of pages over server-sent events, rendered once a second for all who look at the same page."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool

from prodwise.model.errors import Refused
from prodwise.server.render import MARK

LISTENERS_MAX = 64
PERIOD_S, BEAT_S = 1.0, 15.0
BEAT = b"event: beat\ndata: -\n\n"
"""That nothing changed: a page that does not even hear this says that it may be old. A comment would reach no script."""

log = logging.getLogger("prodwise.server")

RenderTopic = Callable[[str], Mapping[str, str]]
"""Topic → fragment id → HTML, with MARK for the CSRF token. Called in a worker thread."""


@dataclass(eq=False)
class Listener:
    """One open page. pending: fragments that it has not been sent yet; a slow reader gets only the latest."""

    csrf: str
    pending: dict[str, str] = field(default_factory=dict)
    wake: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(eq=False)
class Topic:
    listeners: set[Listener] = field(default_factory=set)
    sent: dict[str, str] = field(default_factory=dict)
    pump: asyncio.Task[None] | None = None


class Live:
    """Works only while someone listens."""

    def __init__(self, render: RenderTopic, period_s: float = PERIOD_S, beat_s: float = BEAT_S) -> None:
        self._render, self._period_s, self._beat_s = render, period_s, beat_s
        self._topics: dict[str, Topic] = {}
        self._closed = False

    @property
    def listeners(self) -> int:
        return sum(len(topic.listeners) for topic in self._topics.values())

    def close(self) -> None:
        """Ends every stream, so that the server can shut down."""
        self._closed = True
        for topic in self._topics.values():
            for listener in topic.listeners:
                listener.wake.set()

    def check_room(self) -> None:
        """Raises Refused when too many pages listen already."""
        if self._closed or self.listeners >= LISTENERS_MAX:
            raise Refused("too many pages are open", "this page works without live updates too: reload it")

    async def listen(self, name: str, csrf: str, still_in: Callable[[], bool]) -> AsyncIterator[bytes]:
        """The stream. still_in: whether the session still stands, asked at every heartbeat (in a worker thread)."""
        topic = self._topics.setdefault(name, Topic())
        listener = Listener(csrf, dict(topic.sent))
        if listener.pending:
            listener.wake.set()
        topic.listeners.add(listener)
        if topic.pump is None:
            topic.pump = asyncio.create_task(self._pump(name, topic))
        try:
            yield b"retry: 2000\n\n"
            while not self._closed:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(listener.wake.wait(), self._beat_s)
                listener.wake.clear()
                if not listener.pending and not await run_in_threadpool(still_in):
                    return
                fresh, listener.pending = listener.pending, {}
                yield b"".join(_event(key, html.replace(MARK, csrf)) for key, html in fresh.items()) or BEAT
        finally:
            self._leave(name, topic, listener)

    def _leave(self, name: str, topic: Topic, listener: Listener) -> None:
        topic.listeners.discard(listener)
        if not topic.listeners:
            if topic.pump is not None:
                topic.pump.cancel()
            if self._topics.get(name) is topic:
                del self._topics[name]

    async def _pump(self, name: str, topic: Topic) -> None:
        """Renders while someone listens; a failure is logged and tried again, never the end of the stream."""
        while not self._closed:
            try:
                fresh = await run_in_threadpool(self._render, name)
            except Exception:
                log.exception("live update of %s failed", name)
                fresh = {}
            changed = {key: html for key, html in fresh.items() if topic.sent.get(key) != html}
            if changed:
                topic.sent.update(changed)
                for listener in topic.listeners:
                    listener.pending.update(changed)
                    listener.wake.set()
            await asyncio.sleep(self._period_s)


def _event(name: str, html: str) -> bytes:
    lines = "\n".join(f"data: {line}" for line in html.splitlines() if line.strip())
    return f"event: {name}\n{lines}\n\n".encode()
