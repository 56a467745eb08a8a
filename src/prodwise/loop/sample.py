"""Whose details are kept: the first of a fault, the rare, and now and then one of the many."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum

FIRST = 10
"""Events of a group that are kept in any case."""
QUIET_S = 600.0
"""After so long without one, the next is news again."""
EVERY_S = 10.0
"""One of the many is kept so often."""
GROUPS_MAX, PARTS_MAX = 10_000, 50


class Keep(StrEnum):
    RARE = "rare"  # the first, or unlike the others
    SAMPLE = "sample"
    COUNT = "count"  # only counted


@dataclass(slots=True)
class _Met:
    count: int = 0
    last: float = 0.0
    kept: float = 0.0
    parts: set[str] = field(default_factory=set)


class Sampler:
    """Remembers the groups that were met lately; bounded."""

    def __init__(self) -> None:
        self._met: OrderedDict[str, _Met] = OrderedDict()

    def keep(self, group: str, release: str, route: str, now: float) -> Keep:
        """now: Unix seconds, not the sender's clock."""
        met = self._met.get(group)
        if met is None:
            met = self._met[group] = _Met()
            if len(self._met) > GROUPS_MAX:
                self._met.popitem(last=False)
        news = now - met.last > QUIET_S or _is_new(met, f"{release}\n{route}")
        met.count += 1
        met.last = now
        if met.count <= FIRST or news:
            met.kept = now
            return Keep.RARE
        if now - met.kept < EVERY_S:
            return Keep.COUNT
        met.kept = now
        return Keep.SAMPLE


def _is_new(met: _Met, part: str) -> bool:
    if part in met.parts or len(met.parts) >= PARTS_MAX:
        return False
    met.parts.add(part)
    return True
