"""Who sends: the key of a DSN, in a header or, from browsers, in the query string."""

from __future__ import annotations

import re
from urllib.parse import parse_qs

_PAIR = re.compile(r"(\w+)\s*=\s*([^,\s]+)")
_KEY = re.compile(r"^[0-9a-f]{32}$")
QUERY_MAX = 2048


def public_key(headers: dict[bytes, bytes], query: bytes) -> str:
    """The 32 hex digits that were sent, "" without any. headers: names in lower case."""
    for name in (b"x-sentry-auth", b"authorization"):
        text = headers.get(name, b"")[:QUERY_MAX].decode("latin-1")
        if text[:7].lower() == "sentry ":
            return _checked(dict(_PAIR.findall(text[7:])).get("sentry_key", ""))
    if b"sentry_key" in query and len(query) <= QUERY_MAX:
        return _checked(parse_qs(query.decode("latin-1")).get("sentry_key", [""])[-1])
    return ""


def _checked(key: str) -> str:
    return key if _KEY.match(key) else ""
