"""Broken, hostile and simply too much: refused or cleaned with a counted reason, while everybody else is served."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import time
import uuid
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brotli
import psutil
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import load
from prodwise.clock import now
from prodwise.loop.sample import Keep, Sampler
from prodwise.model.digest import Delivery
from prodwise.model.project import Project
from prodwise.model.redaction import Redactor
from prodwise.model.report import Reason, Rejected
from prodwise.signals.receiver.admission import Admission, Room
from prodwise.signals.receiver.app import Receiver, ReceiverParts, Way
from prodwise.signals.receiver.commits import Commits
from prodwise.signals.receiver.digest import Digester
from prodwise.signals.receiver.forward import Forwarder
from prodwise.signals.receiver.seen import SeenIds
from prodwise.signals.sentry.envelope import SentryDecoder
from prodwise.store.reports.writer import ReportWriter
from prodwise.testing.receivers import Receivers, receivers
from tests.signals.sentry_kit import KEY, envelope, item
from tests.signals.test_receiver import _within, error, key, post
from tests.signals.test_sentry_bad_input import KINDS, SHAPED

BLOCKED_MAX_S = 0.1
PROJECT = Project(1, "shop", KEY, "web")
DEEP = b"[" * 10_000 + b"]" * 10_000
BODIES: dict[str, tuple[bytes, str, Reason]] = {
    "gzip bomb": (gzip.compress(bytes(200 * 1024 * 1024)), "gzip", Reason.BOMB),
    "deflate bomb": (zlib.compress(bytes(200 * 1024 * 1024)), "deflate", Reason.BOMB),
    "brotli bomb": (brotli.compress(bytes(64 * 1024 * 1024), quality=4), "br", Reason.BOMB),
    "zstd bomb": (zstandard.compress(bytes(64 * 1024 * 1024)), "zstd", Reason.BOMB),
    "cut off": (gzip.compress(envelope(item("event", {})))[:-9], "gzip", Reason.UNPACK),
    "not what it says": (b"plain", "gzip", Reason.UNPACK),
    "unknown encoding": (b"plain", "rot13", Reason.ENCODING),
    "no envelope": (b"\x00\xff" * 1000, "", Reason.ENVELOPE),
    "lying length": (envelope(item("event", {"message": "x"}, length=10**12)), "", Reason.ITEM_CUT),
    "negative length": (envelope(item("event", {"message": "x"}, length=-1)), "", Reason.ITEM_CUT),
    "10,000 deep": (envelope(item("event", DEEP)), "", Reason.TOO_DEEP),
    "a million keys": (
        gzip.compress(envelope(item("event", b"{" + b",".join(b'"%x":0' % n for n in range(100_001)) + b"}"))),
        "gzip",
        Reason.TOO_MANY,
    ),
    "many values": (
        gzip.compress(envelope(*[item("event", {"extra": {f"k{n}": "a" * 9 for n in range(9_000)}})] * 8)), "gzip",
        Reason.DETAIL_LARGE,
    ),
    "a message of 1 MB": (envelope(item("event", {"message": "a b-c " * 160_000})), "", Reason.CUT_TEXT),
    "invalid UTF-8": (envelope(item("event", b'{"message":"\xff\xfe\\u0000\\u001b[31m"}')), "", Reason.TEXT),
    "a clock off by years": (envelope(item("event", {"message": "x", "timestamp": "1999-01-01T00:00:00Z"})), "", Reason.CLOCK),
    "negative counts": (
        envelope(item("sessions", {"aggregates": [{"started": "2026-11-24T00:23:00Z", "exited": -5, "crashed": 1}]})), "",
        Reason.NUMBER,
    ),
    "without its fields": (envelope(item("check_in", {})), "", Reason.SHAPE),
    "of an unknown kind": (envelope(item("replay_video", b"\x00\x01")), "", Reason.UNKNOWN_ITEM),
    "too many items": (envelope(*[item("check_in", {"monitor_slug": "a", "status": "ok"})] * 120), "", Reason.ITEMS),
}  # fmt: skip


@pytest.fixture(scope="module")
def receiving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receivers]:
    with receivers(tmp_path_factory.mktemp("receiving")) as running:
        yield running


@pytest.mark.parametrize("name", BODIES)
def test_bad_input_is_counted_and_the_next_one_is_served(receiving: Receivers, name: str) -> None:
    body, encoding, reason = BODIES[name]
    before = receiving.archive.received(1).counts.get(reason, 0)
    status, answer, _ = receiving.post("/api/1/envelope/", body, {**key(receiving), "Content-Encoding": encoding})
    assert status in (200, 400, 413, 415)
    assert status == 200 or json.loads(answer) == {"detail": reason.value}
    assert post(receiving, error())[0] == 200
    assert _within(5, lambda: receiving.archive.received(1).counts.get(reason, 0) > before)


def test_bodies_that_are_too_large_however_they_are_announced(receiving: Receivers) -> None:
    assert receiving.post("/api/1/envelope/", bytes(1024 * 1024 + 1), key(receiving))[0] == 413
    head = f"POST /api/1/envelope/?sentry_key={receiving.project.key} HTTP/1.1\r\nHost: x\r\n"
    for more in (
        "Content-Length: 99999999999\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n" + "10000\r\n" + "x" * 65536 + "\r\n",
    ):
        with socket.create_connection(("127.0.0.1", receiving.port), timeout=20) as link:
            link.sendall((head + more).encode())
            try:
                while "chunked" in more:
                    link.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            except OSError:
                pass
            with_answer = _answer(link)
        assert with_answer in (b"413", b""), "told, or cut off while still sending"
    assert _within(5, lambda: receiving.archive.received(1).counts.get(Reason.TOO_LARGE, 0) >= 3)


@pytest.mark.full
def test_senders_that_go_away_or_dawdle_hold_nothing(receiving: Receivers) -> None:
    head = f"POST /api/1/envelope/?sentry_key={receiving.project.key} HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nabc"
    slow = [socket.create_connection(("127.0.0.1", receiving.port), timeout=30) for _ in range(60)]
    for number, link in enumerate(slow):
        link.sendall(head.encode() if number % 3 else head[:20].encode() if number % 2 else b"")
    assert post(receiving, error())[0] == 200
    gone, rest = slow[:30], slow[30:]
    for link in gone:
        link.close()
    assert all(_answer(link) in (b"408", b"") for link in rest), "each is answered or closed by its deadline"
    for link in rest:
        link.close()

    def counted() -> int:
        counts = receiving.archive.received(1).counts
        return counts.get(Reason.CUT_OFF, 0) + counts.get(Reason.SLOW, 0)

    assert _within(5, lambda: counted() == 40)


def test_pipelined_and_kept_alive_requests_are_all_answered(receiving: Receivers) -> None:
    body = envelope(error(uuid.uuid4().hex))
    head = f"POST /api/1/envelope/?sentry_key={receiving.project.key} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", receiving.port), timeout=20) as link:
        link.sendall((head.encode() + body) * 5)
        got = b""
        while got.count(b"HTTP/1.1 200") < 5:
            got += link.recv(65536)


def test_no_body_keeps_the_loop_for_long(tmp_path: Path) -> None:
    """The longest turn of the loop, in its own thread's CPU time: what others of the machine do is not counted."""
    longest = asyncio.run(_longest_turn(tmp_path))
    assert longest < BLOCKED_MAX_S


