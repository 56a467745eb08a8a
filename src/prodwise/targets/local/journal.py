"""What a person did while healer or database were dead, waiting to be taken into the ledger."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from prodwise.targets.local.layout import Layout


class Journal:
    """Implements ports.BreakGlass."""

    def __init__(self, layout: Layout) -> None:
        self._path = layout.journal

    def take(self, keep: Callable[[Mapping[str, Any]], None]) -> int:
        """Hands each line over, oldest first, then forgets them; one that is no JSON is handed over as text. Returns how many."""
        merging = self._path.with_suffix(".merging")
        if not merging.exists():
            if not self._path.exists():
                return 0
            self._path.rename(merging)
        lines = [line for line in merging.read_text(errors="replace").splitlines() if line.strip()]
        for line in lines:
            keep(_entry(line))
        merging.unlink()
        return len(lines)


def _entry(line: str) -> Mapping[str, Any]:
    try:
        data = json.loads(line)
    except ValueError:
        data = None
    return data if isinstance(data, dict) else {"action": "unreadable", "actor": "unknown", "text": line[:500]}
