"""Everything known about one incident, gathered into the case that a diagnosis rests on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from prodwise.heal.origin import origins
from prodwise.heal.parts import Parts
from prodwise.heal.pulse import Pulse
from prodwise.heal.uses import Uses
from prodwise.heal.vitals import UNSURE_S, LiveVitals
from prodwise.loop.diagnose.case import (
    Case,
    Contrast,
    Exit,
    GroupFacts,
    LoadFacts,
    ProbeFacts,
    ProcessFacts,
    TouchFacts,
    onset,
)
from prodwise.loop.diagnose.dependencies import PackageFacts
from prodwise.loop.diagnose.used_up import ClockSet
from prodwise.model.certificate import Credential
from prodwise.model.change import Change
from prodwise.model.delta import Delta
from prodwise.model.incident import Symptom
from prodwise.model.reach import Surroundings
from prodwise.model.record import Rollout, RolloutState
from prodwise.model.signal import Arm, ProcessState
from prodwise.model.target import TargetSeen

LOOK_BACK_S = 600.0
CHANGES_BACK_S = 7 * 24 * 3600.0
RECENT_S = 10.0
TOLD_MAX = 50
CLOCK_MAX = 5
RELEASES_MAX = 20
BUSY_S, BUSY_MIN_S, USUAL_MIN_S = 5, 2, 3
REQUESTS_MIN = 30
"""With fewer, chance alone makes half as many again."""


def gather(
    service: str,
    symptoms: Sequence[Symptom],
    *,
    parts: Parts,
    seen: TargetSeen,
    vitals: LiveVitals,
    pulse: Pulse,
    exits: Sequence[Exit],
    uses: Uses,
    groups: tuple[GroupFacts, ...],
    packages: tuple[PackageFacts, ...],
    credentials: tuple[Credential, ...],
    around: Surroundings,
    now: float,
) -> Case:
    """All services' facts: a fault in one may be another's."""
    since = now - LOOK_BACK_S
    began = onset(symptoms, now)
    inventory, changes = parts.inventory, _changes(parts, now - CHANGES_BACK_S)
    return Case(
        service=service,
        now=now,
        since=since,
        symptoms=tuple(symptoms),
        services=inventory,
        changes=changes,
        touched=tuple(_touched(parts, changes)),
        exits=tuple(e for e in exits if e.at > since),
        processes=tuple(_processes(seen)),
        probes=tuple(_probes(seen, pulse, now)),
        requests=tuple(f for s in inventory for f in vitals.window(s.id).routes.facts(s.id, since, began)),
        contrasts=tuple(_contrasts(parts.records.rollouts.current())),
        loads=tuple(_load(s.id, vitals, now, began) for s in inventory),
        groups=groups,
        packages=packages,
        credentials=credentials,
        origins=origins(service, parts, vitals, around, began, now),
        uses=uses.processes(now),
        machine=uses.machine(now),
        clock=_clock(parts, since),
        inputs=tuple(f for s in inventory for f in vitals.window(s.id).routes.inputs(s.id, began)),
    )


def _clock(parts: Parts, since: float) -> tuple[ClockSet, ...]:
    told = parts.records.ledger.recent(CLOCK_MAX, kinds=("clock",))
    return tuple(ClockSet(float(one.data["at"]), float(one.data["moved_s"])) for one in told if one.at >= since)


def _changes(parts: Parts, since: float) -> tuple[Change, ...]:
    """Ours, and the newest of all: what others told of may have to do with it, and hides nothing of ours."""
    changes = parts.records.changes
    found = {one.id: one for one in (*changes.own(since), *changes.since(since, TOLD_MAX))}
    return tuple(found.values())


def _touched(parts: Parts, changes: Sequence[Change]) -> Iterator[TouchFacts]:
    """Of the newest releases and the one on its way, those that are known to have changed some services only."""
    current = parts.records.rollouts.current()
    newest = sorted(changes, key=lambda one: -one.at)[:RELEASES_MAX]
    named = {release for one in newest if not one.outside for release in (one.before, one.after)}
    known = {one.id: one for one in parts.records.releases.list(RELEASES_MAX)}
    for release in sorted(known.keys() & {*named, *([current.release] if current is not None else ())}):
        told = parts.records.releases.facts(release).get("delta")
        delta = Delta.from_json(told) if isinstance(told, Mapping) else None
        if delta is not None and delta.touched.services:
            reached = delta.touched
            yield TouchFacts(release, delta.previous, known[release].created_at, reached.services, reached.places)


def _contrasts(rollout: Rollout | None) -> Iterator[Contrast]:
    """Of a release on its way, beside the one that it would replace, as its judges count; at 100 % nothing stands beside it."""
    for service, told in (rollout.numbers if rollout is not None else {}).items():
        arms = told.get("arms") if isinstance(told, Mapping) else None
        if rollout is not None and arms and rollout.state is RolloutState.RAMPING:
            canary, stable = arms[Arm.CANARY.value], arms[Arm.STABLE.value]
            counts = (canary["n"], canary["errors"], stable["n"], stable["errors"])
            yield Contrast(service, rollout.release, rollout.previous, *counts)


def _processes(seen: TargetSeen) -> list[ProcessFacts]:
    return [
        ProcessFacts(
            at.service,
            p.slot,
            p.release,
            None if p.state is ProcessState.UNKNOWN else p.pid > 0,
            p.started_at,
            p.rss_bytes,
        )
        for at in seen.services
        for p in at.slots
        if p.release and p.state is not ProcessState.STOPPED
    ]


def _probes(seen: TargetSeen, pulse: Pulse, now: float) -> list[ProbeFacts]:
    found = []
    for at in seen.services:
        for process in at.slots:
            if process.release and process.state is not ProcessState.STOPPED:
                found.append(pulse.facts(at.service, process.slot, process.release, now))
    return found


def _load(service: str, vitals: LiveVitals, now: float, began: float) -> LoadFacts:
    """The rates of arrivals, and the latencies of the last 10 s against those before the onset."""
    window = vitals.window(service)
    before = window.arrivals(now - LOOK_BACK_S, began - UNSURE_S)
    begin = min(began - 1, now - BUSY_MIN_S - 1)
    return LoadFacts(
        service,
        rate_now=rate_now(window.arrivals(begin, now)),
        rate_usual=rate_usual(before),
        p95_now_ms=window.latency(0.95, RECENT_S, now),
        p95_usual_ms=window.latency(0.95, LOOK_BACK_S, now, until=began - UNSURE_S)
        or window.latency(0.95, LOOK_BACK_S, now, until=began),
    )


def rate_now(seconds: Sequence[int]) -> float | None:
    """Requests per second of the busiest stretch of up to 5 s among these seconds; None where too few came to tell.

    The busiest and not the newest: while a service is overloaded, what came last may not be counted yet.
    """
    size = min(BUSY_S, len(seconds))
    if size < BUSY_MIN_S or sum(seconds) < REQUESTS_MIN:
        return None
    return max(sum(seconds[i : i + size]) for i in range(len(seconds) - size + 1)) / size


def rate_usual(seconds: Sequence[int]) -> float | None:
    """Requests per second: the median of whole 10-second windows once there are three, until then the mean of what there
    is; None for less than 3 s or 30 requests."""
    windows = [sum(seconds[i : i + 10]) / 10 for i in range(len(seconds) % 10, len(seconds), 10)]
    if len(windows) >= 3:
        return median(windows)
    if len(seconds) < USUAL_MIN_S or sum(seconds) < REQUESTS_MIN:
        return None
    return sum(seconds) / len(seconds)
