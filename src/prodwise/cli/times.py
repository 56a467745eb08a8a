"""Times at a terminal: relative first, absolute where a log needs it; and what people type for them."""

from __future__ import annotations

import re
from datetime import datetime

from prodwise.clock import now
from prodwise.model.errors import UsageError
from prodwise.server.views.words import ago

LONGEST_S = 10 * 366 * 86_400.0
_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}


def clock(at: float | None) -> str:
    """ "14:02:31" today, "Nov 3 14:02" before."""
    if at is None:
        return "–"
    moment = datetime.fromtimestamp(at).astimezone()
    return moment.strftime("%H:%M:%S") if now() - at < 43_200 else moment.strftime("%b %-d %H:%M")


def since(at: float | None) -> str:
    return "–" if at is None else ago(at, now())


def seconds_of(text: str) -> float:
    """ "90s", "30m", "2h", "1d" as seconds. Raises UsageError."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(s|min|m|h|d)\s*", text)
    if not found or not float(found[1]):
        raise UsageError(f"{text!r} is not a length of time", "write 30m, 2h or 1d")
    seconds = float(found[1]) * _UNITS[found[2]]
    if seconds > LONGEST_S:
        raise UsageError(f"{text!r} is more than ten years", "write 30m, 2h or 1d")
    return seconds


def until_of(text: str) -> float:
    """A length of time from now, "18:00" (the next one), or an ISO date and time, as Unix seconds. Raises UsageError."""
    local = datetime.fromtimestamp(now()).astimezone()
    if found := re.fullmatch(r"(\d{1,2}):(\d{2})", text.strip()):
        hour, minute = int(found[1]), int(found[2])
        if hour < 24 and minute < 60:
            at = local.replace(hour=hour, minute=minute, second=0, microsecond=0).timestamp()
            return at if at > now() else at + 86_400
    try:
        at = datetime.fromisoformat(text.strip()).astimezone().timestamp()
    except (ValueError, OverflowError):
        return now() + _length(text)
    if not 0 < at - now() <= LONGEST_S:
        raise UsageError(f"{text!r} is not within the next ten years", "write 2h, 18:00 or 2026-12-24T18:00")
    return at


def _length(text: str) -> float:
    try:
        return seconds_of(text)
    except UsageError:
        raise UsageError(
            f"{text!r} is neither a time nor a length of time", "write 2h, 18:00 or 2026-12-24T18:00"
        ) from None
