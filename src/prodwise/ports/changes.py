"""What changed, what each change brought, and the figures that tell what it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from prodwise.model.change import Change
from prodwise.model.delta import Delta
from prodwise.model.measured import Minute
from prodwise.model.release import Release


class Changes(Protocol):
    """The change ledger."""

    def record(self, made: Change) -> None:
        """Adds it once, by its id."""

    def since(self, at: float, limit: int = 200) -> Sequence[Change]:
        """Newest first."""

    def own(self, at: float, limit: int = 200) -> Sequence[Change]:
        """The same without what others told of: however much that is, it hides nothing of ours."""


class Compares(Protocol):
    """Tells what a release brought."""

    def delta(self, older: Release, newer: Release) -> Delta:
        """Against the one before it. Bounded in time and size; what cannot be told is told as not known. Never raises."""


class Vitals(Protocol):
    """Live figures for pages: what the healer sees right now."""

    def strip(self, service: str, seconds: float, buckets: int) -> Sequence[tuple[float, int, int]]:
        """(bucket's start in Unix seconds, requests, failed) oldest first."""

    def health(self) -> Mapping[str, bool | None]:
        """Service id → well, sick, or None for unknown."""

    def numbers(self, service: str) -> Mapping[str, float]:
        """requests_per_s, failed_share, p50_ms, p95_ms over the last minute; absent when unknown."""

    def minutes(self, service: str) -> Sequence[Minute]:
        """What is kept of its requests, oldest first; minutes without any are left out. At most a day."""
