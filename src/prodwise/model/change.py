"""Anything that altered production, with its inverse. All of them stand in one change ledger."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

OUTSIDE = "outside-"
"""How the id of a change begins that others told us of."""


class ChangeKind(StrEnum):
    RELEASE = "release"
    CONFIG = "config"
    FLAG = "flag"
    DEPENDENCY = "dependency"
    COMMIT = "commit"
    HEAL = "heal"
    MANUAL = "manual"
    PLATFORM = "platform"  # a respawn by the supervisor, a reboot


@dataclass(frozen=True, slots=True)
class Change:
    """at: Unix seconds; before, after: what stood there (release ids, values' digests); inverse: how to undo it, or why not."""

    id: str
    at: float
    kind: ChangeKind
    service: str  # "" = the whole app
    before: str
    after: str
    who: str
    inverse: str
    text: str = ""

    @property
    def outside(self) -> bool:
        """Whether somebody else made it, elsewhere: nothing of ours can take it back, and it is no release of ours."""
        return self.id.startswith(OUTSIDE)
