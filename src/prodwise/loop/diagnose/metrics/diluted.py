"""Symptoms too thin to see where users are, among all else that is asked there: found further down, and felt above all the same."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from prodwise.loop.diagnose.metrics.amounts import Scene, amounts_of
from prodwise.loop.diagnose.metrics.blame import Graph
from prodwise.loop.diagnose.metrics.cause import Kind, Moved
from prodwise.loop.diagnose.metrics.felt import FELT, WELL, Felt, felt_at
from prodwise.loop.diagnose.metrics.services import Service
from prodwise.loop.diagnose.metrics.usual import FLOOR, NOTICED

PASSED_ON: Final = 0.25
"""The part of what is unusual below that has to be there above, too: a call that nobody waits for passes nothing on."""
LASTS_MIN: Final = 2
"""Samples. What lasts for one, and is not even seen where users are, is over before anybody could do something."""


def diluted(known: Mapping[str, Service], graph: Graph, asked: Sequence[str]) -> list[Felt]:
    """Strongest first: those asked, while something below them is far from usual and they are worse by a part of that at least."""
    below = sorted(graph.below(asked) & known.keys() - set(asked))
    found: dict[tuple[str, Kind], Felt] = {}
    for one in felt_at(known, below, FELT):
        if len(one.times) >= LASTS_MIN:
            for name, strength in _passed_on(Scene(known, graph, one), asked).items():
                symptom = replace(one.symptom, service=name, strength=strength)
                found.setdefault((name, one.symptom.kind), replace(one, symptom=symptom))
    return sorted(found.values(), key=lambda one: (-one.symptom.strength, one.symptom.service, one.symptom.kind))


def _passed_on(scene: Scene, asked: Sequence[str]) -> dict[str, float]:
    """Those asked that are worse, with their summed deviation over the root of the number of samples, as a part of FLOOR."""
    symptom = scene.felt.symptom
    amounts = amounts_of(scene, symptom.kind)
    least = PASSED_ON * amounts[symptom.service].value
    above = [name for name in asked if name in amounts and symptom.service in scene.graph.below([name])]
    samples = len(scene.felt.times)
    return {
        name: amounts[name].moved.off * math.sqrt(samples) / FLOOR
        for name in above
        if amounts[name].value >= least > 0 and _seen(amounts[name].moved, symptom.kind, samples)
    }


def _seen(moved: Moved, kind: Kind, samples: int) -> bool:
    """Noticeable, and not an everyday deviation; of failures, which do not come and go as lateness does, half of that is enough."""
    least = WELL if kind is Kind.LATENCY else WELL / 2
    return moved.off * math.sqrt(samples) >= least and moved.now >= (1 + NOTICED) * moved.usual
