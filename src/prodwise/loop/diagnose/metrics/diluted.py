"""Symptoms too thin to see where users are, among all else that is asked there: found further down, and felt above all the same."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from prodwise.loop.diagnose.metrics.amounts import Amount, Scene, amounts_of
from prodwise.loop.diagnose.metrics.blame import Graph
from prodwise.loop.diagnose.metrics.cause import Kind
from prodwise.loop.diagnose.metrics.felt import FELT, WELL, Felt, felt_at
from prodwise.loop.diagnose.metrics.services import Service
from prodwise.loop.diagnose.metrics.usual import NOTICED

PASSED_ON: Final = 0.25
"""The part of what is unusual below that has to be there above, too: a call that nobody waits for passes nothing on."""
LASTS_MIN: Final = 2
"""Samples. What lasts for one, and is not even seen where users are, is over before anybody could do something."""


def diluted(known: Mapping[str, Service], graph: Graph, asked: Sequence[str]) -> list[Felt]:
    """Strongest first: those asked, while something below them is far from usual and they are worse by about as much."""
    below = sorted(graph.below(asked) & known.keys() - set(asked))
    found: dict[tuple[str, Kind], Felt] = {}
    for one in felt_at(known, below, FELT):
        if len(one.times) >= LASTS_MIN:
            for name in _passed_on(Scene(known, graph, one), asked):
                found.setdefault((name, one.symptom.kind), replace(one, symptom=replace(one.symptom, service=name)))
    return list(found.values())


def _passed_on(scene: Scene, asked: Sequence[str]) -> list[str]:
    symptom = scene.felt.symptom
    amounts = amounts_of(scene, symptom.kind)
    least = PASSED_ON * amounts[symptom.service].value
    above = [name for name in asked if name in amounts and symptom.service in scene.graph.below([name])]
    samples = len(scene.felt.times)
    return [name for name in above if amounts[name].value >= least > 0 and _seen(amounts[name], symptom.kind, samples)]


def _seen(amount: Amount, kind: Kind, samples: int) -> bool:
    """Lateness comes and goes everywhere: it has to be noticeable, and not an everyday one. A failed request is one."""
    moved = amount.moved
    everyday = moved.off * math.sqrt(samples) < WELL or moved.now < (1 + NOTICED) * moved.usual
    return kind is Kind.ERRORS or not everyday
