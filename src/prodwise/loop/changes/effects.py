"""All changes of a time with what each of them did, from records and figures of one moment."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from prodwise.loop.changes import told
from prodwise.loop.changes.measure import Side, Span, beside, measure, reaches_users
from prodwise.model.change import Change, ChangeKind
from prodwise.model.measured import Measured, Minute
from prodwise.model.record import Effect, Entry, Rollout

WAY: Final = ("rollout_stage", "promoted")
"""Kinds of ledger entries that tell when a release reached its users."""
_OURS: Final = (told.STAGE, told.STOP, told.FREEZE, told.OWN_FILE, told.CLOCK)
_NOT_USERS: Final = "it changes what Prodwise does, not what users get"
_CLOCK: Final = "not measured: times before and after it are not comparable"


@dataclass(frozen=True, slots=True)
class Known:
    """entries: newest first, of told.ENTRIES; way: of WAY, newest first; since: from when on changes are told, Unix seconds;
    whole: no older entries are left out.

    entry: the service that users reach; web: services that requests reach.
    """

    changes: Sequence[Change]
    entries: Sequence[Entry]
    effects: Sequence[Effect]
    rollouts: Sequence[Rollout]
    way: Sequence[Entry]
    since: float
    whole: bool
    entry: str
    web: frozenset[str]


def everything(known: Known) -> tuple[Change, ...]:
    """Newest first."""
    found = [
        *known.changes,
        *told.from_entries(known.entries, whole=known.whole),
        *told.from_effects(known.effects),
        *told.from_rollouts(known.rollouts, known.entries),
    ]
    return tuple(sorted((one for one in found if one.at >= known.since), key=lambda one: (-one.at, one.id)))


def span(change: Change, way: Iterable[Entry]) -> Span:
    """A release reaches its users by and by: from its first share until it was promoted."""
    if change.kind is not ChangeKind.RELEASE or change.outside:
        return Span(change.at, change.at)
    mine = [one for one in way if one.incident == change.after]
    shared = [one.at for one in mine if one.kind == "rollout_stage" and (one.data.get("share") or 0) > 0]
    promoted = [one.at for one in mine if one.kind == "promoted"]
    begins = min([*shared, *promoted], default=change.at)
    return Span(begins, max(begins, min(promoted, default=change.at)))


def measured(
    known: Known, minutes: Mapping[str, Sequence[Minute]], now: float, which: Collection[str]
) -> dict[str, Measured]:
    """Change id → what it did. minutes: service → what is kept of its requests; which: ids of those that are asked for."""
    changes = everything(known)
    spans = {one.id: span(one, known.way) for one in changes}
    return {one.id: _one(one, changes, spans, known, minutes, now) for one in changes if one.id in which}


def _one(
    change: Change,
    changes: Sequence[Change],
    spans: Mapping[str, Span],
    known: Known,
    minutes: Mapping[str, Sequence[Minute]],
    now: float,
) -> Measured:
    if told.sort_of(change) in _OURS:
        why = _CLOCK if told.sort_of(change) == told.CLOCK else _NOT_USERS
        return Measured(change.id, why_not=why, final=True)
    if not reaches_users(change):
        return Measured(change.id, why_not="it put nothing in place that users could meet", final=True)
    if told.sort_of(change) in (told.UNDER_WAY, told.WITHDRAWN):
        return _side_by_side(change, known)
    service = change.service or known.entry
    near = [
        spans[one.id]
        for one in changes
        if one.id != change.id
        and one.service in ("", service)
        and reaches_users(one)
        and told.sort_of(one) not in _OURS
    ]
    return measure(
        change, service if service in known.web else "", spans[change.id], near, minutes.get(service, ()), now
    )


def _side_by_side(change: Change, known: Known) -> Measured:
    """By the counts of the release's judges, in the service where it answered most."""
    release = change.id.partition(":")[2]
    rollout = next(one for one in known.rollouts if one.release == release)
    met = told.met(rollout)
    if not met:
        return Measured(change.id, why_not="not yet: nobody has met it", final=False)
    service = max(sorted(met), key=lambda name: met[name])
    sides = told.arms(rollout, service)
    stable, canary = (
        Side(told.number(sides, arm, "n"), told.number(sides, arm, "errors")) for arm in ("stable", "canary")
    )
    return replace(beside(change, service, stable, canary), final=told.sort_of(change) == told.WITHDRAWN)
