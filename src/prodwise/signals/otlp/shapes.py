"""OTLP's messages by field number, as far as they are read: number → how the field is called in OTLP's JSON, and what it holds.

A field that is not named here is passed over. The numbers are those of opentelemetry-proto 1.x, which never change.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Holds(Enum):
    """What a field's bytes are."""

    TEXT = auto()
    HEX = auto()  # bytes, told as hex digits
    WHOLE = auto()  # a signed varint
    COUNT = auto()  # an unsigned one
    ZIGZAG = auto()
    FLAG = auto()
    FIXED = auto()  # 8 bytes, unsigned
    SIGNED = auto()  # 8 bytes, signed
    REAL = auto()
    MESSAGE = auto()


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """many: a list of them. shape: of a message, filled in once all shapes are there."""

    name: str
    holds: Holds
    many: bool = False
    shape: str = ""


Shape = dict[int, Field]


def _text(name: str) -> Field:
    return Field(name, Holds.TEXT)


def _one(name: str, shape: str) -> Field:
    return Field(name, Holds.MESSAGE, False, shape)


def _many(name: str, shape: str) -> Field:
    return Field(name, Holds.MESSAGE, True, shape)


_ATTRIBUTES = _many("attributes", "KeyValue")
_POINT: Shape = {
    2: Field("startTimeUnixNano", Holds.FIXED),
    3: Field("timeUnixNano", Holds.FIXED),
    4: Field("count", Holds.FIXED),
    5: Field("sum", Holds.REAL),
}

SHAPES: dict[str, Shape] = {
    "AnyValue": {
        1: _text("stringValue"),
        2: Field("boolValue", Holds.FLAG),
        3: Field("intValue", Holds.WHOLE),
        4: Field("doubleValue", Holds.REAL),
        5: _one("arrayValue", "ArrayValue"),
        6: _one("kvlistValue", "KeyValueList"),
        7: Field("bytesValue", Holds.HEX),
    },
    "ArrayValue": {1: _many("values", "AnyValue")},
    "KeyValueList": {1: _many("values", "KeyValue")},
    "KeyValue": {1: _text("key"), 2: _one("value", "AnyValue")},
    "Scope": {1: _text("name")},
    "Resource": {1: _ATTRIBUTES},
    "Logs": {1: _many("resourceLogs", "ResourceLogs")},
    "ResourceLogs": {1: _one("resource", "Resource"), 2: _many("scopeLogs", "ScopeLogs")},
    "ScopeLogs": {1: _one("scope", "Scope"), 2: _many("logRecords", "LogRecord")},
    "LogRecord": {
        1: Field("timeUnixNano", Holds.FIXED),
        2: Field("severityNumber", Holds.WHOLE),
        3: _text("severityText"),
        5: _one("body", "AnyValue"),
        6: _ATTRIBUTES,
        9: Field("traceId", Holds.HEX),
        10: Field("spanId", Holds.HEX),
        11: Field("observedTimeUnixNano", Holds.FIXED),
        12: _text("eventName"),
    },
    "Traces": {1: _many("resourceSpans", "ResourceSpans")},
    "ResourceSpans": {1: _one("resource", "Resource"), 2: _many("scopeSpans", "ScopeSpans")},
    "ScopeSpans": {1: _one("scope", "Scope"), 2: _many("spans", "Span")},
    "Span": {
        1: Field("traceId", Holds.HEX),
        2: Field("spanId", Holds.HEX),
        4: Field("parentSpanId", Holds.HEX),
        5: _text("name"),
        6: Field("kind", Holds.WHOLE),
        7: Field("startTimeUnixNano", Holds.FIXED),
        8: Field("endTimeUnixNano", Holds.FIXED),
        9: _ATTRIBUTES,
        11: _many("events", "Event"),
        15: _one("status", "Status"),
    },
    "Event": {1: Field("timeUnixNano", Holds.FIXED), 2: _text("name"), 3: _ATTRIBUTES},
    "Status": {2: _text("message"), 3: Field("code", Holds.WHOLE)},
    "Metrics": {1: _many("resourceMetrics", "ResourceMetrics")},
    "ResourceMetrics": {1: _one("resource", "Resource"), 2: _many("scopeMetrics", "ScopeMetrics")},
    "ScopeMetrics": {1: _one("scope", "Scope"), 2: _many("metrics", "Metric")},
    "Metric": {
        1: _text("name"),
        3: _text("unit"),
        5: _one("gauge", "Numbers"),
        7: _one("sum", "Numbers"),
        9: _one("histogram", "Histogram"),
        10: _one("exponentialHistogram", "Exponential"),
        11: _one("summary", "Summary"),
    },
    "Numbers": {
        1: _many("dataPoints", "Number"),
        2: Field("aggregationTemporality", Holds.WHOLE),
        3: Field("isMonotonic", Holds.FLAG),
    },
    "Histogram": {1: _many("dataPoints", "HistogramPoint"), 2: Field("aggregationTemporality", Holds.WHOLE)},
    "Exponential": {1: _many("dataPoints", "ExponentialPoint"), 2: Field("aggregationTemporality", Holds.WHOLE)},
    "Summary": {1: _many("dataPoints", "SummaryPoint")},
    "Number": {
        2: _POINT[2],
        3: _POINT[3],
        4: Field("asDouble", Holds.REAL),
        6: Field("asInt", Holds.SIGNED),
        7: _ATTRIBUTES,
    },
    "HistogramPoint": {
        **_POINT,
        6: Field("bucketCounts", Holds.FIXED, True),
        7: Field("explicitBounds", Holds.REAL, True),
        9: _ATTRIBUTES,
    },
    "ExponentialPoint": {
        **_POINT,
        1: _ATTRIBUTES,
        6: Field("scale", Holds.ZIGZAG),
        7: Field("zeroCount", Holds.FIXED),
        8: _one("positive", "Buckets"),
        9: _one("negative", "Buckets"),
    },
    "Buckets": {1: Field("offset", Holds.ZIGZAG), 2: Field("bucketCounts", Holds.COUNT, True)},
    "SummaryPoint": {**_POINT, 7: _ATTRIBUTES},
}
