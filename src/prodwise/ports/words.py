"""What the app's own processes wrote."""

from __future__ import annotations

from typing import Protocol


class LastWords(Protocol):
    """Outside text, bounded when it is read. Nothing raises."""

    def said(self, service: str, slot: str, release: str) -> str:
        """The end of what the release's process there wrote; "" where another one has taken its place, or nothing is known."""
