"""Everything known about one incident, gathered into the case that a diagnosis rests on."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from prodwise.heal.parts import Parts
from prodwise.heal.pulse import Pulse
from prodwise.heal.vitals import LiveVitals
from prodwise.loop.diagnose.case import Case, Exit, LoadFacts, ProbeFacts, ProcessFacts
from prodwise.model.incident import Symptom
from prodwise.model.signal import ProcessState
from prodwise.model.target import TargetSeen

LOOK_BACK_S = 600.0
CHANGES_BACK_S = 7 * 24 * 3600.0
RECENT_S = 10.0


def gather(
    service: str,
    symptoms: Sequence[Symptom],
    *,
    parts: Parts,
    seen: TargetSeen,
    vitals: LiveVitals,
    pulse: Pulse,
    exits: Sequence[Exit],
    now: float,
) -> Case:
    """All services' facts: a fault in one may be another's."""
    since = now - LOOK_BACK_S
    onset = min((symptom.onset_at for symptom in symptoms), default=now)
    inventory = parts.inventory
    return Case(
        service=service,
        now=now,
        since=since,
        symptoms=tuple(symptoms),
        services=inventory,
        changes=tuple(parts.records.changes.since(now - CHANGES_BACK_S)),
        exits=tuple(e for e in exits if e.at > since),
        processes=tuple(_processes(seen)),
        probes=tuple(_probes(seen, pulse, now)),
        requests=tuple(f for s in inventory for f in vitals.window(s.id).routes.facts(s.id, since, onset)),
        loads=tuple(_load(s.id, vitals, now, onset) for s in inventory),
    )


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


def _load(service: str, vitals: LiveVitals, now: float, onset: float) -> LoadFacts:
    """Now: the last 10 s. Usual: the median of the 10-second windows that ended before the onset, if there are three."""
    window = vitals.window(service)
    rates = window.rates(now)
    calm = rates[: max(0, len(rates) - 1 - int((now - onset) // RECENT_S))]
    return LoadFacts(
        service,
        rate_now=rates[-1] if rates else None,
        rate_usual=median(calm) if len(calm) >= 3 else None,
        p95_now_ms=window.latency(0.95, RECENT_S, now),
        p95_usual_ms=window.latency(0.95, LOOK_BACK_S, now, until=onset),
    )
