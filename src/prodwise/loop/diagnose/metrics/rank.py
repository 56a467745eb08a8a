"""The look at metrics: is anything wrong, when, and where does it come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from prodwise.loop.diagnose.metrics.blame import Graph, graph_of, own_parts
from prodwise.loop.diagnose.metrics.cause import Kind, Moved, RankedCause, Ranking, Symptom
from prodwise.loop.diagnose.metrics.services import Line, Service, services_of
from prodwise.loop.diagnose.metrics.tables import Unreadable, edges_of, tables_of
from prodwise.loop.diagnose.metrics.usual import Run, Usual, run_of, usual_of

FELT: Final = (Kind.ERRORS, Kind.LATENCY)
"""What users feel. More requests, or a busy processor, are nothing wrong by themselves."""
CAUSES_MAX: Final = 10
SCORE_MIN: Final = 0.01
WELL: Final = 2.0
"""Samples at most this far off show a symptom's service as usual."""


def rank(graph: Any, metrics: Any, normal: Any, abnormal: Any, *, target: str | None = None) -> tuple[RankedCause, ...]:
    """Likeliest causes first; none when nothing unusual is felt. See `look`, which also tells what was felt and what is not known."""
    return look(graph, metrics, normal, abnormal, target=target).causes


def look(graph: Any, metrics: Any, normal: Any, abnormal: Any, *, target: str | None = None) -> Ranking:
    """graph: (caller, callee) pairs, a mapping of callers to callees, a `CallGraph`, a networkx graph or a table of adjacency.

    metrics: (service, metric, statistic) → series, nested as one likes, or a pandas table with three rows of headers; a series is
    time → value, pairs of them, or values at times 0, 1, 2, …; what is missing or NaN is unknown. normal, abnormal: (since, until),
    both included, or times; or tables of their own, and `metrics` is then not looked at. Times: seconds, datetimes or ISO dates.
    target: the service where it is felt; otherwise those that nobody calls are asked, then all. Raises Unreadable.
    """
    known = services_of(*tables_of(metrics, normal, abnormal))
    calls = graph_of(edges_of(graph))
    if target is not None and target not in known:
        raise Unreadable(f"the target {target!r} has no metrics: known are {', '.join(list(known)[:20]) or 'none'}")
    asked = [target] if target is not None else calls.entries([name for name in known if _tells(known[name])])
    felt = _felt(known, asked)
    if not felt and target is None:
        felt = _felt(known, [name for name in known if _tells(known[name])])
    found = _Look(known, calls, tuple(felt))
    return Ranking(tuple(_causes(found)), tuple(one.symptom for one in felt), tuple(_unknown(known, asked)))


def _tells(service: Service) -> bool:
    return any(kind in service.lines and service.lines[kind].now for kind in FELT)


@dataclass(frozen=True, slots=True)
class _Felt:
    """times: of the episode; well: samples of the period in question where this service was as usual."""

    symptom: Symptom
    times: frozenset[float]
    well: frozenset[float]


@dataclass(frozen=True, slots=True)
class _Look:
    known: Mapping[str, Service]
    graph: Graph
    felt: tuple[_Felt, ...]


def _felt(known: Mapping[str, Service], asked: Sequence[str]) -> list[_Felt]:
    """Strongest first. All that are asked share the chance of a false alarm."""
    lines = [(name, kind, known[name].lines[kind]) for name in asked for kind in FELT if kind in known[name].lines]
    found = [one for name, kind, line in lines if (one := _symptom(known[name], kind, line, len(lines))) is not None]
    return sorted(found, key=lambda one: (-one.symptom.strength, one.symptom.service, one.symptom.kind))


def _symptom(service: Service, kind: Kind, line: Line, questions: int) -> _Felt | None:
    usual = usual_of(line.normal, _step(service, kind))
    if usual is None:
        return None
    before, times = sorted(line.normal), sorted(line.now)
    run = run_of(usual, [line.normal[at] for at in before], [line.now[at] for at in times], questions)
    if run is None:
        return None
    inside = frozenset(times[run.first : run.last + 1])
    well = frozenset(at for at in times if at not in inside and usual.off(line.now[at]) <= WELL)
    return _Felt(Symptom(service.name, kind, min(inside), max(inside), run.strength), inside, well)


def _step(service: Service, kind: Kind) -> float:
    """One failed request, as a share of those of one sample."""
    requests = service.lines.get(Kind.REQUESTS)
    if kind is not Kind.ERRORS or requests is None:
        return 0.0
    counts = sorted(value for value in requests.normal.values() if value > 0)
    return 1.0 / max(1.0, counts[len(counts) // 2]) if counts else 0.0


@dataclass(frozen=True, slots=True)
class _Amount:
    value: float
    moved: Moved


def _amounts(look: _Look, kind: Kind, felt: _Felt) -> dict[str, _Amount]:
    """What is unusual in each service during the episode: seconds, or failed requests, beyond what is usual."""
    found = {}
    for name, service in look.known.items():
        line = service.lines.get(kind)
        usual = usual_of(line.normal, _step(service, kind)) if line is not None else None
        if line is None or usual is None:
            continue
        well = [line.now[at] for at in felt.well if at in line.now]
        level = max(usual.middle, min(well)) if well else usual.middle
        during = {at: line.now[at] for at in felt.times if at in line.now}
        if not during:
            continue
        counts = {at: _count(look, name, at) for at in during}
        value = sum(counts[at] * (during[at] - level) for at in during)
        mean = sum(during.values()) / len(during)
        found[name] = _Amount(value, Moved(name, kind, line.metric, level, mean, usual.off(mean)))
    return found


def _count(look: _Look, name: str, at: float) -> float:
    """How many requests: its own figure, else that of its callers together, else one."""
    for names in ((name,), look.graph.calling(name)):
        lines = [look.known[one].lines.get(Kind.REQUESTS) for one in names if one in look.known]
        counts = [line.now[at] for line in lines if line is not None and at in line.now]
        if counts:
            return max(0.0, sum(counts))
    return 1.0


def _causes(look: _Look) -> list[RankedCause]:
    scores: dict[str, float] = {}
    moved: dict[str, list[Moved]] = {}
    kinds: dict[str, tuple[float, Kind]] = {}
    weights = {kind: max((f.symptom.strength for f in look.felt if f.symptom.kind is kind), default=0.0) for kind in FELT}
    for kind in FELT:
        felt = [one for one in look.felt if one.symptom.kind is kind]
        if not felt:
            continue
        amounts = _amounts(look, kind, felt[0])
        values = {name: one.value for name, one in amounts.items()}
        own = own_parts(look.graph, values, {f.symptom.service: values.get(f.symptom.service, 0.0) for f in felt})
        whole = sum(own.values())
        for name, part in own.items():
            share = part / whole * weights[kind] / sum(weights.values())
            scores[name] = scores.get(name, 0.0) + share
            moved.setdefault(name, []).append(amounts[name].moved)
            kinds[name] = max(kinds.get(name, (0.0, kind)), (share, kind))
    ordered = sorted(scores, key=lambda name: (-scores[name], name))[:CAUSES_MAX]
    return [
        RankedCause(name, kinds[name][1], scores[name], tuple(moved[name]), tuple(map(str, moved[name])))
        for name in ordered
        if scores[name] >= SCORE_MIN
    ]


def _unknown(known: Mapping[str, Service], asked: Iterable[str]) -> list[str]:
    return [f"{name}: too little is known of its usual" for name in asked if name not in known]
