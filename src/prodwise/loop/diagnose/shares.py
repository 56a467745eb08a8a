"""How likely each hypothesis is: weights become shares that add up to 1, by one documented rule."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from prodwise.loop.diagnose import weights as w
from prodwise.model.diagnosis import Hypothesis


def shared(found: Sequence[Hypothesis]) -> list[Hypothesis]:
    """The softmax of the weights over all hypotheses, UNKNOWN among them, after division by the temperature."""
    if not found:
        return []
    top = max(one.weight for one in found)
    odds = [math.exp((one.weight - top) / w.TEMPERATURE) for one in found]
    total = math.fsum(odds)
    return [replace(one, share=round(odd / total, 4)) for one, odd in zip(found, odds, strict=True)]


def in_words(share: float) -> str:
    """With its number: nobody reads 83 % off a word, nor what a number is worth."""
    word = next(
        word
        for least, word in ((0.8, "very likely"), (0.5, "likely"), (0.2, "possible"), (0.0, "unlikely"))
        if share >= least
    )
    return f"{word}, {min(99, max(1, round(share * 100)))} %"
