"""A release that was refused before any user met it: where, and what it said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class UnmetAt(StrEnum):
    BUILD = "build"  # its environment, its build line or its release line
    START = "start"  # it did not come up
    CHECKS = "checks"  # paths that must answer did not


@dataclass(frozen=True, slots=True)
class Unmet:
    """service: whose it was, "" for a build; reason: why, as people were told; said: the end of what it printed, without secrets;
    path: that was answered with a server error, "" for none."""

    release: str
    at: UnmetAt
    service: str
    reason: str
    said: str = ""
    path: str = ""

    @property
    def title(self) -> str:
        """In one line."""
        first = self.reason.strip().partition("\n")[0].rstrip(":")
        return f"release {self.release} was refused before any user met it ({self.at.value}): {first}"[:300]

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "at": self.at.value}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Unmet:
        """Raises TypeError, KeyError or ValueError for what is none."""
        return cls(**{**data, "at": UnmetAt(data["at"])})
