"""Whom failures hit: requests that users got no good answer to, and how many browsers they came from."""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict

from prodwise.model.incident import USERS_COUNTED_MAX
from prodwise.model.signal import RequestSeen

RELEASES_KEPT = 50


class Harm:
    """One service's failed requests, as users saw them.

    A browser is known by the lane that it brought along, of which only a keyed hash is kept, in memory; the newest
    USERS_COUNTED_MAX are remembered. A client that brings none may be anyone: it is not counted as a person.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(16)
        self._people: OrderedDict[bytes, tuple[float, str]] = OrderedDict()  # → (when it failed last, release)
        self._nameless_at = float("-inf")
        self._failed: OrderedDict[str, tuple[int, float]] = (
            OrderedDict()
        )  # release → (failed requests, when the first did)

    def observe(self, request: RequestSeen) -> None:
        if request.served:
            return
        count, first_at = self._failed.pop(request.release, (0, request.at))
        self._failed[request.release] = (count + 1, first_at)
        if len(self._failed) > RELEASES_KEPT:
            self._failed.popitem(last=False)
        if not request.returning:
            self._nameless_at = max(self._nameless_at, request.at)
            return
        who = hashlib.blake2b(request.lane.encode(), digest_size=8, key=self._key).digest()
        self._people.pop(who, None)
        self._people[who] = (request.at, request.release)
        if len(self._people) > USERS_COUNTED_MAX:
            self._people.popitem(last=False)

    def people(self, since: float, release: str = "") -> int | None:
        """Browsers with a failed request since then (of that release); None when requests failed and none brought a lane."""
        found = sum(at >= since and release in ("", of) for at, of in self._people.values())
        return None if found == 0 and self._nameless_at >= since else found

    def requests(self, release: str) -> int:
        """Failed requests of a release, as far back as we look."""
        return self._failed.get(release, (0, 0.0))[0]

    def began(self, release: str) -> float | None:
        """When the release's first request failed."""
        return self._failed[release][1] if release in self._failed else None


def more(known: int | None, seen: int | None) -> int | None:
    """What was counted before and what is counted now, of which either may have been lost: the larger."""
    return seen if known is None else known if seen is None else max(known, seen)
