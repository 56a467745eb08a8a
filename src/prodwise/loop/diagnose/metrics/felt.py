"""Where something is felt, and when: the symptoms that causes are looked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from prodwise.loop.diagnose.metrics.cause import Kind, Symptom
from prodwise.loop.diagnose.metrics.services import Line, Service
from prodwise.loop.diagnose.metrics.usual import run_of, usual_of

FELT: Final = (Kind.ERRORS, Kind.LATENCY)
"""What users feel. More requests, or a busy processor, are nothing wrong by themselves."""
WAITS_MIN: Final = 0.005
"""Slowness is felt from this part of all the time waited on: a hundred calls that take a millisecond longer trouble nobody."""
WELL: Final = 2.0
"""Samples at most this far off show a symptom's service as usual."""


@dataclass(frozen=True, slots=True)
class Felt:
    """times: of the episode; well: samples of the period in question where this service was as usual."""

    symptom: Symptom
    times: frozenset[float]
    well: frozenset[float]


def felt_at(known: Mapping[str, Service], asked: Sequence[str], kinds: Collection[Kind]) -> list[Felt]:
    """Strongest first. All that are asked share the chance of a false alarm."""
    lines = [
        (known[name], kind, known[name].lines[kind]) for name in asked for kind in kinds if kind in known[name].lines
    ]
    found = [one for service, kind, line in lines if (one := _symptom(service, kind, line, len(lines))) is not None]
    waited = sum(_time_taken(known[name], None) for name in asked)
    found = [one for one in found if one.symptom.kind is not Kind.LATENCY or _waits(known, one, waited)]
    return sorted(found, key=lambda one: (-one.symptom.strength, one.symptom.service, one.symptom.kind))


def step_of(service: Service, kind: Kind) -> float:
    """Half of one failed request, as a share of those of one sample: where none fails in some hundred samples, one that does is about
    two standard deviations (Poisson's, at the highest rate that such a silence allows)."""
    requests = service.lines.get(Kind.REQUESTS)
    if kind is not Kind.ERRORS or requests is None:
        return 0.0
    counts = sorted(value for value in requests.normal.values() if value > 0)
    return 0.5 / max(1.0, counts[len(counts) // 2]) if counts else 0.0


def _symptom(service: Service, kind: Kind, line: Line, questions: int) -> Felt | None:
    usual = usual_of(line.normal, step_of(service, kind))
    if usual is None:
        return None
    before, times = sorted(line.normal), sorted(line.now)
    run = run_of(usual, [line.normal[at] for at in before], [line.now[at] for at in times], questions)
    if run is None:
        return None
    inside = frozenset(times[run.first : run.last + 1])
    well = frozenset(at for at in times if at not in inside and usual.off(line.now[at]) <= WELL)
    return Felt(Symptom(service.name, kind, min(inside), max(inside), run.strength), inside, well)


def _waits(known: Mapping[str, Service], felt: Felt, waited: float) -> bool:
    """Whether the slowness is a part worth mentioning of all the time that was waited for at the services that were asked."""
    return _time_taken(known[felt.symptom.service], felt) >= WAITS_MIN * waited


def _time_taken(service: Service, felt: Felt | None) -> float:
    """All the time of the period in question; of a symptom, the time beyond what is usual during its episode."""
    line, requests = service.lines.get(Kind.LATENCY), service.lines.get(Kind.REQUESTS)
    if line is None:
        return 0.0
    usual = usual_of(line.normal) if felt else None
    level = usual.middle if usual is not None else 0.0
    times = felt.times & line.now.keys() if felt else line.now.keys()
    counts = requests.now if requests is not None else {}
    return sum((counts.get(at, 0.0) if counts else 1.0) * (line.now[at] - level) for at in sorted(times))
