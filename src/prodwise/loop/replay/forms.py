"""What a request is told in: a Sentry event, an entry of a HAR file, a small JSON form, or HTTP itself. Outside text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

TOLD_MAX: Final = 4_000_000
PAIRS_MAX: Final = 200
_FIRST = re.compile(r"([A-Za-z]{1,16}) (\S{1,8000})(?: HTTP/[\d.]{1,4})?")
_ITSELF: Final = ""
"""Where Sentry's `_meta` speaks of a value itself, not of what is in it."""


@dataclass(frozen=True, slots=True)
class Told:
    """As it was told, nothing checked. query: one text; body: text, bytes, a JSON value, or pairs of a form; status: of the answer,
    0 when not known; lost: why the body is not known whole."""

    method: str
    url: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: Any = None
    status: int = 0
    lost: str = ""


def told(text: str) -> Told | str:
    """Or why none can be read."""
    if len(text) > TOLD_MAX:
        return f"it is longer than {TOLD_MAX // 1_000_000} MB"
    if text.lstrip()[:1] not in ("{", "["):
        return _plain(text)
    try:
        found = json.loads(text)
        found = found[0] if isinstance(found, list) else found
        return _of(found)
    except (ValueError, RecursionError, TypeError, AttributeError, KeyError, IndexError):
        return "its JSON is no request that is known: a HAR, a Sentry event, or an object with method, url, headers and body"


def _of(found: Mapping[str, Any]) -> Told | str:
    if "log" in found:
        entries = [one for one in found["log"]["entries"] if isinstance(one, dict)]
        failed = [one for one in entries if _status(one) >= 500]
        if not (failed or len(entries) == 1):
            return "no request in this HAR was answered with a server error"
        return _har((failed or entries)[0])
    request = found.get("request")
    if isinstance(request, dict):
        return _har(found) if isinstance(request.get("headers"), list) and "response" in found else _sentry(found)
    if not ("url" in found or "path" in found):
        return "it holds no request: no url and no path"
    body = next((found[name] for name in ("json", "form", "body") if found.get(name) is not None), None)
    if "form" in found and isinstance(body, dict):
        body = urlencode([(str(key), str(value)) for key, value in body.items()])
    return Told(
        str(found.get("method") or "GET"), str(found.get("url") or found.get("path")), _query(found.get("query")),
        _pairs(found.get("headers")), body, _number(found.get("status")),
    )  # fmt: skip


def _har(entry: Mapping[str, Any]) -> Told:
    request = entry["request"]
    posted = request.get("postData") or {}
    body = posted.get("text")
    if body is None and posted.get("params"):
        body = urlencode(_pairs(posted["params"]))
    headers = [one for one in _pairs(request.get("headers")) if not one[0].startswith(":")]  # HTTP/2's own
    return Told(str(request["method"]), str(request["url"]), "", tuple(headers), body, _status(entry))


def _sentry(event: Mapping[str, Any]) -> Told | str:
    request = event["request"]
    if not request.get("url"):
        return "it does not tell for which address"
    meta = _inner(event.get("_meta"), "request", "data")
    lost = "the program did not report the body whole" if _ITSELF in meta else ""
    headers = _pairs(request.get("headers"))
    if request.get("cookies") and not any(name.lower() == "cookie" for name, _ in headers):
        headers = (*headers, ("Cookie", "[Filtered]"))
    return Told(str(request.get("method") or "GET"), str(request["url"]), _query(request.get("query_string")),
                headers, _whole(request.get("data"), meta), 0, lost)  # fmt: skip


def _whole(value: Any, meta: Mapping[str, Any]) -> Any:
    """Without the members that were cut or taken out on their way: an SDK says so in `_meta`."""
    if not isinstance(value, dict) or not meta:
        return value
    kept = {key: inner for key, inner in value.items() if _ITSELF not in _inner(meta, str(key))}
    return {key: _whole(inner, _inner(meta, str(key))) for key, inner in kept.items()}


def _inner(found: Any, *names: str) -> Mapping[str, Any]:
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _plain(text: str) -> Told | str:
    """`POST /path HTTP/1.1`, headers, an empty line, the body."""
    head, _, body = text.replace("\r\n", "\n").lstrip("\n").partition("\n\n")
    first, *rest = head.split("\n")
    if (found := _FIRST.fullmatch(first.strip())) is None:
        return "it does not begin like a request: METHOD PATH"
    headers = [line.partition(":") for line in rest[:PAIRS_MAX]]
    return Told(found[1], found[2], "", tuple((name, value.strip()) for name, _, value in headers), body or None)


def _query(value: Any) -> str:
    return value if isinstance(value, str) else urlencode(_pairs(value))


def _pairs(value: Any) -> tuple[tuple[str, str], ...]:
    """Of an object, a list of pairs, or a list of {name, value}."""
    found: Iterable[Any] = value.items() if isinstance(value, dict) else value if isinstance(value, list) else ()
    made = [(one.get("name"), one.get("value")) if isinstance(one, dict) else one for one in found]
    return tuple(
        (str(one[0]), "" if one[1] is None else str(one[1]))
        for one in made[:PAIRS_MAX]
        if isinstance(one, (list, tuple)) and len(one) == 2
    )


def _status(entry: Mapping[str, Any]) -> int:
    return _number((entry.get("response") or {}).get("status"))


def _number(value: Any) -> int:
    return value if isinstance(value, int) and 100 <= value <= 599 else 0
