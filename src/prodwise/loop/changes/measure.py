"""A change's effect on users: its service's requests in two windows of the same length, before and after it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from prodwise.loop.changes.interval import Estimate, difference, share
from prodwise.loop.changes.latency import quantile
from prodwise.model.change import Change, ChangeKind
from prodwise.model.measured import Figure, Measured, Minute

WINDOW_S: Final = 1800.0
WINDOW_MIN_S: Final = 120.0
REQUESTS_MIN: Final = 50
"""In each window; with fewer nothing is said."""
QUANTILES: Final = (("median latency", 0.5), ("p95 latency", 0.95))
FAILED: Final = "failed requests"


@dataclass(frozen=True, slots=True)
class Span:
    """From when the first users met the change until all had it, Unix seconds."""

    begins: float
    ends: float


@dataclass(frozen=True, slots=True)
class Side:
    requests: int
    failed: int


def reaches_users(change: Change) -> bool:
    """Whether it may have altered what users get: a bound for its neighbours' windows."""
    return change.kind is not ChangeKind.COMMIT and (not change.outside or bool(change.after))


def windows(span: Span, others: Iterable[Span], kept: float, now: float) -> tuple[float, float, float, float]:
    """(before's end, after's start, length of each so far, length in the end) in whole minutes, as far as no other change and
    nothing that was not kept lies in them. kept: since when figures are kept."""
    until, since = span.begins // 60 * 60, -(-span.ends // 60) * 60
    first, last = max(kept, until - WINDOW_S), since + WINDOW_S
    for other in others:
        if other.ends <= span.begins:
            first = max(first, -(-other.ends // 60) * 60)
        elif other.begins >= span.ends:
            last = min(last, other.begins // 60 * 60)
        else:
            first, last = until, since
    whole = max(0.0, min(until - first, last - since))
    return until, since, min(whole, max(0.0, now // 60 * 60 - since)), whole


def measure(
    change: Change, service: str, span: Span, others: Sequence[Span], minutes: Sequence[Minute], now: float
) -> Measured:
    """minutes: of the service, oldest first, as far back as they are kept."""
    if not service:
        return Measured(change.id, why_not="no requests reach this service: there is nothing to compare", final=True)
    if windows(span, others, 0.0, now)[3] < WINDOW_MIN_S:
        return Measured(change.id, service, why_not="other changes came too close to it", final=True)
    kept = minutes[0].at if minutes else now
    until, since, length, whole = windows(span, others, kept, now)
    if whole < WINDOW_MIN_S:
        return Measured(change.id, service, why_not="not known: no figures are kept from before it")
    before = [one for one in minutes if until - length <= one.at < until]
    after = [one for one in minutes if since <= one.at < since + length]
    n, m, over = sum(one.requests for one in before), sum(one.requests for one in after), length >= whole
    result = Measured(change.id, service, window_s=length, before=n, after=m, final=over)
    if length < WINDOW_MIN_S:
        return replace(result, why_not="not yet: its first minutes are still to come")
    if min(n, m) < REQUESTS_MIN:
        return replace(result, why_not=f"too few requests{'' if over else ' so far'}: {n} before, {m} after")
    return compared(result, before, after)


def beside(change: Change, service: str, stable: Side, canary: Side) -> Measured:
    """Users were on both at once, which tells more than a comparison of times: a release on its way, and the one before it."""
    result = Measured(change.id, service, at_once=True, before=stable.requests, after=canary.requests, final=True)
    if min(stable.requests, canary.requests) < REQUESTS_MIN:
        few = f"too few requests: {stable.requests} on the one before, {canary.requests} on it"
        return replace(result, why_not=few)
    shares = [share([(one.requests, one.failed)]) for one in (stable, canary)]
    return replace(result, figures=(_failed(*shares),))


def compared(result: Measured, before: Sequence[Minute], after: Sequence[Minute]) -> Measured:
    """With its figures, or the reasons why the data supports none."""
    shares = [share([(one.requests, one.failed) for one in side]) for side in (before, after)]
    figures, left_out = [_failed(*shares)], []
    for name, q in QUANTILES:
        old, new = quantile(before, q), quantile(after, q)
        if old is None or new is None:
            left_out.append(f"{name}: not measured, too few requests")
        else:
            figures.append(Figure(name, "ms", old.value, new.value, *difference(old, new)))
    return replace(result, figures=tuple(figures), not_measured=tuple(left_out))


def _failed(before: Estimate, after: Estimate) -> Figure:
    return Figure(FAILED, "share", before.value, after.value, *difference(before, after))
