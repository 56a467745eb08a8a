"""How long it took to detect, to decide and to recover, fault by fault. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from prodwise.drill.healers.base import Event
from prodwise.drill.impact import Impact, measure
from prodwise.drill.scenario import ACTIONS
from prodwise.drill.seen import Injected, Seen

LOOKS = ("incident_opened", "rollout_failed", "escalated")
DECISIONS = ("rollout_failed", "escalated")
WELL_S = 2.5  # good answers for so long at least, else users are not served well again
EARLY_S = 0.5  # a healer's clock and ours read the same second a little apart

Seconds = float | None


def times(seen: Seen) -> tuple[Seconds, Seconds, Seconds]:
    """Detect, decide, recover: seconds after the onset, each of the fault for which it took longest; None without any.

    A release's or configuration's clock starts at its first bad request, as building and checking it hurts nobody; anything
    else's at the injection. One fault that users never recovered from, and there is no time of recovery.
    """
    faults = [one for one in seen.injected if one.fault.kind != "none"]
    found = [_of(one, faults[number + 1 :], seen) for number, one in enumerate(faults)]
    detects, decides, recovers = [d for d, _, _ in found], [d for _, d, _ in found], [r for _, _, r in found]
    return _worst(detects), _worst(decides), None if inf in recovers else _worst(recovers)


def _of(one: Injected, later: Sequence[Injected], seen: Seen) -> tuple[Seconds, Seconds, Seconds]:
    """inf: not recovered. What comes after the next fault is that one's, unless users had not recovered by then."""
    impact, until = _impact(one, later, seen)
    onset = impact.onset if one.fault.deploys and impact.onset is not None else one.at
    events = [event for event in seen.events if one.at - EARLY_S <= event.at < until]
    detect = _after(onset, [event.at for event in events if event.kind in LOOKS])
    decide = _after(onset, [event.at for event in events if event.kind in DECISIONS or _is_action(event)])
    return detect, decide, _recover(one, impact, onset, seen)


def _impact(one: Injected, later: Sequence[Injected], seen: Seen) -> tuple[Impact, float]:
    """What the fault did to users, and until when (Unix seconds) what happens counts as its doing."""
    for until in (*(following.at for following in later), inf):
        impact = measure(seen.requests, one.at, one.fault.deploys, until, well_until=seen.since)
        if impact.recovered is not None and impact.recovered < until:
            break
    return impact, until


def _recover(one: Injected, impact: Impact, onset: float, seen: Seen) -> Seconds:
    """Until users are served well again, and a worker that was struck is back."""
    if one.worker and one.back is None:
        return inf
    back = one.back if one.worker else None
    if not seen.requests:
        return _after(onset, [back] if back is not None else [])
    if impact.onset is not None and (impact.recovered is None or seen.now - impact.recovered < WELL_S):
        return inf
    if impact.recovered is None:
        return None
    if impact.onset is None and one.fault.deploys:
        return None
    return _after(onset, [max(impact.recovered, back or impact.recovered)])


def _is_action(event: Event) -> bool:
    return event.kind == "action" and event.word("kind") in ACTIONS


def _after(onset: float, moments: Sequence[float]) -> Seconds:
    """The first of the moments, never negative: a healer may have known before a user did."""
    return round(max(0.0, min(moments) - onset), 3) if moments else None


def _worst(found: Sequence[Seconds]) -> Seconds:
    return max((one for one in found if one is not None), default=None)
