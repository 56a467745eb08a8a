"""A delivery's JSON, read with care: it is outside text, so it is bounded, cleaned and redacted before anything keeps it."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from prodwise.model.errors import UsageError
from prodwise.model.redaction import Redactor

NAME_MAX: Final = 100
TEXT_MAX: Final = 300
BACK_S: Final = 30 * 86_400.0
"""Nothing is believed to have begun longer ago."""

_UNREADABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")
_redactor, _lock = Redactor(), threading.Lock()


class Unreadable(UsageError):
    """The delivery is genuine, and not what this way in understands."""

    code = "unreadable"


def parsed(body: bytes) -> Mapping[str, Any]:
    """The JSON object. Raises Unreadable."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Unreadable("the body is not JSON", "send it as application/json in UTF-8") from None
    if not isinstance(found, dict):
        raise Unreadable("the body is not a JSON object")
    return found


def mapping(value: object) -> Mapping[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def listed(value: object, most: int) -> Sequence[Mapping[str, Any]]:
    """The first `most` objects of a list."""
    return [one for one in value[:most] if isinstance(one, dict)] if isinstance(value, list) else []


def text(value: object, longest: int = TEXT_MAX) -> str:
    """One line of clean text, without secrets; "" for what is no text or number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    line = " ".join(_UNREADABLE.sub(" ", str(value)[: 4 * longest]).split())
    with _lock:
        clean, _ = _redactor.clean(line)
    return str(clean)[:longest]


def first(*values: object, longest: int = TEXT_MAX) -> str:
    """The first that says something."""
    return next((found for value in values if (found := text(value, longest))), "")


def instant(value: object, now: float) -> float:
    """Unix seconds of a number or an RFC 3339 text, at most 30 days back; `now` for what is none or lies ahead."""
    at: float | None = None
    if isinstance(value, int | float) and not isinstance(value, bool):
        at = float(value)
    elif isinstance(value, str) and len(value) <= 40:
        try:
            found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value))
            at = (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            at = None
    return max(at, now - BACK_S) if at is not None and 0 < at <= now else now


def subject(value: object) -> str:
    """A sender's id: as it is where it is short, plain and no secret, else its hash."""
    plain = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if re.fullmatch(r"[A-Za-z0-9._:-]{1,64}", plain) and text(plain, 64) == plain:
        return plain
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS, default=str)).hexdigest()[:32]
