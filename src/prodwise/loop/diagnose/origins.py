"""Which service it began in, among those that call one another: figures of each, before and during, over who calls whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from prodwise.loop.diagnose.metrics.rank import look
from prodwise.loop.diagnose.metrics.tables import Unreadable
from prodwise.model.telemetry import MINUTE_S, Calls

STEP_S: Final = 10
UNSURE_S: Final = 12.0
"""So long before the onset nothing is taken for usual: a step may hold both."""
SERVICES_MAX: Final = 40
STEPS_MIN: Final = 8
"""Steps with requests before the onset; with fewer a service's usual is not known."""
CLEAR: Final = 0.5
"""Of all that is unusual: a service that it began in has at least so much."""
ABOUT: Final = 3


@dataclass(frozen=True, slots=True)
class Step:
    """Ten seconds of one service. at: its beginning; ms: the mean of what was served, None when not known."""

    at: float
    requests: float
    failed: float
    ms: float | None


@dataclass(frozen=True, slots=True)
class OriginFacts:
    """Where what is felt at `service` arises. ranked: (service, share of it, in what), likeliest first; origin: the one that has
    most of it, "" where that cannot be told, and `unknown` says why; told: what speaks for it; reported: traces were needed."""

    service: str
    since: float
    at: float
    origin: str = ""
    ranked: tuple[tuple[str, float, str], ...] = ()
    told: tuple[str, ...] = ()
    unknown: str = ""
    reported: bool = False


def origin_of(
    service: str,
    links: Iterable[tuple[str, str]],
    steps: Mapping[str, Sequence[Step]],
    traced: frozenset[str],
    onset: float,
    now: float,
) -> OriginFacts | None:
    """None where `service` calls nothing: then there is nowhere else to look. traced: whose figures are the word of traces."""
    below = _below(service, links)
    if len(below) < 2:
        return None
    asked = sorted(below, key=lambda name: (name != service, name))[:SERVICES_MAX]
    known = {name: steps[name] for name in asked if len(_usual(steps.get(name, ()), onset)) >= STEPS_MIN}
    if service not in known or len(known) < 2:
        missing = ", ".join(sorted(below - known.keys())[:5])
        return OriginFacts(service, onset, now, unknown=f"too few figures of {missing} from before it began")
    edges = [(one, other) for one, other in links if one in below and other in below]
    since = min(one.at for many in known.values() for one in many)
    try:
        found = look(edges, _series(known), (since, onset - UNSURE_S), (onset - STEP_S, now), target=service)
    except Unreadable as error:
        return OriginFacts(service, onset, now, unknown=str(error)[:200])
    ranked = tuple((one.service, round(one.score, 3), one.kind) for one in found.causes[:ABOUT])
    if not ranked:
        return OriginFacts(
            service, onset, now, unknown=f"the figures of {service} and what it calls are not unusual enough yet"
        )
    clear = found.causes[0].score >= CLEAR
    told = found.causes[0].evidence[:ABOUT] if clear else ()
    unknown = (
        "" if clear else "; ".join(f"{name} {share:.0%}" for name, share, _ in ranked) + ": none of them has most of it"
    )
    return OriginFacts(
        service, onset, now, ranked[0][0] if clear else "", ranked, told, unknown, bool(traced & known.keys())
    )


def from_traces(calls: Iterable[Calls], service: str) -> list[Step]:
    """What a service told of itself by the minute, spread over its steps."""
    minutes: dict[int, list[float]] = {}
    for one in calls:
        if one.callee == service and not one.caller and one.count:
            kept = minutes.setdefault(one.minute, [0.0, 0.0, 0.0])
            for at, value in enumerate((one.count, one.errors, one.ms_sum)):
                kept[at] += value
    parts = MINUTE_S // STEP_S
    return [
        Step(float(minute + part * STEP_S), many / parts, failed / parts, ms / many)
        for minute, (many, failed, ms) in sorted(minutes.items())
        for part in range(parts)
    ]


def _usual(steps: Sequence[Step], onset: float) -> list[Step]:
    return [one for one in steps if one.at <= onset - UNSURE_S and one.requests]


def _series(known: Mapping[str, Sequence[Step]]) -> dict[tuple[str, str, str], dict[float, float]]:
    found: dict[tuple[str, str, str], dict[float, float]] = {}
    for name, steps in known.items():
        found[name, "requests", "Sum"] = {one.at: one.requests for one in steps}
        found[name, "errors", "Sum"] = {one.at: one.failed for one in steps if one.requests}
        found[name, "latency", "Average"] = {one.at: one.ms for one in steps if one.ms is not None}
    return found


def _below(service: str, links: Iterable[tuple[str, str]]) -> set[str]:
    calls: dict[str, set[str]] = {}
    for caller, callee in links:
        calls.setdefault(caller, set()).add(callee)
    found, todo = {service}, [service]
    while todo:
        for name in calls.get(todo.pop(), ()):
            if name not in found:
                found.add(name)
                todo.append(name)
    return found
