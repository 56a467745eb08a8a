"""The one place that reads clocks."""

from __future__ import annotations

import time


def now() -> float:
    """Unix seconds, for stamps that people and other systems read."""
    return time.time()  # noqa: TID251


def monotonic() -> float:
    """Seconds that never go back, for durations."""
    return time.monotonic()
