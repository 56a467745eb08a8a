"""The calls that led to an error, out of what is kept of one event: outside text, so nothing of its shape is believed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

CALLS_MAX: Final = 5
CHARS_MAX: Final = 120


def calls_in(detail: Mapping[str, Any]) -> tuple[str, ...]:
    """The app's own calls of the last exception ("file:line function"), from where it was raised outwards; others without any."""
    raised = _last(_values(detail.get("exception")))
    trace = raised.get("stacktrace")
    found = _values(trace.get("frames")) if isinstance(trace, Mapping) else []
    frames = [one for one in found if isinstance(one, Mapping)]
    own = [one for one in frames if one.get("in_app") is True]
    return tuple(_call(one) for one in reversed((own or frames)[-CALLS_MAX:]))


def _call(frame: Mapping[str, Any]) -> str:
    file = frame.get("filename") or frame.get("abs_path") or frame.get("module") or "?"
    line = f":{frame['lineno']}" if isinstance(frame.get("lineno"), int) else ""
    text = f"{str(file)[:CHARS_MAX]}{line} {str(frame.get('function') or '')[:CHARS_MAX]}"
    return "".join(c if c.isprintable() else " " for c in text).strip()


def _values(found: object) -> list[Any]:
    inner = found.get("values") if isinstance(found, Mapping) else found
    return list(inner)[-250:] if isinstance(inner, list) else []


def _last(found: Iterable[Any]) -> Mapping[str, Any]:
    return next((one for one in reversed(list(found)) if isinstance(one, Mapping)), {})
