"""Deliveries that are broken or hostile: refused or cleaned, with a reason that is counted."""

from __future__ import annotations

import contextlib
import gzip
import json
import tracemalloc
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from prodwise.model.report import Reason, Rejected
from prodwise.signals import inflate
from prodwise.signals.sentry.envelope import ITEMS_MAX, SentryDecoder
from prodwise.signals.values import TEXT_MAX
from tests.signals.sentry_kit import NOW, envelope, item

DECODER = SentryDecoder()
PACK = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress, "zstd": zstandard.compress}
ERROR = {"event_id": "c" * 32, "exception": {"values": [{"type": "ValueError", "value": "no tea"}]}}
GOOD = envelope(item("event", ERROR))


def refused(body: bytes, encoding: str = "") -> tuple[Reason, int]:
    with pytest.raises(Rejected) as caught:
        DECODER.envelope(body, encoding, 1, NOW)
    return caught.value.reason, caught.value.status


@pytest.mark.parametrize("encoding", PACK)
def test_every_encoding_unpacks_and_a_cut_one_is_refused(encoding: str) -> None:
    packed = PACK[encoding](GOOD)
    assert len(DECODER.envelope(packed, encoding, 1, NOW).events) == 1
    for size in (0, 1, len(packed) // 2, len(packed) - 1):
        assert refused(packed[:size], encoding) == (Reason.UNPACK, 400)
    assert refused(b"this is none of it", encoding) == (Reason.UNPACK, 400)


def test_deflate_without_its_frame_is_read_too() -> None:
    packer = zlib.compressobj(wbits=-15)
    assert len(DECODER.envelope(packer.compress(GOOD) + packer.flush(), "deflate", 1, NOW).events) == 1


@pytest.mark.parametrize("encoding", PACK)
def test_a_bomb_is_refused_before_it_takes_memory(encoding: str) -> None:
    bomb = PACK[encoding](bytes(64 * 1024 * 1024))
    tracemalloc.start()
    try:
        assert refused(bomb, encoding) == (Reason.BOMB, 413)
        assert tracemalloc.get_traced_memory()[1] < 4 * inflate.OUT_MAX
    finally:
        tracemalloc.stop()


def test_an_unknown_encoding_and_a_large_body_are_refused() -> None:
    assert refused(GOOD, "lzma") == (Reason.ENCODING, 415)
    assert refused(bytes(inflate.BODY_MAX + 1)) == (Reason.TOO_LARGE, 413)


@pytest.mark.parametrize("body", [b"", b"\n", b"[]\n", b"nonsense", b"\xff\xfe{}", b"{" * 10_000, b" " * 100_000])
def test_what_is_no_envelope_is_refused(body: bytes) -> None:
    assert refused(body) == (Reason.ENVELOPE, 400)


@pytest.mark.parametrize("length", [10**9, -1, "12", 1.5, True])
def test_a_lying_length_costs_its_item_and_none_before_it(length: object) -> None:
    report = DECODER.envelope(envelope(item("event", ERROR), item("event", ERROR, length=length)), "", 1, NOW)
    assert len(report.events) == 1
    assert report.counts == {Reason.ITEM_CUT: 1}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"[" * 10_000 + b"]" * 10_000, Reason.TOO_DEEP),
        (b"[" + b"[" * 200_000, Reason.TOO_MANY),
        (b"{" + b",".join(b'"%x":0' % n for n in range(100_001)) + b"}", Reason.TOO_MANY),
        (b'"just text"', Reason.SHAPE),
        (b"{broken", Reason.NOT_JSON),
        (b'{"message":"' + b"x" * 1024 * 1024 + b'"}', Reason.ITEM_LARGE),
    ],
)
def test_an_item_that_cannot_be_taken_leaves_the_others(data: bytes, reason: Reason) -> None:
    packed = gzip.compress(envelope(item("event", data), item("event", ERROR)))
    report = DECODER.envelope(packed, "gzip", 1, NOW)
    assert len(report.events) == 1
    assert report.counts == {reason: 1}


def test_a_long_message_is_shortened_and_its_details_are_not_kept() -> None:
    event = DECODER.envelope(envelope(item("event", {"message": "x" * 1_000_000})), "", 1, NOW)
    assert event.counts == {Reason.CUT_TEXT: 1, Reason.DETAIL_LARGE: 1}
    assert (len(event.events[0].event.message), event.events[0].payload) == (TEXT_MAX, None)


