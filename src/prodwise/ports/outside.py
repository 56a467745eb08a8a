"""What machines outside tell us, and how they prove themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from prodwise.model.outside import Alarm, Call, Genuine, Told, Word


class Hook(Protocol):
    """One way in for another tool's deliveries."""

    @property
    def kept(self) -> str:
        """Where its secret is kept, in words; never the secret."""

    def glance(self, call: Call) -> None:
        """Before the body is read. Raises NotSigned for what cannot be genuine, whatever the body is."""

    def check(self, call: Call, now: float) -> Genuine:
        """Raises NotSigned."""

    def read(self, call: Call, now: float) -> Told:
        """Bounded, clean and without secrets. Raises UsageError when it is not understood."""


class Outsiders(Protocol):
    """What machines outside may tell us, once it is known who they are."""

    def beat(self, beat_id: str) -> str:
        """The name of the heartbeat with this id; "" when there is none."""

    def ping(self, name: str, word: Word, exit_code: int | None = None) -> None:
        """Records it, durably."""

    def hear(self, way: str, genuine: Genuine, told: Told) -> str:
        """Takes it in, durably; says what became of it. Raises Replayed for what was taken before."""

    def beats(self) -> Sequence[Mapping[str, Any]]:
        """Every heartbeat, for people: name, id, state, last pings."""


class OutsideStore(Protocol):
    """What outsiders said."""

    def first(self, way: str, delivery: str, at: float, kept_s: float) -> bool:
        """Whether it comes for the first time within kept_s; remembers it, at most 10,000 for each way."""

    def raise_alarm(self, alarm: Alarm) -> bool:
        """Stores it, or its newer state. Returns whether that is news. Raises Refused beyond 500 of one source."""

    def end_alarm(self, source: str, subject: str) -> bool:
        """Removes it. Returns whether it was there."""

    def alarms(self) -> Sequence[Alarm]:
        """Those that stand, oldest first."""
