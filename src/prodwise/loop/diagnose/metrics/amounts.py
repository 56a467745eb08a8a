"""How much is unusual in each service while a symptom is felt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median_low
from typing import Final

from prodwise.loop.diagnose.metrics.blame import Graph
from prodwise.loop.diagnose.metrics.cause import Kind, Moved
from prodwise.loop.diagnose.metrics.felt import Felt, step_of
from prodwise.loop.diagnose.metrics.services import Line, Service
from prodwise.loop.diagnose.metrics.usual import CLEAR, quantile, usual_of

LOAD_MIN: Final = 2.0
"""Times the usual requests from which on they explain slowness or failures."""


@dataclass(frozen=True, slots=True)
class Scene:
    """All that is known, and the strongest symptom of one kind."""

    known: Mapping[str, Service]
    graph: Graph
    felt: Felt


@dataclass(frozen=True, slots=True)
class Amount:
    """value: seconds of waiting, or failed requests, beyond what is usual during the episode."""

    value: float
    moved: Moved


def amounts_of(scene: Scene, kind: Kind) -> dict[str, Amount]:
    """Only of services whose usual is known, and whose metrics were there during the episode: others are unknown, not well."""
    found = {}
    for name, service in scene.known.items():
        line = service.lines.get(kind)
        moved = moved_of(scene, service, kind, line) if line is not None else None
        if line is None or moved is None:
            continue
        during = {at: line.now[at] for at in sorted(scene.felt.times) if at in line.now}
        found[name] = Amount(sum(_count(scene, name, at) * (now - moved.usual) for at, now in during.items()), moved)
    return found


def moved_of(scene: Scene, service: Service, kind: Kind, line: Line) -> Moved | None:
    """Usual is what the service did in the period in question while the symptom's service was well, as the nearer past knows what has
    drifted since; without that, the normal period's median."""
    usual = usual_of(line.normal, step_of(service, kind))
    during = [line.now[at] for at in sorted(scene.felt.times) if at in line.now]
    if usual is None or not during:
        return None
    well = [line.now[at] for at in scene.felt.well if at in line.now]
    level = median_low(well) if well else usual.middle
    mean = sum(during) / len(during)
    return Moved(service.name, kind, line.metric, level, mean, (mean - level) / usual.scale)


def load_of(scene: Scene, name: str) -> float:
    """Its requests as a multiple of its usual ones; 1 unless they are far more, and more than in 99 of 100 normal samples."""
    service = scene.known.get(name)
    line = service.lines.get(Kind.REQUESTS) if service is not None else None
    usual = usual_of(line.normal) if line is not None else None
    if service is None or line is None or usual is None or usual.middle <= 0:
        return 1.0
    moved = moved_of(scene, service, Kind.REQUESTS, line)
    times = moved.now / moved.usual if moved is not None and moved.now > usual.high else 1.0
    return times if times >= LOAD_MIN else 1.0


def busy(scene: Scene, name: str) -> list[Moved]:
    """Its processor, memory or other metrics that are far from usual, either way."""
    service = scene.known.get(name)
    if service is None:
        return []
    found = [moved_of(scene, service, Kind.RESOURCE, line) for line in service.resources]
    return [one for one in found if one is not None and abs(one.off) >= CLEAR]


def silent(scene: Scene, name: str) -> bool:
    """Whether it is asked in every normal sample, and nothing is heard of it during the episode."""
    service = scene.known.get(name)
    line = service.lines.get(Kind.REQUESTS) if service is not None else None
    if line is None or not line.normal or quantile(sorted(line.normal.values()), 0.01) <= 0:
        return False
    return not any(line.now.get(at) for at in scene.felt.times)


def new(scene: Scene, name: str) -> bool:
    """Whether it is asked during the episode, and never was in the normal period."""
    service = scene.known.get(name)
    line = service.lines.get(Kind.REQUESTS) if service is not None else None
    return line is not None and not any(line.normal.values()) and any(line.now.get(at) for at in scene.felt.times)


def _count(scene: Scene, name: str, at: float) -> float:
    """How many requests: its own figure, else that of its callers together, else one."""
    for names in ((name,), scene.graph.calling(name)):
        lines = [scene.known[one].lines.get(Kind.REQUESTS) for one in names if one in scene.known]
        counts = [line.now[at] for line in lines if line is not None and at in line.now]
        if counts:
            return max(0.0, sum(counts))
    return 1.0
