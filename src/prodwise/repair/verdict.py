"""Which of the edits that pass are believed, and how far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from prodwise.repair.pool import Candidate
from prodwise.repair.probe import Probe
from prodwise.repair.scene import Scene


@dataclass(frozen=True, slots=True)
class Survivor:
    """confidence: 0 to 1."""

    candidate: Candidate
    confidence: float


def chosen(standing: Sequence[Candidate], scene: Scene, probe: Probe, seconds: float) -> list[Survivor]:
    return [Survivor(one, 0.5) for one in standing[:3]]
