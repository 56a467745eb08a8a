"""Who knows what releases brought for the shape of the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from prodwise.model.release import Release
from prodwise.model.schema import Crossing


class Migrations(Protocol):
    """Looks, and never runs anything."""

    def across(self, older: Release, newer: Sequence[Release]) -> Crossing:
        """All that was migrated on the way from `older` to these releases; what could not be read is told in it."""
