"""How an app is looked at, past what its target says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from prodwise.model.signal import ProbeSeen, RequestSeen
from prodwise.model.target import TargetSeen


class RequestLog(Protocol):
    """Requests as the proxy saw them."""

    def read(self) -> Sequence[RequestSeen]:
        """What was logged since the last call, oldest first, at most 10,000 at a time."""

    def position(self) -> Mapping[str, Any]:
        """Where the next read begins, as JSON; for a later process."""

    def since(self, position: Mapping[str, Any]) -> Iterable[RequestSeen]:
        """What was logged from an earlier position up to where this reader began, oldest first, bounded."""


class Prober(Protocol):
    """Asks services whether they are well."""

    def see(self, seen: TargetSeen) -> None:
        """The newest look: the slots that run in it are asked, until another look or for a few seconds."""

    def results(self) -> Sequence[ProbeSeen]:
        """Answers since the last call, oldest first, bounded."""


class Replayer(Protocol):
    """Makes evidence where traffic is thin: the same safe request to two releases."""

    def ask(self, port: int, path: str, timeout_s: float) -> tuple[int, float]:
        """GETs a path of a local port. Returns (status, ms); status 0 without an answer."""
