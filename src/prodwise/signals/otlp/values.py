"""OTLP's single values, as its JSON has them, made safe: attributes, times, whole numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from prodwise.model.report import Reason
from prodwise.signals.values import Noted, listed, mapping, put_right, text

ATTRIBUTES_MAX = 128
DEPTH_MAX = 8
"""Lists and mappings in an attribute; what lies deeper is left out."""
LIST_MAX = 1_000
NAME_MAX = 200
RECORDS_MAX = 3_000
"""Of one delivery."""
REAL_MAX = 1e300
_WHOLE_DIGITS = 20

Attributes = Mapping[str, Any]


def attributes(value: object) -> Attributes:
    """The first of each name."""
    return _pairs(value, 0)


def plain(value: object, depth: int = 0) -> Any:
    """An AnyValue as the value that it is; None for what is none."""
    found = mapping(value)
    for name in ("stringValue", "boolValue", "doubleValue", "bytesValue"):
        if name in found:
            return found[name] if isinstance(found[name], str | bool | int | float) else None
    if "intValue" in found:
        return whole(found["intValue"])
    if depth >= DEPTH_MAX:
        return None
    if "arrayValue" in found:
        return [plain(one, depth + 1) for one in listed(mapping(found["arrayValue"]).get("values"), LIST_MAX)]
    if "kvlistValue" in found:
        return _pairs(mapping(found["kvlistValue"]).get("values"), depth + 1)
    return None


def whole(value: object) -> int | None:
    """Of 64 bits; OTLP's JSON writes large ones as text."""
    if isinstance(value, str) and len(value) <= _WHOLE_DIGITS:
        digits = value.removeprefix("-")
        value = int(value) if digits.isascii() and digits.isdigit() else None
    return value if isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**64 else None


def real(value: object) -> float | None:
    """Any finite number; None for what is none."""
    if isinstance(value, str):
        value = whole(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) and abs(found) <= REAL_MAX else None


def seconds(nanoseconds: object) -> float | None:
    """Unix seconds; None for what is no time, or 0, which OTLP has for none."""
    found = whole(nanoseconds)
    return found / 1e9 if found is not None and found > 0 else None


def when(value: object, received_at: float, noted: Noted) -> float:
    """By our clock: a time that is none or absurd is that of receipt, and noted."""
    at = seconds(value)
    noted[Reason.CLOCK] += at is None and value not in (None, 0, "0")
    return put_right(at, None, received_at, noted)


def said(facts: Attributes, noted: Noted, *names: str, most: int = NAME_MAX) -> str:
    """The first of these attributes that is there, as text; names: the newest convention first."""
    for name in names:
        if found := text(facts.get(name), noted, most):
            return found
    return ""


@dataclass
class Source:
    """Who speaks: a resource. facts: its attributes."""

    facts: Attributes
    noted: Noted

    @cached_property
    def service(self) -> str:
        found = said(self.facts, self.noted, "service.name")
        return "" if found.startswith("unknown_service") else found

    @cached_property
    def release(self) -> str:
        return said(self.facts, self.noted, "service.version")

    @cached_property
    def environment(self) -> str:
        return said(self.facts, self.noted, "deployment.environment.name", "deployment.environment", most=64)

    @cached_property
    def instance(self) -> str:
        """Two processes of one service count for themselves."""
        parts = ("service.namespace", "service.instance.id", "host.name", "k8s.pod.name", "container.id", "process.pid")
        return "/".join(said(self.facts, self.noted, name) for name in parts)

    @cached_property
    def platform(self) -> str:
        language = said(self.facts, self.noted, "telemetry.sdk.language", most=40)
        return {"nodejs": "node", "webjs": "javascript", "dotnet": "csharp"}.get(language, language)


def sections(data: Mapping[str, Any], signal: str, records: str, noted: Noted) -> Iterator[tuple[Source, str, Any]]:
    """(who speaks, through which scope, record), one by one, RECORDS_MAX of them. signal: "Logs"; records: "logRecords"."""
    left = RECORDS_MAX
    for group in _all(data.get(f"resource{signal}")):
        scopes = _all(mapping(group).get(f"scope{signal}"))
        source = Source(attributes(mapping(mapping(group).get("resource")).get("attributes")) if scopes else {}, noted)
        for scope in scopes:
            found = _all(mapping(scope).get(records))
            name = text(mapping(mapping(scope).get("scope")).get("name"), noted) if found else ""
            for record in found[:left]:
                yield source, name, mapping(record)
            noted[Reason.ITEMS] += max(0, len(found) - left)
            left = max(0, left - len(found))


def _all(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _pairs(value: object, depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pair in _all(value)[:ATTRIBUTES_MAX]:
        entry = mapping(pair)
        key = entry.get("key")
        if isinstance(key, str) and key not in found:
            found[key[:NAME_MAX]] = plain(entry.get("value"), depth)
    return found
