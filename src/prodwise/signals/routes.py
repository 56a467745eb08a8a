"""Folds request paths into a bounded number of routes: `/product/123` is one page, not a thousand."""

from __future__ import annotations

import re
from functools import lru_cache

ROUTES_MAX = 200
SEGMENTS_MAX = 8
OTHER = "other"  # known routes are full
NOT_FOUND = "not found"  # 404s on paths that never answered anything else: scanners, which must not use up the routes
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_VARIABLE = re.compile(
    rf"""^(?: \d+ | {_UUID}
    | (?=[^\d]*\d)[0-9a-fA-F]{{8,}}            # a hash: hex with at least one digit
    | (?=\D*\d)(?=[^A-Za-z]*[A-Za-z])\w{{16,}} # a token: letters and digits without a word break
    | .{{40,}} | .*[@%\ufffd].* )$""",
    re.VERBOSE,
)
_HASHED_ASSET = re.compile(r"^(.+?)[.-](?=[^\d]*\d)[0-9a-fA-F]{8,}(\.\w{1,5})$")


@lru_cache(maxsize=2048)
def fold_path(path: str) -> str:
    """`path` without its variable segments: "/product/123/reviews" → "/product/:id/reviews"."""
    segments = path.split("/")[1:] if path.startswith("/") else [path]
    folded = [":id" if _VARIABLE.match(part) else _HASHED_ASSET.sub(r"\1.:id\2", part) for part in segments]
    if len(folded) > SEGMENTS_MAX:
        folded = [*folded[:SEGMENTS_MAX], "…"]
    return "/" + "/".join(folded)


class Routes:
    """The routes seen of each service, at most 200; what comes later is "other"."""

    def __init__(self, routes_max: int = ROUTES_MAX) -> None:
        self._max = routes_max
        self._known: dict[str, set[str]] = {}

    def route(self, service: str, method: str, path: str, status: int) -> str:
        """A known route's name whatever its status, so that a route that a release broke stays in sight."""
        name = f"{method if method in _METHODS else '?'} {fold_path(path)}"
        known = self._known.setdefault(service, set())
        if name in known:
            return name
        if status == 404:
            return NOT_FOUND
        if len(known) >= self._max:
            return OTHER
        known.add(name)
        return name
