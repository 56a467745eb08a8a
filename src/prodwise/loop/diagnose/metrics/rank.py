"""The look at metrics: is anything wrong, when, and where does it come from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from prodwise.loop.diagnose.metrics.amounts import Amount, Scene, amounts_of, busy, load_of, new, silent
from prodwise.loop.diagnose.metrics.blame import Graph, beneath, graph_of, own_parts
from prodwise.loop.diagnose.metrics.cause import Kind, Moved, RankedCause, Ranking
from prodwise.loop.diagnose.metrics.diluted import diluted
from prodwise.loop.diagnose.metrics.felt import FELT, Felt, felt_at
from prodwise.loop.diagnose.metrics.services import Service, services_of
from prodwise.loop.diagnose.metrics.tables import Unreadable, edges_of, tables_of

CAUSES_MAX: Final = 10
SCORE_MIN: Final = 0.01
SILENT_SHARE: Final = 1 / 3
"""Of a caller's own part, for called ones that fell silent: they died, or, likelier, the caller no longer gets as far as asking."""
BUSY_SHARE: Final = 2 / 3
"""Of a caller's own part, for called ones whose latency is not measured and whose resources are far from usual."""


def rank(graph: Any, metrics: Any, normal: Any, abnormal: Any, *, target: str | None = None) -> tuple[RankedCause, ...]:
    """Likeliest causes first; none when nothing unusual is felt. See `look`, which also tells what was felt and what is not known."""
    return look(graph, metrics, normal, abnormal, target=target).causes


def look(graph: Any, metrics: Any, normal: Any, abnormal: Any, *, target: str | None = None) -> Ranking:
    """graph: (caller, callee) pairs, a mapping of callers to callees, a `CallGraph`, a networkx graph or a table of adjacency.

    metrics: (service, metric, statistic) → series, nested as one likes, or a pandas table with three rows of headers; a series is
    time → value, pairs of them, or values at times 0, 1, 2, …; what is missing or NaN is unknown. normal, abnormal: (since, until),
    both included, or times; or tables of their own, and `metrics` is then not looked at. Times: seconds, datetimes or ISO dates.
    target: the service where it is felt; otherwise those that nobody calls are asked. What is too thin to see there is looked for in
    all that they call. Raises Unreadable.
    """
    known = services_of(*tables_of(metrics, normal, abnormal))
    calls = graph_of(edges_of(graph))
    if target is not None and target not in known:
        raise Unreadable(f"the target {target!r} has no metrics: known are {', '.join(list(known)[:20]) or 'none'}")
    asked = [target] if target is not None else calls.entries([name for name in known if _tells(known[name])])
    below = sorted(calls.below(asked) & known.keys())
    felt = felt_at(known, asked, FELT) or diluted(known, calls, asked)
    found = _parts(known, calls, felt)
    causes = [_cause(name, one) for name, one in found.items() if one.score >= SCORE_MIN]
    causes.sort(key=lambda one: (-one.score, one.service))
    return Ranking(tuple(causes[:CAUSES_MAX]), tuple(one.symptom for one in felt), tuple(_unknown(known, asked, below)))


def _tells(service: Service) -> bool:
    return any(kind in service.lines and service.lines[kind].now for kind in FELT)


@dataclass(slots=True)
class _Part:
    """What is gathered for one service. shares: of its score, by the kind of cause."""

    shares: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    moved: list[Moved] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)
    against: list[str] = field(default_factory=list)

    @property
    def score(self) -> float:
        return sum(self.shares.values())


def _parts(known: Mapping[str, Service], graph: Graph, felt: Sequence[Felt]) -> dict[str, _Part]:
    """Each kind of symptom has a say by its strength; within it, services by their own parts."""
    parts: dict[str, _Part] = defaultdict(_Part)
    by_kind = {kind: [one for one in felt if one.symptom.kind is kind] for kind in FELT}
    strengths = sum(many[0].symptom.strength for many in by_kind.values() if many)
    for kind, many in by_kind.items():
        if many:
            scene = Scene(known, graph, many[0])
            amounts = amounts_of(scene, kind)
            values = {name: one.value for name, one in amounts.items()}
            own = own_parts(
                graph, values, {one.symptom.service: max(0.0, values.get(one.symptom.service, 0.0)) for one in many}
            )
            whole = sum(own.values()) * strengths / many[0].symptom.strength
            for name in sorted(own):
                _told(parts[name], scene, amounts, own[name], name)
                _shared(parts, scene, kind, name, own[name] / whole)
    return parts


