"""How likely each hypothesis is: weights become shares by one documented rule."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from prodwise.loop.diagnose import weights as w
from prodwise.model.diagnosis import Cause, Hypothesis

_WORDS = ((0.8, "very likely"), (0.5, "likely"), (0.2, "possible"), (0.0, "unlikely"))


def shared(found: Sequence[Hypothesis]) -> list[Hypothesis]:
    """1. Where a nearer cause is likelier than not, the last resorts (unknown, errors, slow) count less beside it.
    2. Softmax of the weights, divided by the temperature. 3. The curve that drawn cases gave: what was right how often."""
    if not found:
        return []
    leading = max(found, key=lambda one: (one.weight, one.cause not in w.LAST_RESORT))
    nearer = leading.cause not in w.LAST_RESORT and leading.weight > 0
    counts = [
        one.weight - (w.LAST_RESORT.get(one.cause, 0.0) if nearer else _unless_first(one, leading)) for one in found
    ]
    top = max(counts)
    odds = [math.exp((one - top) / w.TEMPERATURE) for one in counts]
    total = math.fsum(odds)
    return [replace(one, share=round(curved(odd / total), 3)) for one, odd in zip(found, odds, strict=True)]


def _unless_first(one: Hypothesis, leading: Hypothesis) -> float:
    """Errors of our own that lead say why it is wrong, as far as anything does: then *unknown* counts less."""
    return w.LAST_RESORT[Cause.UNKNOWN] if one.cause is Cause.UNKNOWN and leading.weight > 0 else 0.0


def curved(raw: float) -> float:
    """The curve at a raw share: straight lines between its points."""
    points = w.CURVE
    for (x0, y0), (x1, y1) in pairwise(points):
        if raw <= x1:
            return y0 + (y1 - y0) * (raw - x0) / (x1 - x0)
    return points[-1][1]


def in_words(share: float) -> str:
    """With its number: nobody reads 83 % off a word, nor what a number is worth."""
    word = next(word for least, word in _WORDS if share >= least)
    return f"{word}, {rounded(share)} %"


def rounded(share: float) -> int:
    """In per cent; what was worked out is never quite sure."""
    return min(99, max(1, round(share * 100)))
