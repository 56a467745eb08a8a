"""Spans: requests that a service answered, calls that it made, exceptions on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from prodwise.model.report import Reason, Timed
from prodwise.model.telemetry import MINUTE_S, Calls
from prodwise.signals.otlp.events import Events, route_of
from prodwise.signals.otlp.values import Attributes, Source, attributes, said, seconds, sections, when, whole
from prodwise.signals.values import Noted, listed, mapping, number, text

CALLS_MAX = 500
"""Kinds of calls of one delivery; more are one, named OTHER."""
EVENTS_OF_SPAN_MAX = 20
DAY_MS = 86_400_000.0
OTHER = "(other)"
_SERVER, _CLIENT, _PRODUCER, _CONSUMER = 2, 3, 4, 5
_KINDS = {"SPAN_KIND_SERVER": _SERVER, "SPAN_KIND_CLIENT": _CLIENT, "SPAN_KIND_PRODUCER": _PRODUCER,
          "SPAN_KIND_CONSUMER": _CONSUMER}  # fmt: skip
_FAILED = (2, "STATUS_CODE_ERROR")
_STATUS = ("http.response.status_code", "http.status_code")

Told = tuple[int, str, str, str]
"""(minute, caller, callee, address)."""


@dataclass(slots=True)
class _Sum:
    count: int = 0
    errors: int = 0
    ms_sum: float = 0.0
    ms_max: float = 0.0


@dataclass
class Spans:
    """One delivery's spans while they are read."""

    events: Events
    received_at: float
    noted: Noted
    timed: list[Timed] = field(default_factory=list)
    _calls: dict[Told, _Sum] = field(default_factory=dict)

    def read(self, data: Mapping[str, Any]) -> None:
        for source, scope, span in sections(data, "Spans", "spans", self.noted):
            began, ended = seconds(span.get("startTimeUnixNano")), seconds(span.get("endTimeUnixNano"))
            if began is None or ended is None:
                self.noted[Reason.SHAPE] += 1
                continue
            self._span(source, scope, span, (ended - began) * 1000)

    def calls(self) -> tuple[Calls, ...]:
        return tuple(Calls(*told, one.count, one.errors, one.ms_sum, one.ms_max) for told, one in self._calls.items())

    def _span(self, source: Source, scope: str, span: Mapping[str, Any], ms: float) -> None:
        """1. What it says of calls. 2. Its own time, of a request that was answered. 3. Its exceptions."""
        ms = number(ms, self.noted, DAY_MS)
        at = when(span.get("endTimeUnixNano"), self.received_at, self.noted)
        facts = attributes(span.get("attributes"))
        kind = _KINDS.get(str(span.get("kind")), whole(span.get("kind")))
        status = whole(facts.get(_STATUS[0])) or whole(facts.get(_STATUS[1])) or 0
        code = mapping(span.get("status")).get("code")
        failed = code in _FAILED or status >= 500
        for caller, callee, address in self._ends(source, kind, facts):
            self._count((int(at // MINUTE_S) * MINUTE_S, caller, callee, address), ms, failed)
        route = ""
        if kind == _SERVER:
            route = route_of(facts, self.noted) or text(span.get("name"), self.noted)
            self.timed.append(Timed(at, route or "?", source.release, ms, not failed, source.service, "otlp"))
        self._thrown(source, scope, span, route)

    def _ends(self, source: Source, kind: int | None, facts: Attributes) -> list[tuple[str, str, str]]:
        """(caller, callee, address): of a request that was answered the caller is not known; what a queue hands over, the queue
        is said to have called for."""
        service = source.service
        if not service:
            return []
        if kind == _SERVER:
            return [("", service, _address(facts, self.noted, "server.address", "net.host.name", "http.host"))]
        if kind == _CONSUMER:
            queue = _queue(facts, self.noted)
            return [("", service, ""), *([(queue, service, "")] if queue else [])]
        if kind not in (_CLIENT, _PRODUCER) and "peer.service" not in facts:
            return []
        address = _address(
            facts, self.noted, "server.address", "net.peer.name", "net.sock.peer.addr", "network.peer.address"
        )
        callee = (
            said(facts, self.noted, "peer.service", "service.peer.name")
            or _queue(facts, self.noted)
            or _database(facts, self.noted)
        )
        return [(service, callee, address)] if callee or address else []

    def _count(self, told: Told, ms: float, failed: bool) -> None:
        one = self._calls.get(told)
        if one is None:
            if len(self._calls) >= CALLS_MAX:
                self.noted[Reason.CALLS] += 1
                told = (told[0], told[1] and OTHER, OTHER, "")
            one = self._calls.setdefault(told, _Sum())
        one.count += 1
        one.errors += failed
        one.ms_sum += ms
        one.ms_max = max(one.ms_max, ms)

    def _thrown(self, source: Source, scope: str, span: Mapping[str, Any], route: str) -> None:
        for entry in listed(span.get("events"), EVENTS_OF_SPAN_MAX):
            event = mapping(entry)
            if event.get("name") != "exception":
                continue
            trace = span.get("traceId")
            at = when(event.get("timeUnixNano"), self.received_at, self.noted)
            name = text(span.get("name"), self.noted)
            record = {"scope": scope, "span": name, "trace_id": trace if isinstance(trace, str) else ""}
            facts = attributes(event.get("attributes"))
            self.events.add(source, facts, at, record, level="error", logger=scope, route=route or name,
                            trace=str(record["trace_id"])[:32])  # fmt: skip


def _address(facts: Attributes, noted: Noted, *names: str) -> str:
    """host:port of what was called, as far as it is said."""
    host = said(facts, noted, *names)
    port = said(facts, noted, "server.port", "net.peer.port", "net.host.port", "network.peer.port", most=5)
    if not host:
        try:
            url = urlsplit(said(facts, noted, "url.full", "http.url", most=2_048))
            host, port = url.hostname or "", str(url.port or "")
        except ValueError:
            return ""
    return f"{host}:{port}" if host and port and ":" not in host else host


def _queue(facts: Attributes, noted: Noted) -> str:
    name = said(facts, noted, "messaging.destination.name", "messaging.destination")
    return f"queue {name}" if name else ""


def _database(facts: Attributes, noted: Noted) -> str:
    """Its kind and name."""
    system = said(facts, noted, "db.system.name", "db.system")
    return f"{system} {said(facts, noted, 'db.namespace', 'db.name')}".strip() if system else ""
