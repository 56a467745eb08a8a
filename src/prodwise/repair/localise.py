"""Which lines to suspect: what the failing test ran and passing ones did not (Ochiai), and where the error was raised.

Ochiai's measure for one line, with the failing tests that ran it (ef) or not (nf) and the passing ones that ran it (ep):
ef / sqrt((ef + nf) * (ef + ep)). Abreu, Zoeteweij, van Gemund, "On the accuracy of spectrum-based fault localization"
(TAICPART 2007); Pearson et al., "Evaluating and improving fault localization" (ICSE 2017) find it among the best on real faults.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt

from prodwise.model.event import Frame

Lines = Mapping[str, frozenset[int]]


@dataclass(frozen=True, slots=True)
class Spectrum:
    """failing, passing: what each test ran, path → lines; loading: what ran before any test."""

    failing: tuple[Lines, ...] = ()
    passing: tuple[Lines, ...] = ()
    loading: Lines = field(default_factory=dict)


def suspicion(spectrum: Spectrum, frames: Sequence[Frame]) -> dict[tuple[str, int], float]:
    """(path, line) → 0…1. A line on the traceback counts as more, the innermost most."""
    found: dict[tuple[str, int], float] = {}
    failing = len(spectrum.failing)
    passed: dict[tuple[str, int], int] = {}
    for test in spectrum.passing:
        for path, lines in test.items():
            for line in lines:
                passed[path, line] = passed.get((path, line), 0) + 1
    failed: dict[tuple[str, int], int] = {}
    for test in spectrum.failing:
        for path, lines in test.items():
            for line in lines:
                failed[path, line] = failed.get((path, line), 0) + 1
    for place, many in failed.items():
        found[place] = many / sqrt(failing * (many + passed.get(place, 0)))
    own = [frame for frame in frames if frame.in_app is not False and frame.line > 0]
    for at, frame in enumerate(own):
        place = (frame.file, frame.line)
        found[place] = min(1.0, 0.5 * found.get(place, 0.3) + 0.5 * (at + 1) / len(own))
    return found
