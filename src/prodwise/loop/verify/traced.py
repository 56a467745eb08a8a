"""A stack trace that somebody kept: Python's own, pytest's, or a Sentry event with the values of its frames. Outside text."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from prodwise.loop.diagnose import tracebacks
from prodwise.model.event import Frame

VALUE_MAX: Final = 4_000
FRAMES_MAX: Final = 100
DEPTH_MAX: Final = 8


@dataclass(frozen=True, slots=True)
class Traced:
    """frames: outermost call first; values: for each frame, names → what they held, those that are known; failed: tests that a
    runner named."""

    error: str
    message: str
    frames: tuple[Frame, ...]
    values: tuple[Mapping[str, Any], ...]
    failed: tuple[str, ...] = ()


def traced(text: str, root: str = "") -> Traced:
    """All empty for a text without a trace."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            return _event(json.loads(text))
        except (ValueError, RecursionError, TypeError, AttributeError, KeyError, IndexError):
            return Traced("", "", (), ())
    read = tracebacks.read(text, root)
    return Traced(read.error, read.message, read.frames, ({},) * len(read.frames), read.failed)


def _event(event: Any) -> Traced:
    """`exception.values`, root cause first: the last one reached the top. Also as one event of a list, or without its envelope."""
    if isinstance(event, list):
        event = event[0]
    thrown = event.get("exception", event)
    last = (thrown.get("values") or [])[-1] if isinstance(thrown, dict) else thrown[-1]
    frames = [one for one in (last.get("stacktrace") or {}).get("frames") or [] if isinstance(one, dict)][-FRAMES_MAX:]
    told = tuple(
        Frame(
            str(one.get("function") or ""), str(one.get("module") or ""), str(one.get("filename") or one.get("abs_path") or ""),
            int(one.get("lineno") or 0), one.get("in_app") if isinstance(one.get("in_app"), bool) else None,
            str(one.get("context_line") or "").strip(),
        )
        for one in frames
    )  # fmt: skip
    values = tuple(_values(one.get("vars")) for one in frames)
    return Traced(str(last.get("type") or ""), str(last.get("value") or ""), told, values)


def _values(given: Any) -> dict[str, Any]:
    found = dict[str, Any]()
    for name, value in given.items() if isinstance(given, dict) else ():
        try:
            found[str(name)] = literal(value)
        except ValueError:
            continue
    return found


def literal(value: Any, depth: int = DEPTH_MAX) -> Any:
    """What a text written by `repr` stands for, literals only. Raises ValueError for all else: a cut text, an object."""
    if depth <= 0:
        raise ValueError("nested too deeply")
    if isinstance(value, dict):
        return {str(key): literal(inner, depth - 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [literal(inner, depth - 1) for inner in value]
    if not isinstance(value, str):
        return value
    if len(value) > VALUE_MAX:
        raise ValueError("too long")
    try:
        found = ast.literal_eval(value)
        if ast.literal_eval(repr(found)) == found:
            return found
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        pass
    raise ValueError("no literal")