async def _longest_turn(folder: Path) -> float:
    app, longest, run = in_process(folder), 0.0, asyncio.Handle._run

    def timed(handle: asyncio.Handle) -> None:
        nonlocal longest
        begun = time.thread_time()
        run(handle)  # type: ignore[no-untyped-call]
        longest = max(longest, time.thread_time() - begun)

    gate: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    started = asyncio.Event()

    async def told(_: Any) -> None:
        started.set()

    done = asyncio.create_task(app({"type": "lifespan"}, gate.get, told))
    await gate.put({"type": "lifespan.startup"})
    await started.wait()
    await ask(app, envelope(error()), "")
    asyncio.Handle._run = timed  # type: ignore[method-assign]
    try:
        await asyncio.gather(*(ask(app, body, encoding) for body, encoding, _ in BODIES.values() for _ in range(3)))
    finally:
        asyncio.Handle._run = run  # type: ignore[method-assign]
        await gate.put({"type": "lifespan.shutdown"})
        await done
    return longest


def in_process(folder: Path) -> Receiver:
    decoder, sampler = SentryDecoder(), Sampler()
    commits = Commits(ReportWriter(f"sqlite:///{folder}/reports-0.db", 0), SeenIds(folder / "seen"), print)
    digesters = [Digester(Redactor(), sampler, "salt") for _ in range(2)]
    ways = (Way("envelope", decoder.read_envelope, True),)
    forwards = Forwarder((PROJECT,), lambda _: None)
    parts = ReceiverParts({1: PROJECT}, decoder.key, ways, *digesters, Admission(Room()), commits, forwards)
    return Receiver(parts)


async def ask(app: Receiver, body: bytes, encoding: str) -> int:
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        statuses.append(message.get("status", 0))

    headers = [(b"content-encoding", encoding.encode()), (b"content-length", str(len(body)).encode())]
    query = f"sentry_key={KEY}".encode()
    scope = {"type": "http", "method": "POST", "path": "/api/1/envelope/", "query_string": query, "headers": headers}
    await app(scope, receive, send)
    return statuses[0]


