"""Items that are no errors: timings, sessions, check-ins, what the SDK dropped itself, logs, feedback."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from prodwise.model.event import ErrorEvent
from prodwise.model.report import CheckIn, Reason, Reported, Sessions, Timed
from prodwise.signals.sentry.events import error_event
from prodwise.signals.values import TEXT_MAX, Noted, Unusable, instant, listed, mapping, number, put_right, text

ENTRIES_MAX = 1000
DAY_MS = 86_400_000.0
_WELL = frozenset({"", "ok", "cancelled", "not_found", "invalid_argument", "unauthenticated", "permission_denied",
                   "already_exists", "failed_precondition", "resource_exhausted", "out_of_range", "aborted"})  # fmt: skip
"""Outcomes of a request that are no failure of the server: below 500."""
_ERRORS = frozenset({"error", "fatal"})


class Clock:
    """The sender's clock and ours. Unix seconds."""

    def __init__(self, sent_at: float | None, received_at: float, noted: Noted) -> None:
        self.sent_at, self.received_at, self.noted = sent_at, received_at, noted

    def at(self, value: object) -> float:
        found = instant(value)
        self.noted[Reason.CLOCK] += value is not None and found is None
        return put_right(found, self.sent_at, self.received_at, self.noted)


def transaction(data: Mapping[str, Any], clock: Clock) -> Timed:
    """Raises Unusable without a name or its times."""
    trace = mapping(mapping(data.get("contexts")).get("trace"))
    route = text(data.get("transaction"), clock.noted)
    return _timed(
        route, data.get("start_timestamp"), data.get("timestamp"), trace.get("status"), data.get("release"), clock
    )


def spans(data: Mapping[str, Any], clock: Clock) -> Iterator[Timed]:
    """Of a list of spans those that are whole requests; a lone span counts as one when it has no parent."""
    entries = data.get("items") if isinstance(data.get("items"), list) else [data]
    for span in map(mapping, listed(entries, ENTRIES_MAX)):
        facts = mapping(span.get("attributes"))
        if not span or not span.get("is_segment", not span.get("parent_span_id")):
            continue
        name = text(span.get("name") or span.get("segment_name") or span.get("description"), clock.noted)
        release = mapping(facts.get("sentry.release")).get("value")
        yield _timed(name, span.get("start_timestamp"), span.get("end_timestamp") or span.get("timestamp"),
                     span.get("status"), release, clock)  # fmt: skip


def _timed(route: str, start: object, end: object, status: object, release: object, clock: Clock) -> Timed:
    began, ended = instant(start), instant(end)
    if not route or began is None or ended is None:
        raise Unusable(Reason.SHAPE)
    ms = number((ended - began) * 1000, clock.noted, DAY_MS)
    outcome = status if isinstance(status, str) else ""
    return Timed(clock.at(ended), route, text(release, clock.noted), ms, outcome in _WELL)


def session(data: Mapping[str, Any], clock: Clock) -> Sessions | None:
    """One session, once it ended; None for one that goes on."""
    status, attrs = data.get("status"), mapping(data.get("attrs"))
    if status == "ok":
        return None
    errors = number(data.get("errors"), clock.noted)
    at = clock.at(data.get("timestamp"))
    crashed = status in ("crashed", "abnormal", "unhandled")
    return Sessions(_minute(at), text(attrs.get("release"), clock.noted), text(attrs.get("environment"), clock.noted, 64),
                    1, int(errors > 0 or crashed), int(crashed))  # fmt: skip


def sessions(data: Mapping[str, Any], clock: Clock) -> Iterator[Sessions]:
    """Sums of many sessions, by the minute that they began in."""
    attrs = mapping(data.get("attrs"))
    release, environment = text(attrs.get("release"), clock.noted), text(attrs.get("environment"), clock.noted, 64)
    for entry in listed(data.get("aggregates"), ENTRIES_MAX):
        sums = mapping(entry)
        exited, errored, crashed = (int(number(sums.get(key), clock.noted)) for key in ("exited", "errored", "crashed"))
        crashed += int(number(sums.get("abnormal"), clock.noted)) + int(number(sums.get("unhandled"), clock.noted))
        if total := exited + errored + crashed:
            yield Sessions(
                _minute(clock.at(sums.get("started"))), release, environment, total, errored + crashed, crashed
            )


def check_in(data: Mapping[str, Any], clock: Clock) -> CheckIn:
    """Raises Unusable without a monitor's name or a known status."""
    monitor, status = text(data.get("monitor_slug"), clock.noted, 100), data.get("status")
    if not monitor or status not in ("in_progress", "ok", "error"):
        raise Unusable(Reason.SHAPE)
    duration = data.get("duration")
    return CheckIn(clock.received_at, monitor, str(status),
                   number(duration, clock.noted) if duration is not None else None)  # fmt: skip


def client_report(data: Mapping[str, Any], noted: Noted) -> None:
    """What the program's own SDK dropped before it reached us."""
    for key in ("discarded_events", "rate_limited_events", "filtered_events"):
        for entry in listed(data.get(key), ENTRIES_MAX):
            noted[Reason.SDK_DROPPED] += int(number(mapping(entry).get("quantity"), noted))


def logs(data: Mapping[str, Any], project: int, clock: Clock) -> Iterator[Reported]:
    """Lines of level error and worse as events; the others are counted only."""
    for line in listed(data.get("items"), ENTRIES_MAX):
        entry = mapping(line)
        level = text(entry.get("level") or entry.get("severity_text"), clock.noted, 16).lower()
        if level not in _ERRORS:
            clock.noted[Reason.QUIET_LOG] += 1
            continue
        yield Reported(_log_event(entry, level, project, clock), entry)


def _log_event(entry: Mapping[str, Any], level: str, project: int, clock: Clock) -> ErrorEvent:
    facts = {key: mapping(value).get("value") for key, value in mapping(entry.get("attributes")).items()}
    body = entry.get("body")
    shaped = {
        "level": level,
        "logentry": {
            "formatted": body
            if isinstance(body, str)
            else text(mapping(body).get("stringValue"), clock.noted, TEXT_MAX),
            "message": facts.get("sentry.message.template"),
        },
        "release": facts.get("sentry.release"),
        "environment": facts.get("sentry.environment"),
        "logger": facts.get("logger.name"),
        "user": {"id": facts.get("user.id")},
    }
    return error_event(shaped, clock.at(entry.get("timestamp")), project, clock.noted)


def feedback(data: Mapping[str, Any], project: int, clock: Clock, name: str) -> Reported:
    """What a user wrote, as an event of level "info". Raises Unusable when nothing was written."""
    said = mapping(mapping(data.get("contexts")).get("feedback"))
    words = said.get("message") or data.get("comments")
    if not isinstance(words, str) or not words.strip():
        raise Unusable(Reason.SHAPE)
    shaped = {**data, "level": "info", "logentry": {"formatted": words, "message": "user feedback"},
              "fingerprint": ["user feedback"], "exception": None}  # fmt: skip
    return Reported(error_event(shaped, clock.at(data.get("timestamp")), project, clock.noted, name), data)


def _minute(at: float) -> float:
    return at - at % 60
