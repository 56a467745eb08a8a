"""How a story ended."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """Exactly one per incident; QUIET and UNHEALED are outcomes of drills only."""

    HEALED = "healed"
    UNDONE = "undone"
    ESCALATED = "escalated"
    ABANDONED = "abandoned"
    QUIET = "quiet"
    UNHEALED = "unhealed"