def test_a_crowd_of_one_project_leaves_room_for_the_others() -> None:
    admission = Admission(Room(requests=10, bytes=1000, events_per_minute=600))
    assert admission.admit(1, 10, 1.0) is None
    crowd = [admission.admit(1, 10, 1.0) for _ in range(20)]
    assert [turned.reason for turned in crowd if turned] == [Reason.BUSY] * 11
    for _ in range(8):
        admission.leave(1, 10)
    assert admission.admit(2, 10, 1.0) is None
    shares = [admission.admit(project, 10, 1.0) for project in (1, 1, 1, 1, 1, 1)]
    assert [one is None for one in shares] == [True, True, True, False, False, False]
    assert admission.admit(2, 10, 1.0) is None, "the other one's share is still there"
    assert admission.admit(3, 900, 1.0) is not None, "too large for what is left"


def test_a_quota_fills_up_again() -> None:
    admission = Admission(Room(events_per_minute=60))
    assert admission.admit(1, 1, 100.0) is None
    admission.charge(1, 70)
    turned = admission.admit(1, 1, 100.0)
    assert turned is not None
    assert (turned.reason, 9 <= turned.retry_s <= 13) == (Reason.QUOTA, True)
    assert admission.admit(1, 1, 100.0 + turned.retry_s) is None


def test_the_first_and_the_rare_are_kept_and_the_many_are_sampled() -> None:
    sampler = Sampler()
    kept = [sampler.keep("g", "r1", "GET /", float(second) / 10) for second in range(1000)]
    assert kept[:10] == [Keep.RARE] * 10
    assert (kept.count(Keep.SAMPLE), kept.count(Keep.RARE)) == (9, 10)
    assert sampler.keep("g", "r2", "GET /", 100.0) is Keep.RARE
    assert sampler.keep("g", "r2", "GET /", 100.1) is Keep.COUNT
    assert sampler.keep("g", "r2", "GET /", 1000.0) is Keep.RARE


@pytest.mark.full
@pytest.mark.timeout(900)
@settings(max_examples=4_000, deadline=None, database=None)
@given(st.lists(st.tuples(st.sampled_from(KINDS), SHAPED), max_size=5), st.binary(max_size=60), st.integers(0, 400))
def test_nothing_breaks_what_comes_after_the_decoder_either(
    items: list[tuple[str, object]], dirt: bytes, at: int
) -> None:
    body = envelope(*(item(kind, data) for kind, data in items))
    for raw in (body, body[:at] + dirt + body[at:], body[: -at or None]):
        try:
            report = SentryDecoder().read_envelope(raw, 1, now())
        except Rejected:
            continue
        made = DIGESTER.digest(report, PROJECT, now())
        assert isinstance(made, Delivery)
        for one in made.events:
            assert len(one.seen.title) <= 300
            assert one.detail is None or isinstance(json.loads(zstandard.decompress(one.detail)), dict)


DIGESTER = Digester(Redactor(), Sampler(), "salt")


@pytest.mark.full
@pytest.mark.timeout(300)
def test_a_storm_is_taken_or_counted_within_bounded_memory(tmp_path: Path) -> None:
    with receivers(tmp_path, 2) as running:
        requests = [_request(running, number) for number in range(100_000)]
        sent = load.Load(running.port, 64, rate=100_000 / 60).run(requests, seconds=75)
        memory = sum(psutil.Process(one.pid).memory_info().rss for one in running.processes.values())
        refused = sent.statuses.get(429, 0) + sent.statuses.get(503, 0)
        taken = sent.statuses.get(200, 0)
        assert taken + refused == sum(sent.statuses.values())
        assert taken >= 30_000
        assert memory <= 512 * 1024 * 1024
        lost = (Reason.QUOTA, Reason.BUSY, Reason.NOT_STORED)
        assert _within(10, lambda: sum(running.archive.received(1).counts.get(one, 0) for one in lost) == refused)
        assert running.archive.received(1).events == taken == len(running.heard())
        groups, _ = running.archive.groups(1)
        assert sum(one.count for one in groups) == taken
        assert post(running, error())[0] in (200, 429)


def _request(to: Receivers, number: int) -> bytes:
    frame = {"filename": "shop.py", "function": f"step{number % 20}", "module": "shop", "lineno": 7, "in_app": True}
    thrown = {"type": "ValueError", "value": f"no price {number}", "stacktrace": {"frames": [frame] * 8}}
    event = {
        "event_id": f"{number:032x}",
        "exception": {"values": [thrown]},
        "user": {"id": number % 500},
        "release": "r1",
    }
    body = gzip.compress(envelope(item("event", event)), 1)
    head = f"POST /api/1/envelope/?sentry_key={to.project.key} HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def _answer(link: socket.socket) -> bytes:
    """The status, "" when the connection was closed without one."""
    try:
        return link.recv(65536)[9:12]
    except OSError:
        return b""
