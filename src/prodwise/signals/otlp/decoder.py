"""A delivery over OTLP/HTTP: who sends, in which form, what is in it, and how it is answered."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import orjson

from prodwise.model.report import Reason, Rejected, Report
from prodwise.signals.otlp import wire
from prodwise.signals.otlp.events import Events
from prodwise.signals.otlp.logs import logs
from prodwise.signals.otlp.metrics import Metrics
from prodwise.signals.otlp.traces import Spans
from prodwise.signals.values import Noted, Unusable, parse

PROTOBUF, JSON = b"application/x-protobuf", b"application/json"
_TYPE = re.compile(rb"\s*([\w/.+-]{1,100})\s*(?:;\s*charset\s*=\s*\"?utf-?8\"?\s*)?$", re.IGNORECASE)
_KEY = re.compile(r"^[0-9a-f]{32}$")
_LEFT_OUT = {"logs": "rejectedLogRecords", "traces": "rejectedSpans", "metrics": "rejectedDataPoints"}
_SHAPES = {"logs": "Logs", "traces": "Traces", "metrics": "Metrics"}

Headers = Mapping[bytes, bytes]


class OtlpSpeech:
    """One signal ("logs", "traces" or "metrics"). Stateless: many requests may share one."""

    def __init__(self, signal: str) -> None:
        self._signal = signal

    def key(self, headers: Headers) -> str:
        """The project's key as OTEL_EXPORTER_OTLP_HEADERS sets it, "" without one."""
        found = headers.get(b"x-prodwise-key", b"").strip()
        told = headers.get(b"authorization", b"")
        if not found and told[:7].lower() == b"bearer ":
            found = told[7:].strip()
        key = found[:33].decode("latin-1")
        return key if _KEY.match(key) else ""

    def decoder(self, headers: Headers) -> Decoding:
        """Raises Rejected for another content type."""
        form = _form(headers)
        if form is None:
            raise Rejected(Reason.CONTENT_TYPE, 415)
        return Decoding(self._signal, form)

    def taken(self, report: Report) -> dict[str, Any]:
        """What is answered: how many records were left out, and why, where some were."""
        if not report.left_out:
            return {}
        why = [reason.value for reason in (Reason.ITEMS, Reason.SHAPE) if report.counts.get(reason)]
        return {"partialSuccess": {_LEFT_OUT[self._signal]: report.left_out, "errorMessage": "; ".join(why)}}

    def answer(self, headers: Headers, told: Mapping[str, Any]) -> tuple[bytes, bytes]:
        """(content type, body), in the form in which it was asked."""
        detail = told.get("detail")
        if _form(headers) != PROTOBUF:
            return JSON, orjson.dumps({"message": detail} if detail is not None else told)
        if detail is not None:
            return PROTOBUF, _field(2, str(detail).encode())
        partial = told.get("partialSuccess")
        if partial is None:
            return PROTOBUF, b""
        left_out = b"\x08" + _varint(partial[_LEFT_OUT[self._signal]])
        return PROTOBUF, _field(1, left_out + _field(2, partial["errorMessage"].encode()))


class Decoding:
    """Implements the receiver's Decoder."""

    def __init__(self, signal: str, form: bytes) -> None:
        self._signal, self._form = signal, form

    def __call__(self, raw: bytes, project: int, received_at: float) -> Report:
        noted: Noted = Counter()
        data = wire.read(raw, _SHAPES[self._signal]) if self._form == PROTOBUF else _json(raw, noted)
        whole = blake2b(raw, digest_size=16, person=self._signal.encode()).hexdigest()
        events = Events(project, whole, noted)
        if self._signal == "logs":
            logs(data, events, received_at, noted)
            return _report(whole, events, noted)
        if self._signal == "traces":
            spans = Spans(events, received_at, noted)
            spans.read(data)
            return _report(whole, events, noted, timed=tuple(spans.timed), calls=spans.calls())
        metrics = Metrics(project, received_at, noted)
        metrics.read(data)
        return _report(whole, events, noted, measured=tuple(metrics.measured))


def _report(whole: str, events: Events, noted: Noted, **found: Any) -> Report:
    counts = {reason: count for reason, count in noted.items() if count}
    left_out = noted[Reason.ITEMS] + noted[Reason.SHAPE]
    return Report(id=whole, events=events.found(), counts=counts, left_out=left_out, whole=whole, **found)


def _json(raw: bytes, noted: Noted) -> Mapping[str, Any]:
    try:
        data = parse(raw, noted)
    except Unusable as error:
        raise Rejected(error.reason, 413 if error.reason is Reason.TOO_MANY else 400) from None
    if not isinstance(data, dict):
        raise Rejected(Reason.SHAPE)
    return data


def _form(headers: Headers) -> bytes | None:
    found = _TYPE.match(headers.get(b"content-type", b"")[:200])
    name = found[1].lower() if found else b""
    return name if name in (PROTOBUF, JSON) else None


def _field(number: int, value: bytes) -> bytes:
    return bytes((number << 3 | 2,)) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    made.append(value)
    return bytes(made)
