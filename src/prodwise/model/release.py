"""An immutable build of a commit with its dependencies."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ReleaseState(StrEnum):
    BUILDING = "building"
    READY = "ready"  # built, not serving
    CANARY = "canary"  # serving a share of users
    PROMOTED = "promoted"  # 100 % of traffic, still watched
    VERIFIED_GOOD = "verified_good"  # its watch passed
    FAILED = "failed"  # did not build, was refused at a gate or stage, or was rolled back
    RETIRED = "retired"  # was verified-good, has been superseded


@dataclass(frozen=True, slots=True)
class Release:
    """`id` is `<number>-<short commit>`; `digest` covers source, dependencies and configuration (hex SHA-256)."""

    id: str
    number: int
    commit: str
    digest: str
    created_at: float  # Unix seconds
    state: ReleaseState
    title: str = ""  # the commit's subject line: outside text
    author: str = ""
    reason: str = ""  # why it is in this state

    @property
    def short(self) -> str:
        return self.commit[:7]
