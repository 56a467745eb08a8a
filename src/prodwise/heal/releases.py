"""Releases as a person may name them: however old, found by the store's index of ids."""

from __future__ import annotations

from typing import Final

from prodwise.model.release import Release
from prodwise.ports import Records

NEWEST: Final = 1000


def known_releases(records: Records, wanted: str = "") -> list[Release]:
    """The newest, and those whose ids begin as a person wrote, the one with this very id among them; newest first."""
    found = [*records.releases.list(NEWEST), *(records.releases.list(NEWEST, wanted) if wanted else ())]
    return sorted({one.id: one for one in found}.values(), key=lambda one: -one.number)
