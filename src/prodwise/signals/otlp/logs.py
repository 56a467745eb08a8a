"""Log records: those that tell of an error become error events, the others are counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prodwise.model.report import Reason
from prodwise.signals.otlp.events import Events
from prodwise.signals.otlp.values import attributes, plain, sections, when, whole
from prodwise.signals.values import TEXT_MAX, Noted, text

_ERROR, _FATAL, _LAST = 17, 21, 24
_LEVELS = ((21, "fatal"), (17, "error"), (13, "warning"), (9, "info"), (1, "debug"))
_NAMES = {"fatal": _FATAL, "critical": _FATAL, "emerg": _FATAL, "alert": _FATAL, "panic": _FATAL, "error": _ERROR,
          "err": _ERROR, "severe": _ERROR, "warn": 13, "warning": 13}  # fmt: skip


def logs(data: Mapping[str, Any], events: Events, received_at: float, noted: Noted) -> None:
    for source, scope, record in sections(data, "Logs", "logRecords", noted):
        facts = attributes(record.get("attributes"))
        severity = _severity(record)
        thrown = "exception.type" in facts or "exception.message" in facts
        if severity < _ERROR and not thrown:
            noted[Reason.QUIET_LOG] += 1
            continue
        at = when(record.get("timeUnixNano") or record.get("observedTimeUnixNano"), received_at, noted)
        body = plain(record.get("body"))
        message = text(body if isinstance(body, str | int | float) else _short(body), noted, TEXT_MAX)
        kept = {"scope": scope, "body": body, "severity": severity, **_trace(record)}
        events.add(source, facts, at, kept, level=_level(severity), message=message, logger=_logger(facts, scope, noted),
                   trace=str(kept.get("trace_id", "")))  # fmt: skip


def _severity(record: Mapping[str, Any]) -> int:
    """0 when it is not said. A name that loggers use goes for the number that is missing."""
    number = whole(record.get("severityNumber")) or 0
    if 0 < number <= _LAST:
        return number
    name = record.get("severityText")
    return _NAMES.get(name[:16].lower(), 0) if isinstance(name, str) else 0


def _level(severity: int) -> str:
    """An exception without a severity is an error."""
    return next((level for least, level in _LEVELS if severity >= least), "error")


def _logger(facts: Mapping[str, Any], scope: str, noted: Noted) -> str:
    return text(facts.get("logger.name"), noted) or scope


def _short(body: object) -> str:
    """What a record says whose body is no text: its "message", as loggers with fields have it."""
    if isinstance(body, dict):
        return next(
            (str(body[key]) for key in ("message", "msg", "event", "error") if isinstance(body.get(key), str)), ""
        )
    return ""


def _trace(record: Mapping[str, Any]) -> dict[str, str]:
    found = {"trace_id": record.get("traceId"), "span_id": record.get("spanId")}
    return {name: value[:32] for name, value in found.items() if isinstance(value, str) and value.strip("0")}
