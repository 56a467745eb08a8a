"""What programs report, on its way in and as it is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from prodwise.model.digest import Delivery, Group, Heard, KeptEvent, Received, Tally
from prodwise.model.telemetry import Calls, KeptSeries, Point


class ReportSink(Protocol):
    """Where a receiver puts what it took. One thread at a time."""

    def write(self, deliveries: Sequence[Delivery]) -> None:
        """All of them in one transaction, durable on return. Raises StoreError (Unstorable for what is in them), and has written
        nothing then."""

    def tidy(self, now: float) -> int:
        """Removes what is older or more than is kept, a bounded piece at a time. Returns how many rows went."""


class ReportFeed(Protocol):
    """What programs reported, for detectors: each item once, in the order in which each receiver stored it."""

    def read(self) -> Sequence[Heard]:
        """What was stored since the last call, oldest first, about 10,000 at a time at most; never waits for a receiver."""

    def position(self) -> Mapping[str, Any]:
        """Where the next read begins, as JSON; for a later process."""


class Groups(Protocol):
    """Errors by fault, over all receivers."""

    def groups(self, project: int | None = None, *, after: str = "", limit: int = 50) -> tuple[Sequence[Group], str]:
        """(newest last, first in line; where the next page begins, "" at the end). Raises UsageError for a strange `after`."""

    def group(self, key: str) -> Group | None:
        """None when there is none."""

    def tallies(self, key: str, since: float, limit: int = 1440) -> Sequence[Tally]:
        """Oldest first, the newest `limit` of them."""


class KeptEvents(Protocol):
    """What is kept of single events, and of what came in at all."""

    def events(self, group: str, limit: int = 20) -> Sequence[KeptEvent]:
        """Newest first, without their details."""

    def example(self, group: str) -> KeptEvent | None:
        """The newest one of which everything is kept, with its detail; None when there is none."""

    def event(self, event_id: str) -> KeptEvent | None:
        """With its detail; None when there is none."""

    def received(self, project: int) -> Received:
        """Also for a project that never reported."""


class ReportArchive(Groups, KeptEvents, Protocol):
    """All that can be asked about reports."""


class Telemetry(Protocol):
    """What traces and metrics say, over all receivers."""

    def calls(self, since: float, until: float, project: int | None = None) -> Sequence[Calls]:
        """By minute, oldest first: `loop.telemetry.graph_of` makes a graph of them. since, until: Unix seconds."""

    def series(
        self, project: int | None = None, *, name: str = "", after: str = "", limit: int = 50
    ) -> tuple[Sequence[KeptSeries], str]:
        """(by key; where the next page begins, "" at the end). name: of one metric, "" for all."""

    def one_series(self, key: str) -> KeptSeries | None:
        """None when there is none."""

    def points(self, key: str, since: float, limit: int = 1440) -> Sequence[Point]:
        """One a minute, oldest first, the newest `limit`: `loop.telemetry.readings` says what they mean."""
