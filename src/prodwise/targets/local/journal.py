"""What a person did past the healer (it, or its database, was dead or did not answer), waiting to be taken into the ledger."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
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
        with merging.open(errors="replace") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # whoever was writing into it has finished
            lines = [line for line in file.read().splitlines() if line.strip()]
        for line in lines:
            keep(_entry(line))
        merging.unlink()
        return len(lines)


def append_line(path: Path, line: str) -> None:
    """Adds a line for good, never to a file that is being taken away just now. Raises OSError."""
    while True:
        with path.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if not path.exists() or os.fstat(file.fileno()).st_ino != path.stat().st_ino:
                continue
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
            return


def _entry(line: str) -> Mapping[str, Any]:
    try:
        data = json.loads(line)
    except ValueError:
        data = None
    return data if isinstance(data, dict) else {"action": "unreadable", "actor": "unknown", "text": line[:500]}
