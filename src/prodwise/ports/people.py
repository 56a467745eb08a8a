"""What people are told, what they may ask for, and how they hold the automation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol


class Notifier(Protocol):
    """Tells a person."""

    def tell(self, title: str, text: str) -> None:
        """Delivers or raises TargetError; the message is plain text."""


class Controls(Protocol):
    """What a person may ask for, from page, API or CLI. `who` is the person, as the ledger names them. Raises ProdwiseError."""

    def deploy(self, ref: str, who: str) -> str:
        """Starts a rollout (queued behind one under way); returns the release id."""

    def rollback(self, who: str, release: str = "") -> str:
        """All traffic back to the last verified-good (or the named) release; returns the release id that serves now."""

    def restart(self, service: str, who: str) -> None:
        """One service's process, now."""

    def undo(self, incident_id: str, who: str) -> str:
        """Undoes the incident's last action, once; returns what it did."""


class Brakes(Protocol):
    """How a person holds the automation. Stop also works without all of this, by file."""

    def stop(self, who: str, reason: str) -> None:
        """No automatic action from now on (≤ 1 s), across restarts."""

    def start(self, who: str) -> None:
        """Ends the stop."""

    def freeze(self, who: str, until: float | None, reason: str) -> None:
        """No automatic change and no deploy until then (Unix seconds; None = until unfrozen)."""

    def unfreeze(self, who: str) -> None:
        """Ends the freeze."""


class StopSwitch(Protocol):
    """The file-backed stop: works with database, page and healer dead."""

    def stop(self, who: str, reason: str) -> None:
        """From now on the target's door refuses automation."""

    def start(self, who: str) -> None:
        """Ends it."""


class BreakGlass(Protocol):
    """What a person did past us, while we were dead."""

    def take(self, keep: Callable[[Mapping[str, Any]], None]) -> int:
        """Hands each entry ({at, actor, action, …}) over once, oldest first. Returns how many."""
