"""Lets machines in: is there such a way, is it they, is it not too much. What is refused is counted, and changes nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from prodwise.clock import monotonic, now
from prodwise.model.errors import ProdwiseError
from prodwise.model.outside import Call, Genuine
from prodwise.ports import Hook, Settings
from prodwise.server.doors import NotFound, TooMany, TooSlow, Visitor, WrongType
from prodwise.server.parts import ServerParts

HOOK_BODY_MAX: Final = 1024 * 1024
PING_BODY_MAX: Final = 16 * 1024 * 1024
PING_READ_MAX: Final = 1024 * 1024
"""Jobs send their logs along; they are not kept, and beyond this not even read."""
BODY_S: Final = 10.0
BODIES_MAX: Final = 32
BURST, PER_S = 60, 2.0
REASONS_MAX, FLUSH_S = 20, 10.0


class Doorkeeper:
    """Implements doors.Keeper."""

    def __init__(self, parts: ServerParts, counts: Counts) -> None:
        self._parts, self._counts = parts, counts
        self._bodies = 0
        self._rates: dict[str, _Rate] = {}

    async def admit(self, request: Request) -> Visitor:
        if "beat" in request.path_params:
            return await self._ping(request, str(request.path_params["beat"]))
        way = str(request.path_params["way"])
        hook = self._parts.hooks.get(way)
        if hook is None:
            raise NotFound
        try:
            request.state.call, request.state.genuine = await self._delivery(request, way, hook)
        except ProdwiseError as error:
            await run_in_threadpool(self._counts.refused, way, error)
            raise
        return Visitor(who=way, local=False)

    async def _ping(self, request: Request, beat_id: str) -> Visitor:
        name = self._parts.outsiders.beat(beat_id)
        if not name:
            raise NotFound
        self._limit(f"ping {name}")
        request.state.beat = name
        if request.method == "POST":
            await self._read(request, PING_READ_MAX, cut=True)
        return Visitor(who=name, local=False)

    async def _delivery(self, request: Request, way: str, hook: Hook) -> tuple[Call, Genuine]:
        """1. What cannot be genuine costs nothing: no body is read. 2. Who is genuine may still be too much."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise WrongType("the content type is not application/json", "send JSON, with that content type")
        headers = {name: value for name, value in request.headers.items() if len(value) <= 4096}
        await run_in_threadpool(hook.glance, Call(headers))
        call = Call(headers, await self._read(request, HOOK_BODY_MAX))
        genuine = await run_in_threadpool(hook.check, call, now())
        self._limit(way)
        return call, genuine

    async def _read(self, request: Request, most: int, *, cut: bool = False) -> bytes:
        """The whole body; with `cut` no more than `most` of it."""
        if self._bodies >= BODIES_MAX:
            raise TooMany(1.0)
        self._bodies += 1
        try:
            async with asyncio.timeout(BODY_S):
                return await _all(request, most, cut)
        except TimeoutError:
            if cut:
                return b""
            raise TooSlow("the body did not come in time", "send it at once") from None
        except ClientDisconnect:
            raise TooSlow("the sender went away") from None
        finally:
            self._bodies -= 1

    def _limit(self, who: str) -> None:
        """Raises TooMany. Only for those who proved who they are: nobody else can use their share up."""
        wait_s = self._rates.setdefault(who, _Rate()).wait_s(monotonic())
        if wait_s > 0:
            raise TooMany(wait_s)


async def _all(request: Request, most: int, cut: bool) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if cut and size > most:
            break
        chunks.append(chunk)
    return b"".join(chunks)


class _Rate:
    """A bucket of BURST that fills at PER_S."""

    def __init__(self) -> None:
        self._left, self._at = float(BURST), monotonic()

    def wait_s(self, at: float) -> float:
        """0 and one taken, or how long until there is one."""
        self._left = min(float(BURST), self._left + (at - self._at) * PER_S)
        self._at = at
        if self._left < 1.0:
            return (1.0 - self._left) / PER_S
        self._left -= 1.0
        return 0.0


class Counts:
    """What each hook took and refused, for people. Refusals reach the store at most once in 10 s: they must cost little."""

    def __init__(self, settings: Settings, ways: Callable[[], list[str]]) -> None:
        self._settings, self._ways = settings, ways
        self._lock = threading.Lock()
        self._kept: dict[str, dict[str, Any]] = {}
        self._flushed_at: dict[str, float] = {}

    def taken(self, way: str, what: str) -> None:
        with self._lock:
            kept = self._of(way)
            kept |= {"last_at": now(), "last": what[:300], "taken": kept["taken"] + 1}
            self._flush(way)

    def refused(self, way: str, error: ProdwiseError) -> None:
        with self._lock:
            kept = self._of(way)
            reasons = kept["refused"]
            if error.code in reasons or len(reasons) < REASONS_MAX:
                reasons[error.code] = reasons.get(error.code, 0) + 1
            kept |= {"refused_at": now(), "refusal": error.message[:300]}
            if monotonic() - self._flushed_at.get(way, -FLUSH_S) >= FLUSH_S:
                self._flush(way)

    def all(self) -> Mapping[str, Mapping[str, Any]]:
        with self._lock:
            return {way: {**self._of(way), "refused": dict(self._of(way)["refused"])} for way in self._ways()}

    def _of(self, way: str) -> dict[str, Any]:
        if way not in self._kept:
            none: dict[str, Any] = {
                "last_at": None,
                "last": "",
                "taken": 0,
                "refused": {},
                "refused_at": None,
                "refusal": "",
            }
            self._kept[way] = {**none, **(self._settings.get(f"outside:hook:{way}") or {})}
        return self._kept[way]

    def _flush(self, way: str) -> None:
        self._flushed_at[way] = monotonic()
        self._settings.put(f"outside:hook:{way}", self._kept[way], "prodwise")
