"""Budgets, cool-downs, the third-time rule and the brakes: how often something may be done, and when nothing may.

All rest on the stored past and on `now`, so they survive restarts. A past action that seems to lie in the future (the wall
clock was set back) counts as having happened now: the conservative reading.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from prodwise.loop.choose.situation import Past, PastResult
from prodwise.model.action import ActionKind
from prodwise.model.diagnosis import Cause, alike
from prodwise.model.service import Service

HOUR_S: Final = 3600.0
DAY_S: Final = 86_400.0
SERVICE_PER_HOUR, SERVICE_PER_DAY, FLEET_PER_HOUR = 4, 10, 20
COOLDOWN_S, COOLDOWN_MAX_S = 900.0, 6 * HOUR_S
FAILED_REMEDIES_MAX = 2
THIRD_TIME, THIRD_TIME_WINDOW_S = 3, DAY_S
FLAPS_MAX = 4
BRAKE_FROM_SERVICES, BRAKE_SHARE = 5, 0.4


@dataclass(frozen=True, slots=True)
class Until:
    """A limit that ends by itself. at: Unix seconds."""

    reason: str
    at: float


def clock(at: float) -> str:
    """UTC, to the minute, as people read it."""
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M")


def cooldown(
    past: Iterable[Past], kind: ActionKind, service: str, cause: Cause, release: str, now: float
) -> Until | None:
    """The same action for the same cause (a rollback: of the same release) rests 15 min, doubling each time up to 6 h."""
    same = [
        _at(one, now)
        for one in _of_service(past, service, now, DAY_S)
        if one.kind is kind and (alike(one.cause, cause) or (kind is not ActionKind.RESTART and one.release == release))
    ]
    if not same:
        return None
    end = max(same) + min(COOLDOWN_MAX_S, COOLDOWN_S * 2.0 ** (len(same) - 1))
    return Until(f"cool-down until {clock(end)}", end) if now < end else None


def budget(past: Iterable[Past], service: str, now: float) -> Until | None:
    """4 an hour and 10 a day for a service, 20 an hour for all of them. Names the first that is used up, and until when."""
    known = [one for one in past if one.automatic and one.kind is not ActionKind.HANDOVER]
    rules = (
        (f"{SERVICE_PER_HOUR} actions an hour on {service}", SERVICE_PER_HOUR, HOUR_S, service),
        (f"{SERVICE_PER_DAY} actions a day on {service}", SERVICE_PER_DAY, DAY_S, service),
        (f"{FLEET_PER_HOUR} actions an hour on all services", FLEET_PER_HOUR, HOUR_S, ""),
    )
    for text, most, window_s, whose in rules:
        times = sorted(_at(one, now) for one in known if whose in ("", one.service) and now - _at(one, now) < window_s)
        if len(times) >= most:
            end = times[len(times) - most] + window_s
            return Until(f"the budget of {text} is used up until {clock(end)}", end)
    return None


def third_time(past: Iterable[Past], kind: ActionKind, service: str, cause: Cause, now: float) -> str:
    """The same quick fix a third time in a day needs a person: it hides something. Empty when it is not."""
    same = [
        one
        for one in _of_service(past, service, now, THIRD_TIME_WINDOW_S)
        if one.kind is kind and alike(one.cause, cause)
    ]
    if len(same) < THIRD_TIME - 1:
        return ""
    times = ", ".join(clock(_at(one, now)) for one in same[-(THIRD_TIME - 1) :])
    return f"it was done at {times} for the same cause: a third time needs a person, and a real fix"


def failed_in(past: Iterable[Past], incident: str) -> list[Past]:
    """Remedies of this incident that did not help, whoever tried them, oldest first."""
    failures = (PastResult.FAILED, PastResult.UNDONE)
    return sorted((one for one in past if one.incident == incident and one.result in failures), key=lambda one: one.at)


def in_flight(past: Iterable[Past], service: str, inventory: Iterable[Service]) -> Past | None:
    """An action that is not finished, on the service or on a neighbour that it needs or that needs it."""
    near = neighbourhood(service, inventory)
    busy = [one for one in past if one.result is PastResult.RUNNING and one.service in near]
    return min(busy, key=lambda one: (one.at, one.service, one.kind), default=None)


def neighbourhood(service: str, inventory: Iterable[Service]) -> frozenset[str]:
    """The service, those it needs, and those that need it. "" stands for the whole app and is near everyone."""
    near = {service, ""}
    for one in inventory:
        if one.id == service:
            near.update(one.needs)
        if service in one.needs:
            near.add(one.id)
    return frozenset(near)


def brake(health: Iterable[tuple[str, bool | None]]) -> str:
    """From five services up: when more than 40 % look bad at once the fault is shared, or it is our eyes. Empty when not."""
    states = dict(health)
    bad = sorted(name for name, well in states.items() if well is False)
    if len(states) < BRAKE_FROM_SERVICES or len(bad) <= BRAKE_SHARE * len(states):
        return ""
    if len(bad) == len(states):
        return f"all {len(bad)} services look bad at once: what we see may be wrong"
    return f"{len(bad)} of {len(states)} services look bad at once: the fault is likely shared ({', '.join(bad[:3])} …)"


def _of_service(past: Iterable[Past], service: str, now: float, window_s: float) -> list[Past]:
    found = [one for one in past if one.automatic and one.service == service and now - _at(one, now) < window_s]
    return sorted(found, key=lambda one: one.at)


def _at(one: Past, now: float) -> float:
    return min(one.at, now)
