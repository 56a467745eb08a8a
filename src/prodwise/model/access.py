"""The access-log record: the names that the proxy writes and the reader expects, in one place.

Besides Caddy's own fields (`ts`, `status`, `duration`, `request.method`, `request.uri`) each record carries these, written with
`log_append`. What may change while a request is in flight (switch, lane, release) must be captured in `vars` when the
request is routed, and logged from there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from prodwise.model.signal import Arm, RequestSeen

SERVICE = "service"  # the service's id
SLOT = "slot"  # "a" or "b": the slot that the router chose
RELEASE = "release"  # what ran in that slot when the request was routed
SWITCH = "switch"  # the switch file's line as read at routing, see `share_of`
LANE = "lane"  # the user's cookie lane, or the request's own id
KEPT = "kept"  # "yes" when the client brought its lane along: a browser that keeps cookies
INTENDED = "intended"  # "host:port" of the chosen slot
UPSTREAM = "upstream"  # "host:port" that finally answered; absent, null or "" when nothing did

CLIENT_GONE = 499
"""Caddy's status for a client that hung up before an answer."""
PATIENCE_MS = 5_000.0
"""A client that hung up after waiting this long got no answer; one that left earlier changed its mind (proves nothing)."""
PATH_MAX = 512
TEXT_MAX = 128

RouteOf = Callable[[str, str, str, int], str]
"""(service, method, path, status) → route, e.g. "GET /product/:id"."""


class BadRecord(ValueError):
    """A line that is no access record; its text is the reason, from a small fixed set (it is counted by it)."""


def share_of(switch: str) -> tuple[str, float]:
    """The switch line as (stable slot letter, the other slot's share 0…1). Raises BadRecord when it is none.

    "a0" → ("a", 0), "b0ccccccc" → ("b", 0.05), "ag" → ("a", 1).
    """
    stable, threshold = switch[:1], switch[1:]
    if stable not in ("a", "b"):
        raise BadRecord("switch unreadable")
    if threshold == "0":
        return stable, 0.0
    if threshold == "g":
        return stable, 1.0
    try:
        value = int(threshold, 16) if len(threshold) == 8 else -1
    except ValueError:
        value = -1
    if value < 0:
        raise BadRecord("switch unreadable")
    return stable, value / 2**32


def clean(text: object, longest: int = TEXT_MAX) -> str:
    """Outside text without control characters (replaced by U+FFFD), cut to `longest` characters."""
    cut = str(text)[:longest] if text is not None else ""
    return cut if cut.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in cut)


def parse(record: Any, route_of: RouteOf) -> RequestSeen:
    """One decoded log line as a RequestSeen. The query string is dropped: it may hold secrets. Raises BadRecord."""
    if not isinstance(record, Mapping):
        raise BadRecord("not an object")
    request = record.get("request")
    if not isinstance(request, Mapping) or SERVICE not in record:
        raise BadRecord("not an access record")
    at, duration, status = (_number(record, key) for key in ("ts", "duration", "status"))
    stable, share = share_of(str(record.get(SWITCH) or "").strip())
    slot = record.get(SLOT)
    if slot not in ("a", "b"):
        raise BadRecord("slot unreadable")
    service = clean(record[SERVICE])
    path = clean(str(request.get("uri") or "/").partition("?")[0], PATH_MAX)
    upstream = str(record.get(UPSTREAM) or "")
    return RequestSeen(
        at=at,
        service=service,
        release=clean(str(record.get(RELEASE) or "").strip()),
        arm=Arm.STABLE if slot == stable else Arm.CANARY,
        share=share,
        route=route_of(service, clean(request.get("method") or "?", 16), path, int(status)),
        status=_answered(int(status), duration * 1000),
        ms=duration * 1000,
        lane=clean(record.get(LANE) or ""),
        fell_over=bool(upstream) and upstream != str(record.get(INTENDED) or upstream),
        path=path,
        returning=record.get(KEPT) == "yes",
    )


def _answered(status: int, ms: float) -> int:
    return 0 if status == CLIENT_GONE and ms >= PATIENCE_MS else status


def _number(record: Mapping[str, Any], key: str) -> float:
    value = record.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
        raise BadRecord(f"{key} is no number")
    return float(value)
