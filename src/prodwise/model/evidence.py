"""Stored, hashed facts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]


def canonical(data: Any) -> str:
    """The one text of a JSON value: sorted keys, no spaces, UTF-8. Raises ValueError for NaN and infinities."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(data: Any) -> str:
    """Hex SHA-256 of the canonical text."""
    return hashlib.sha256(canonical(data).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Evidence:
    """A fact with its source and window. `id` is derived from the content, so the same fact is stored once.

    since, until: Unix seconds that the fact covers; data: JSON-ready figures; text: one plain sentence.
    """

    kind: str  # requests, probe, process, change, judge, load …
    source: str  # proxy, prober, supervisor, ledger …
    since: float
    until: float
    text: str
    data: Json

    @property
    def id(self) -> str:
        body = [self.kind, self.source, self.since, self.until, self.text, dict(self.data)]
        return f"ev-{digest(body)[:16]}"
