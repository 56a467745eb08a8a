"""Where a group of errors stands: new, ongoing, regressed, or resolved in a release."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from prodwise.model.digest import Group, GroupState

NEW_S = 24 * 3600.0
RESOLVED = "resolved:"
"""Settings that say which groups are resolved: a Resolution by the group's key."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """Somebody's word that a fault is gone. releases: those that have it, and whose reports prove nothing from now on."""

    at: float
    who: str
    releases: tuple[str, ...] = ()


def resolve(group: Group, now: float, who: str) -> Resolution:
    return Resolution(now, who, tuple(sorted(group.releases)))


def state_of(group: Group, resolution: Resolution | None, now: float, since: Iterable[str] = ()) -> GroupState:
    """since: releases that had it after the resolution.

    A resolved fault has regressed once a release has it that is not known to; without releases, once anything has it.
    """
    if resolution is None:
        return GroupState.NEW if now - group.first_seen < NEW_S else GroupState.ONGOING
    if group.last_seen <= resolution.at:
        return GroupState.RESOLVED
    named = [release for release in since if release]
    return GroupState.REGRESSED if not named or set(named) - set(resolution.releases) else GroupState.RESOLVED
