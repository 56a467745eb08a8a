"""An event's JSON as an ErrorEvent."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from prodwise.model.event import ErrorEvent, Frame, Thrown
from prodwise.signals.routes import fold_path
from prodwise.signals.values import TEXT_MAX, Noted, listed, mapping, text

CHAIN_MAX = 20
FRAMES_MAX = 250
FINGERPRINT_MAX = 10
LEVELS = frozenset({"fatal", "error", "warning", "info", "debug"})
_HEX = frozenset("0123456789abcdef")


def event_id(value: object) -> str:
    """32 hex digits; "" for what is no id."""
    found = value.replace("-", "").lower() if isinstance(value, str) and len(value) <= 36 else ""
    return found if len(found) == 32 and set(found) <= _HEX else ""


def error_event(data: Mapping[str, Any], at: float, project: int, noted: Noted, name: str = "") -> ErrorEvent:
    """at: already by our clock; name: the envelope's own id, for an event without one."""
    message, template = _message(data, noted)
    chain = tuple(
        _thrown(entry, noted) for entry in listed(data.get("exception"), CHAIN_MAX) if isinstance(entry, dict)
    )
    level = data.get("level")
    return ErrorEvent(
        id=event_id(data.get("event_id")) or name or uuid.uuid4().hex,
        at=at,
        project=project,
        platform=text(data.get("platform"), noted, 40),
        level=level if isinstance(level, str) and level in LEVELS else "error",
        message=message,
        template=template,
        chain=chain,
        release=text(data.get("release"), noted),
        environment=text(data.get("environment"), noted, 64),
        route=_route(data, noted),
        user=_user(mapping(data.get("user")), noted),
        fingerprint=tuple(text(part, noted) for part in listed(data.get("fingerprint"), FINGERPRINT_MAX)),
        source="sentry",
        logger=text(data.get("logger"), noted),
    )


def _message(data: Mapping[str, Any], noted: Noted) -> tuple[str, str]:
    """(what was said, its template) from "logentry" or the older "message"."""
    entry = data.get("logentry") or data.get("message")
    if not isinstance(entry, dict):
        return text(entry, noted, TEXT_MAX), ""
    template = text(entry.get("message"), noted, TEXT_MAX)
    return text(entry.get("formatted"), noted, TEXT_MAX) or template, template


def _thrown(entry: Mapping[str, Any], noted: Noted) -> Thrown:
    mechanism = mapping(entry.get("mechanism"))
    handled = mechanism.get("handled")
    frames = listed(mapping(entry.get("stacktrace")).get("frames"), FRAMES_MAX)
    return Thrown(
        kind=text(entry.get("type"), noted),
        message=text(entry.get("value"), noted, TEXT_MAX),
        frames=tuple(_frame(frame, noted) for frame in frames if isinstance(frame, dict)),
        handled=handled if isinstance(handled, bool) else None,
    )


def _frame(frame: Mapping[str, Any], noted: Noted) -> Frame:
    line, in_app = frame.get("lineno"), frame.get("in_app")
    return Frame(
        function=text(frame.get("function"), noted),
        module=text(frame.get("module"), noted),
        file=text(frame.get("filename") or frame.get("abs_path"), noted),
        line=line if isinstance(line, int) and 0 < line < 10**7 else 0,
        in_app=in_app if isinstance(in_app, bool) else None,
        code=text(frame.get("context_line"), noted),
    )


def _route(data: Mapping[str, Any], noted: Noted) -> str:
    """As the proxy's log names it ("GET /cart/:id") when the event says what was asked for; else the SDK's own name for it."""
    request = mapping(data.get("request"))
    url, method = request.get("url"), request.get("method")
    if isinstance(url, str) and isinstance(method, str) and url:
        try:
            return f"{text(method, noted, 16)} {fold_path(text(urlsplit(url[:2048]).path or '/', noted))}"
        except ValueError:
            pass
    return text(data.get("transaction"), noted)


def _user(user: Mapping[str, Any], noted: Noted) -> str:
    """Whatever tells one user from another, still in clear: hashed before it is stored."""
    for key in ("id", "email", "username", "ip_address"):
        if found := text(user.get(key), noted):
            return found
    return ""
