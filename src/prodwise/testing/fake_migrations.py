"""What lies between releases, as a test says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from prodwise.model.release import Release
from prodwise.model.schema import Crossing


@dataclass
class FakeMigrations:
    """Implements Migrations. crossing: the answer to everything; asked: (older, newer) ids, in order."""

    crossing: Crossing = field(default_factory=Crossing)
    asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def across(self, older: Release, newer: Sequence[Release]) -> Crossing:
        self.asked.append((older.id, tuple(release.id for release in newer)))
        return self.crossing