def test_unreadable_text_is_replaced() -> None:
    raw = b'{"message":"nul \\u0000 esc \\u001b[31m lone \\ud800 bad \xff","release":"\\u202eevil","extra":{"a":NaN}}'
    report = DECODER.envelope(envelope(item("event", raw)), "", 1, NOW)
    event = report.events[0].event
    assert event.message == "nul \ufffd esc \ufffd[31m lone \ufffd bad \ufffd"
    assert event.release == "\ufffdevil"
    assert report.counts[Reason.TEXT] >= 2
    json.dumps(report.events[0].payload, ensure_ascii=False).encode()


def test_markup_stays_text() -> None:
    report = DECODER.envelope(envelope(item("event", {"message": "<script>alert(1)</script>"})), "", 1, NOW)
    assert report.events[0].event.message == "<script>alert(1)</script>"


@pytest.mark.parametrize(
    "stamp", [0, -5, 9e18, "2047-01-01T00:00:00Z", "1999-01-01T00:00:00Z", True, "yesterday", NOW + 10**8]
)
def test_a_clock_that_is_off_by_years_is_put_right(stamp: object) -> None:
    report = DECODER.envelope(envelope(item("event", {**ERROR, "timestamp": stamp})), "", 1, NOW)
    assert report.events[0].event.at == NOW
    assert report.counts[Reason.CLOCK] == 1


def test_a_sender_whose_clock_is_off_keeps_its_distances() -> None:
    body = envelope(item("event", {**ERROR, "timestamp": NOW - 10**8 - 5}), sent_at="2023-09-23T13:50:13Z")
    off = DECODER.envelope(body, "", 1, NOW).events[0].event.at
    assert NOW - 86_400 < off <= NOW


def test_negative_counts_become_nothing() -> None:
    sums = {"aggregates": [{"exited": -5, "errored": 1e18, "crashed": 2}]}
    report = DECODER.envelope(envelope(item("sessions", sums)), "", 1, NOW)
    assert [one.total for one in report.sessions] == [2]
    assert report.counts == {Reason.NUMBER: 2}


@pytest.mark.parametrize("entry", [None, 7, "GET /", [], {}])
def test_a_span_that_is_none_is_passed_over(entry: object) -> None:
    whole = {"name": "GET /", "is_segment": True, "start_timestamp": NOW - 1, "end_timestamp": NOW}
    report = DECODER.envelope(envelope(item("span", {"items": [entry, whole]})), "", 1, NOW)
    assert [one.route for one in report.timed] == ["GET /"]


def test_more_items_than_allowed_are_counted() -> None:
    report = DECODER.envelope(envelope(*[item("event", ERROR)] * (ITEMS_MAX + 5)), "", 1, NOW)
    assert len(report.events) == ITEMS_MAX
    assert report.counts == {Reason.ITEMS: 1}


JSONISH = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=10), inner, max_size=5),
    max_leaves=20,
)
FIELDS = ("exception", "values", "stacktrace", "frames", "timestamp", "user", "request", "url", "method", "message",
          "logentry", "fingerprint", "contexts", "trace", "aggregates", "attrs", "items", "attributes", "level", "feedback",
          "type", "value", "mechanism", "discarded_events", "quantity", "body", "start_timestamp", "transaction")  # fmt: skip
SHAPED = st.recursive(
    JSONISH,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=6),
    max_leaves=30,
)
KINDS = ("event", "transaction", "span", "session", "sessions", "check_in", "client_report", "log", "feedback", "other")


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(KINDS), SHAPED), max_size=4))
def test_no_shape_of_json_breaks_the_decoder(items: list[tuple[str, object]]) -> None:
    report = DECODER.envelope(envelope(*(item(kind, data) for kind, data in items)), "", 1, NOW)
    for one in report.events:
        assert "\0" not in one.event.message
        assert NOW - 31 * 86_400 <= one.event.at <= NOW
    assert all(count >= 0 for count in report.counts.values())


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(["", *PACK]))
def test_no_bytes_break_the_decoder(body: bytes, encoding: str) -> None:
    for given_body in (body, PACK[encoding](GOOD + body) if encoding else GOOD + body):
        with contextlib.suppress(Rejected):
            assert len(DECODER.envelope(given_body, encoding, 1, NOW).events) <= ITEMS_MAX
