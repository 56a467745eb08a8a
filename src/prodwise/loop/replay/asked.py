"""A request that may be kept and made again, of one that was told: bounded, and what may be secret is absent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote, unquote_plus, urlsplit

from prodwise.loop.replay.forms import Told, told
from prodwise.model.redaction import Redactor
from prodwise.model.redaction.keys import is_secret
from prodwise.model.request import Request

PATH_MAX, QUERY_MAX, HEADER_MAX, BODY_MAX = 2_000, 4_000, 1_000, 16_000
HEADERS_MAX: Final = 40
DEPTH_MAX: Final = 20
_WORD = re.compile(r"[A-Za-z][\w.-]{1,60}")
_MASKED = re.compile(r"\[(?:redacted|filtered|cut)\b[^\]]{0,40}\]", re.IGNORECASE)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,60}")
_SHOWN = re.compile(r"[A-Za-z0-9_.\[\]-]{1,60}")
_HOST = re.compile(r"[A-Za-z0-9.-]{1,200}(?::\d{1,5})?")
_MADE_ANEW: Final = frozenset({"host", "content-length", "connection", "transfer-encoding", "te", "expect", "upgrade", "keep-alive",
    "sentry-trace", "baggage", "traceparent", "tracestate"})  # fmt: skip
_PERSONAL: Final = frozenset(
    {"forwarded", "x-forwarded-for", "x-real-ip", "true-client-ip", "cf-connecting-ip", "referer"}
)
"""Who asked, and from where."""

GONE: Final = object()


def asked(text: str) -> Request | str:
    """Or why it cannot be made again."""
    found = told(text)
    return found if isinstance(found, str) else cleaned(found)


def cleaned(told: Told) -> Request | str:
    """1. The line. 2. The query, 3. the headers and 4. the body, each without what may be secret."""
    redactor, left = Redactor(addresses=True), list[str]()
    method = told.method.upper()
    if not re.fullmatch(r"[A-Z]{1,16}", method):
        return "its method is none"
    try:
        url = urlsplit(told.url)
        host = _HOST.fullmatch(url.netloc.rpartition("@")[2] or dict(_lower(told.headers)).get("host", ""))
    except ValueError:
        return "its address cannot be read"
    path = quote(url.path or "/", safe="/%:@!$&'()*+,;=~-._", errors="replace")
    if not path.startswith("/") or len(path) > PATH_MAX:
        return "its path is none, or too long"
    if _hides(unquote(path), redactor):
        return "its path holds what may be secret, so that it is not known whole"
    query = url.query or told.query.lstrip("?")
    if len(query) > QUERY_MAX:
        return "its query is too long"
    queried = tuple(_query(query, redactor, left))
    headers = tuple(_headers(told.headers, redactor, left))
    kind = dict(headers).get("content-type", "")
    body = _body(told.body, kind, redactor, left)
    if isinstance(body, str):
        return body
    form, document, raw = body
    if form and "form-urlencoded" not in kind:
        kind = "application/x-www-form-urlencoded"
        headers = (*(one for one in headers if one[0] != "content-type"), ("content-type", kind))
    elif document and "json" not in kind:
        headers = (*(one for one in headers if one[0] != "content-type"), ("content-type", "application/json"))
    scheme = "https" if url.scheme == "https" else "http"
    where = host[0] if host else "localhost"
    return Request(method, path, where, scheme, queried, headers, form, document, raw, tuple(left), told.lost)


def _query(query: str, redactor: Redactor, left: list[str]) -> Iterator[str]:
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if not part:
            continue
        if _is_private(unquote_plus(name), unquote_plus(value), redactor):
            left.append(f"query parameter{_named(unquote_plus(name))}")
        else:
            yield quote(part, safe="%=:@!$'()*+,;~-._/?[]", errors="replace")


def _headers(headers: tuple[tuple[str, str], ...], redactor: Redactor, left: list[str]) -> Iterator[tuple[str, str]]:
    seen = set[str]()
    for name, value in _lower(headers):
        if name in _MADE_ANEW or not _TOKEN.fullmatch(name) or name in seen:
            continue
        if name in _PERSONAL or _is_private(name, value, redactor):
            left.append(f"header {name}")
        elif len(value) <= HEADER_MAX and value.isascii() and value.isprintable() and len(seen) < HEADERS_MAX:
            seen.add(name)
            yield name, value


def _lower(headers: tuple[tuple[str, str], ...]) -> Iterator[tuple[str, str]]:
    return ((name.strip().lower(), value.strip()) for name, value in headers)


Body = tuple[tuple[tuple[str, str], ...], str, bytes]


def _body(body: Any, kind: str, redactor: Redactor, left: list[str]) -> Body | str:
    """(form, JSON, raw), or why it cannot be sent."""
    if body is None or body == "" or body == b"":
        return (), "", b""
    if isinstance(body, dict) and "form" in kind:
        body = [
            (str(name), one) for name, value in body.items() for one in (value if isinstance(value, list) else [value])
        ]
        return tuple(_fields(body, redactor, left)), "", b""
    if isinstance(body, str):
        if len(body) > BODY_MAX:
            return f"its body is longer than {BODY_MAX} characters"
        if "form-urlencoded" in kind or (not kind and re.fullmatch(r"[\w.%+*-]+=[^\s{}]*", body)):
            return tuple(_fields(parse_qsl(body, True, max_num_fields=200), redactor, left)), "", b""
        try:
            body = json.loads(body)
        except (ValueError, RecursionError):
            return _raw(body, redactor)
    return _document(body, redactor, left)


def _fields(pairs: list[tuple[str, Any]], redactor: Redactor, left: list[str]) -> Iterator[tuple[str, str]]:
    for name, value in pairs:
        if _is_private(name, str(value), redactor) or _names_secret(str(value)):
            left.append(f"form field{_named(name)}")
        elif isinstance(value, (str, int, float)):
            yield name, str(value)


def _raw(body: str, redactor: Redactor) -> Body | str:
    if _hides(body, redactor) or _names_secret(body):
        return "its body holds what may be secret, and is no JSON or form of which a part could be left out"
    return (), "", body.encode("utf-8", "replace")


def _document(body: Any, redactor: Redactor, left: list[str]) -> Body | str:
    try:
        found = _without(redactor.clean(body)[0], "", DEPTH_MAX, left)
        text = "" if found is GONE else json.dumps(found, allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        return "its body is no JSON that can be sent, or nested too deeply"
    return f"its body is longer than {BODY_MAX} characters" if len(text) > BODY_MAX else ((), text, b"")


def _without(value: Any, name: str, depth: int, left: list[str]) -> Any:
    """GONE for what was masked; raises ValueError for what is too deep."""
    if depth <= 0:
        raise ValueError("nested too deeply")
    if isinstance(value, str) and _MASKED.search(value):
        left.append(f"member{_named(name)} of the body")
        return GONE
    if isinstance(value, dict):
        pairs = (
            (key, _without(one, str(key), depth - 1, left))
            for key, one in value.items()
            if not _MASKED.search(str(key))
        )
        return {key: one for key, one in pairs if one is not GONE}
    if isinstance(value, list):
        return [one for one in (_without(one, name, depth - 1, left) for one in value) if one is not GONE]
    return value


def _is_private(name: str, value: str, redactor: Redactor) -> bool:
    return is_secret(name) or bool(_MASKED.search(name)) or _hides(value, redactor)


def _hides(text: str, redactor: Redactor) -> bool:
    return bool(_MASKED.search(text)) or redactor.clean(text)[1] > 0


def _names_secret(text: str) -> bool:
    """A multipart or XML body says what its parts are called: what one is called after is not looked at here."""
    return any(is_secret(one) for one in _WORD.findall(text))


def _named(name: str) -> str:
    """Only a name that can do no harm where it is shown."""
    return f" {name}" if _SHOWN.fullmatch(name) else ""
