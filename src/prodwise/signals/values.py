"""Single values of a report, made safe: bounded JSON, text without control characters, numbers in range, clocks put right."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from prodwise.model.report import Reason

VALUES_MAX = 100_000
"""Commas and opening brackets: about as many values."""
TEXT_MAX = 8192
NAME_MAX = 300
NUMBER_MAX = 1e9
CLOCK_AHEAD_S, CLOCK_BEHIND_S = 60.0, 30 * 86_400.0
_UNREADABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_LONE = re.compile(r"\\ud[89ab][0-9a-f]{2}(?!\\ud[c-f])|(?<!\\ud[89ab][0-9a-f]{2})\\ud[c-f][0-9a-f]{2}")

Noted = Counter[Reason]


class Unusable(Exception):
    """An item that cannot be taken, while the rest of its envelope can."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(str(reason))
        self.reason = reason


def parse(body: bytes, noted: Noted) -> Any:
    """JSON as Python values; what only a lenient reader accepts (NaN, bad UTF-8) is cleaned and noted. Raises Unusable."""
    if len(body) > VALUES_MAX and body.count(b",") + body.count(b"{") + body.count(b"[") > VALUES_MAX:
        raise Unusable(Reason.TOO_MANY)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return _parse_leniently(body, noted)


def _parse_leniently(body: bytes, noted: Noted) -> Any:
    try:
        value = json.loads(body.decode("utf-8", "replace"), parse_constant=lambda _: None, strict=False)
        made = orjson.loads(_LONE.sub(r"\\ufffd", json.dumps(value, allow_nan=False)))
    except RecursionError:
        raise Unusable(Reason.TOO_DEEP) from None
    except ValueError:
        raise Unusable(Reason.NOT_JSON) from None
    noted[Reason.TEXT] += 1
    return made


def mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def listed(value: object, most: int) -> list[Any]:
    """The value if it is a list, or the "values" of an object, cut to its last `most` entries."""
    found = value.get("values") if isinstance(value, dict) else value
    return found[-most:] if isinstance(found, list) else []


def text(value: object, noted: Noted, most: int = NAME_MAX) -> str:
    """Text of at most `most` characters, without control characters but new lines and tabs; "" for what is no text or number."""
    if not isinstance(value, str):
        return str(value)[:most] if isinstance(value, int | float) and not isinstance(value, bool) else ""
    if len(value) > most:
        noted[Reason.CUT_TEXT] += 1
        value = value[: most - 1] + "…"
    if value.isprintable() or not _UNREADABLE.search(value):
        return value
    noted[Reason.TEXT] += 1
    return _UNREADABLE.sub("\ufffd", value)


def number(value: object, noted: Noted, most: float = NUMBER_MAX) -> float:
    """A finite number from 0 to `most`; anything else is 0, and noted unless it is missing."""
    if value is None:
        return 0.0
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most:
        return float(value)
    noted[Reason.NUMBER] += 1
    return 0.0


def instant(value: object) -> float | None:
    """Unix seconds of a number or an ISO 8601 text (UTC unless it says otherwise); None for what is neither."""
    try:
        if isinstance(value, str):
            if len(value) > 40:
                return None
            if value.replace(".", "", 1).isdigit():
                return float(value)
            found = datetime.fromisoformat(value)
            at = found.timestamp() if found.tzinfo else datetime.fromisoformat(value + "+00:00").timestamp()
        elif isinstance(value, int | float) and not isinstance(value, bool):
            at = float(value)
        else:
            return None
    except (ValueError, OverflowError, OSError):
        return None
    return at if math.isfinite(at) else None


def put_right(at: float | None, sent_at: float | None, received_at: float, noted: Noted) -> float:
    """When it happened by our clock: shifted by what the sender's is off, and never later than now or older than 30 days."""
    if at is None:
        return received_at
    off = received_at - sent_at if sent_at is not None else 0.0
    if abs(off) > CLOCK_AHEAD_S:
        at += off
        noted[Reason.CLOCK] += 1
    if not received_at - CLOCK_BEHIND_S <= at <= received_at + CLOCK_AHEAD_S:
        noted[Reason.CLOCK] += 1
        return received_at
    return min(at, received_at)