def _shared(parts: dict[str, _Part], scene: Scene, kind: Kind, name: str, share: float) -> None:
    """1. Of n times the usual load only 1 / n is usual: the rest goes to where the load comes from. 2. Called ones of which nothing is
    known but that something is wrong with get their part of what is left."""
    times, origin = load_of(scene, name), _origin(scene, name)
    if origin != name:
        loaded = share * (1 - 1 / times)
        share -= loaded
        parts[origin].shares["load"] += loaded
        parts[origin].evidence.append(f"{origin}: brings {times:.1f} times the usual requests to {name}")
        parts[name].against.append(f"{name}: gets {times:.1f} times its usual requests")
    callees = scene.graph.called_by(name)
    unmeasured = [one for one in callees if one in scene.known and not _tells(scene.known[one]) and busy(scene, one)]
    gone = [one for one in callees if silent(scene, one)]
    for names, part, words in (
        (unmeasured, BUSY_SHARE, "is far from its usual state"),
        (gone, SILENT_SHARE, "fell silent"),
    ):
        for one in names:
            parts[one].shares[kind] += share * part / len(names)
            parts[one].evidence.append(f"{one}: {words} while {name}, which calls it, was worse than usual")
            parts[one].moved += busy(scene, one)
        share *= 1 - part if names else 1
    parts[name].shares[kind] += share


def _origin(scene: Scene, name: str) -> str:
    """Where the load of a service comes from: as far up as it is more than usual; from there, a lone caller that asks more often."""
    if load_of(scene, name) == 1.0:
        return name
    seen = {name}
    while True:
        loaded = [one for one in scene.graph.calling(name) if one not in seen and load_of(scene, one) > 1.0]
        if not loaded:
            break
        name = max(loaded, key=lambda one: (load_of(scene, one), one))
        seen.add(name)
    callers = scene.graph.calling(name)
    return callers[0] if len(callers) == 1 else name


def _told(part: _Part, scene: Scene, amounts: Mapping[str, Amount], own: float, name: str) -> None:
    """What speaks for it and against it, in words."""
    amount = amounts[name]
    part.moved += [amount.moved, *busy(scene, name)]
    part.evidence += map(str, [amount.moved, *busy(scene, name)])
    known = beneath(scene.graph, amounts, name)
    callees = [one for one in known if amounts[one].value > 0.1 * amount.value]
    below = sum(max(0.0, amounts[one].value) for one in known)
    left = amount.value - below
    part.evidence.append(f"{name}: {left / amount.value:.0%} of it is explained by nothing that it calls")
    if own < 0.9 * left:
        part.against.append(f"{name}: only {own / left:.0%} of that is felt where the symptom is")
    part.evidence += [f"{name}: began to call {one}" for one in scene.graph.called_by(name) if new(scene, one)]
    for one in sorted(callees, key=lambda one: -amounts[one].value)[:3]:
        part.against.append(
            f"{one}, which it calls{_over(scene, name, one)}, accounts for {min(1.0, amounts[one].value / amount.value):.0%} of it"
        )
    unknown = [one for one in scene.graph.called_by(name) if one not in amounts and not new(scene, one)]
    if unknown:
        part.against.append(f"nothing is known of {', '.join(unknown[:5])}, which it calls")


def _over(scene: Scene, name: str, one: str) -> str:
    return "" if one in scene.graph.called_by(name) else " over others"


def _cause(name: str, part: _Part) -> RankedCause:
    kind = max(sorted(part.shares), key=lambda one: part.shares[one])
    return RankedCause(name, str(kind), part.score, tuple(part.moved), tuple(part.evidence), tuple(part.against))


def _unknown(known: Mapping[str, Service], asked: Sequence[str], below: Sequence[str]) -> list[str]:
    if not asked:
        return ["no service has latency or failures in the period in question"]
    mute = [
        name for name in below if not any(known[name].lines[kind].normal for kind in FELT if kind in known[name].lines)
    ]
    return [f"{name}: neither latency nor failures are known of the normal period" for name in mute]
