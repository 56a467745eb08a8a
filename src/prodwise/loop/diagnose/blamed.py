"""An error and the calls that led to it, out of what is kept of one event: outside text, of whose shape nothing is believed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from prodwise.model.digest import KeptEvent
from prodwise.model.event import ErrorEvent, Frame, Thrown

CALLS_MAX: Final = 5
CHARS_MAX: Final = 120
TEXT_MAX: Final = 2_000
CHAIN_MAX: Final = 20


def calls_in(detail: Mapping[str, Any]) -> tuple[str, ...]:
    """The app's own calls of the last exception ("file:line function"), from where it was raised outwards; others without any."""
    raised = _last(_values(detail.get("exception")))
    trace = raised.get("stacktrace")
    found = _values(trace.get("frames")) if isinstance(trace, Mapping) else []
    frames = [one for one in found if isinstance(one, Mapping)]
    own = [one for one in frames if one.get("in_app") is True]
    return tuple(_call(one) for one in reversed((own or frames)[-CALLS_MAX:]))


def event_of(kept: KeptEvent) -> ErrorEvent | None:
    """The error of a kept event, as far as it still says which calls led to it; None when it names none."""
    chain = tuple(
        _thrown(one) for one in _values((kept.detail or {}).get("exception"))[-CHAIN_MAX:] if isinstance(one, Mapping)
    )
    if not any(one.frames for one in chain):
        return None
    platform = _text((kept.detail or {}).get("platform"))
    return ErrorEvent(
        kept.id, kept.at, kept.project, platform, kept.level, "", chain=chain, release=kept.release, route=kept.route
    )


def _thrown(told: Mapping[str, Any]) -> Thrown:
    trace = told.get("stacktrace")
    frames = _values(trace.get("frames")) if isinstance(trace, Mapping) else []
    return Thrown(
        _text(told.get("type")),
        _text(told.get("value")),
        tuple(_frame(one) for one in frames if isinstance(one, Mapping)),
    )


def _frame(told: Mapping[str, Any]) -> Frame:
    line, in_app = told.get("lineno"), told.get("in_app")
    return Frame(
        _text(told.get("function")),
        _text(told.get("module")),
        _text(told.get("filename") or told.get("abs_path")),
        line if isinstance(line, int) and 0 < line < 10**7 else 0,
        in_app if isinstance(in_app, bool) else None,
        _text(told.get("context_line")),
    )


def _text(value: object) -> str:
    return value[:TEXT_MAX] if isinstance(value, str) else ""


def _call(frame: Mapping[str, Any]) -> str:
    file = frame.get("filename") or frame.get("abs_path") or frame.get("module") or "?"
    line = f":{frame['lineno']}" if isinstance(frame.get("lineno"), int) else ""
    text = f"{str(file)[:CHARS_MAX]}{line} {str(frame.get('function') or '')[:CHARS_MAX]}"
    return "".join(c if c.isprintable() else " " for c in text).strip()


def _values(found: object) -> list[Any]:
    inner = found.get("values") if isinstance(found, Mapping) else found
    return inner[-250:] if isinstance(inner, list) else []


def _last(found: Iterable[Any]) -> Mapping[str, Any]:
    return next((one for one in reversed(list(found)) if isinstance(one, Mapping)), {})
