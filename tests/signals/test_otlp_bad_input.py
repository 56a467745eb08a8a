"""OTLP that nobody should send, and every message that the protobuf library can write: read alike, or refused."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from prodwise.loop.sample import Sampler
from prodwise.model.project import Project
from prodwise.model.redaction import Redactor
from prodwise.model.report import Reason, Rejected
from prodwise.signals.otlp import wire
from prodwise.signals.otlp.decoder import JSON, PROTOBUF, OtlpSpeech
from prodwise.signals.otlp.events import EVENTS_MAX
from prodwise.signals.otlp.shapes import SHAPES
from prodwise.signals.receiver.digest import Digester
from tests.signals.test_otlp import KEY, NANOS, NOW, decoded

ROOTS: dict[str, type[Message]] = {"Logs": LogsData, "Traces": TracesData, "Metrics": MetricsData}


def varint(value: int) -> bytes:
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*made, value])


def nested(depth: int) -> bytes:
    """A log record whose body is a list in a list in a list."""
    inner = b""
    for _ in range(depth):
        inner = b"\x0a" + varint(len(inner)) + inner
        inner = b"\x2a" + varint(len(inner)) + inner
    for number in (5, 2, 2, 1):
        inner = bytes((number << 3 | 2,)) + varint(len(inner)) + inner
    return inner


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"\x0a\x05\x12", Reason.PROTOBUF),
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", Reason.PROTOBUF),
        (b"\x0a" + b"\xff" * 20, Reason.PROTOBUF),
        (b"\x0b\x0c", Reason.PROTOBUF),
        (b"\x0f", Reason.PROTOBUF),
        (b"\x09\x00", Reason.PROTOBUF),
        (b"\x0a\x00" * 1_000_000, Reason.FIELDS),
        (b"\x08\x00" * 1_000_000, Reason.FIELDS),
        (nested(60), Reason.DEEP),
        (nested(20_000), Reason.DEEP),
    ],
    ids=range(10),
)
def test_bytes_that_are_no_such_message_are_refused(raw: bytes, reason: Reason) -> None:
    with pytest.raises(Rejected) as refused:
        decoded("logs", raw, PROTOBUF)
    assert refused.value.reason is reason


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", Reason.NOT_JSON),
        (b"[]", Reason.SHAPE),
        (b'{"resourceLogs":', Reason.NOT_JSON),
        (b"[" * 50_000, Reason.TOO_DEEP),
        (b'{"a":[' + b"0," * 200_000 + b"0]}", Reason.TOO_MANY),
    ],
    ids=range(5),
)
def test_json_that_is_none_is_refused(raw: bytes, reason: Reason) -> None:
    with pytest.raises(Rejected) as refused:
        decoded("logs", raw)
    assert refused.value.reason in (reason, Reason.NOT_JSON)


def test_text_is_cleaned_wherever_it_comes_from() -> None:
    made = LogsData()
    record = made.resource_logs.add().scope_logs.add().log_records.add(severity_number=17)  # type: ignore[arg-type]
    record.body.string_value = "a\x00b\x1b[31mc"
    raw = made.SerializeToString().replace(b"c", b"\xff")
    (one,) = decoded("logs", raw, PROTOBUF).events
    assert one.event.message == "a\ufffdb\ufffd[31m\ufffd"


def shaped(message: type[Message] | Any) -> st.SearchStrategy[Any]:
    """Messages of the library, every field that it knows and some that we pass over."""
    return st.builds(lambda data: _filled(message(), data, 0), st.randoms(use_true_random=False))


def _filled(message: Any, chance: Any, depth: int) -> Any:
    for field in message.DESCRIPTOR.fields:
        if chance.random() < 0.4 or (field.message_type and depth > 9):
            continue
        if field.is_repeated:
            many = getattr(message, field.name)
            for _ in range(chance.randint(0, 2)):
                if field.message_type:
                    _filled(many.add(), chance, depth + 1)
                else:
                    many.append(_single(field, chance))
        elif field.message_type:
            part = getattr(message, field.name)
            part.SetInParent()
            _filled(part, chance, depth + 1)
        else:
            setattr(message, field.name, _single(field, chance))
    return message


def _single(field: Any, chance: Any) -> Any:
    if field.type == field.TYPE_STRING:
        return chance.choice(["", "exception", "exception.type", "é\n", "x" * 200])
    if field.type == field.TYPE_BYTES:
        return chance.choice([b"", b"\x00\xff" * 8])
    if field.type == field.TYPE_BOOL:
        return True
    if field.type in (field.TYPE_DOUBLE, field.TYPE_FLOAT):
        return chance.choice([0.5, -1.0, math.inf, 1e300])
    if field.type in (field.TYPE_UINT64, field.TYPE_FIXED64):
        return chance.choice([1, NANOS, 2**64 - 1])
    if field.type in (field.TYPE_INT64, field.TYPE_SFIXED64):
        return chance.choice([1, -1, -(2**63)])
    return chance.choice([1, 2, 3]) if field.type != field.TYPE_SINT32 else chance.choice([-5, 7])


def plain(message: Any, shape: str) -> dict[str, Any]:
    """What the library reads, as our reader should."""
    known = {field.name: field for field in SHAPES[shape].values()}
    found: dict[str, Any] = {}
    for descriptor, value in message.ListFields():
        field = known.get(descriptor.json_name)
        if field is None:
            continue
        values = list(value) if field.many else [value]
        if field.shape:
            values = [plain(one, field.shape) for one in values]
        elif descriptor.type == descriptor.TYPE_BYTES:
            values = [one.hex() for one in values]
        found[field.name] = values if field.many else values[0]
    return found


@pytest.mark.parametrize("root", list(ROOTS))
def test_every_message_is_read_as_the_library_reads_it(root: str) -> None:
    @settings(max_examples=60, deadline=None, database=None)
    @given(shaped(ROOTS[root]))
    def same(message: Any) -> None:
        raw = message.SerializeToString()
        assert wire.read(raw, root) == plain(ROOTS[root].FromString(raw), root)

    same()


DIGESTER = Digester(Redactor(), Sampler(), "salt")
PROJECT = Project(1, "shop", KEY, "web")


def digested(root: str, raw: bytes, form: bytes) -> None:
    """Whatever comes: a report that can be digested, or a refusal."""
    speech = OtlpSpeech(root.lower())
    headers = {b"content-type": form}
    try:
        report = speech.decoder(headers)(raw, 1, NOW)
    except Rejected as error:
        speech.answer(headers, {"detail": error.reason})
        return
    speech.answer(headers, speech.taken(report))
    made = DIGESTER.digest(report, PROJECT, NOW)
    assert len(made.events) <= EVENTS_MAX
    assert all(math.isfinite(one.point.value) for one in made.measured)
    assert all(NOW - 31 * 86_400 < one.seen.at <= NOW for one in made.events)
    assert all(one.ms_sum >= 0 and one.count >= one.errors >= 0 for one in made.calls)


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.sampled_from(["exception", "NaN", str(NANOS)]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(
        {field.name for shape in SHAPES.values() for field in shape.values()})), inner, max_size=5),
    max_leaves=30,
)  # fmt: skip


@st.composite
def bodies(draw: st.DrawFn) -> tuple[str, bytes]:
    """JSON that has the way down to the records right, and anything below."""
    root = draw(st.sampled_from(list(ROOTS)))
    inner: Any = draw(TREES)
    record = {"Logs": "logRecords", "Traces": "spans", "Metrics": "metrics"}[root]
    name = "Spans" if root == "Traces" else root
    scopes = [{record: [inner, draw(TREES)]}]
    data = {f"resource{name}": [{"resource": {"attributes": draw(TREES)}, f"scope{name}": scopes}]}
    return root, json.dumps(data).encode()


@settings(max_examples=150, deadline=None, database=None)
@given(bodies())
def test_no_json_breaks_it(body: tuple[str, bytes]) -> None:
    digested(*body, JSON)


@settings(max_examples=100, deadline=None, database=None)
@given(st.sampled_from(list(ROOTS)).flatmap(lambda root: st.tuples(st.just(root), shaped(ROOTS[root]))), st.data())
def test_no_bytes_break_it(made: tuple[str, Any], data: st.DataObject) -> None:
    root, message = made
    raw = message.SerializeToString()
    digested(root, raw, PROTOBUF)
    at = data.draw(st.integers(0, len(raw)))
    digested(root, raw[:at] + data.draw(st.binary(max_size=6)) + raw[at + data.draw(st.integers(0, 4)) :], PROTOBUF)


@pytest.mark.full
@pytest.mark.timeout(1_200)
@settings(max_examples=15_000, deadline=None, database=None)
@given(bodies(), st.binary(max_size=300))
def test_no_json_and_no_bytes_break_it_at_length(body: tuple[str, bytes], dirt: bytes) -> None:
    digested(*body, JSON)
    for root in ROOTS:
        digested(root, dirt, PROTOBUF)


@pytest.mark.full
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("root", list(ROOTS))
def test_no_message_with_a_fault_in_it_breaks_it_at_length(root: str) -> None:
    @settings(max_examples=4_000, deadline=None, database=None)
    @given(
        shaped(ROOTS[root]), st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=4), st.integers(0, 4)), max_size=4)
    )
    def holds(message: Any, faults: list[tuple[float, bytes, int]]) -> None:
        raw = message.SerializeToString()
        assert wire.read(raw, root) == plain(ROOTS[root].FromString(raw), root)
        for where, dirt, gone in faults:
            at = int(where * len(raw))
            raw = raw[:at] + dirt + raw[at + gone :]
            digested(root, raw, PROTOBUF)

    holds()
