"""Whether a metric that somebody watches is above its limit for too long. Pure: a series' minutes in, at most one symptom out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from prodwise.model.incident import Symptom
from prodwise.model.telemetry import MINUTE_S, Reading, Series, Watched

KIND: Final = "alarm"
SOURCE: Final = "otlp"
GAP_S: Final = 300.0
"""Between two readings further apart nothing is known, and nothing is said to have lasted."""
STALE_S: Final = 900.0
"""So long what was said last stands: a program that fell silent is not well for that."""


def symptom(watched: Watched, series: Series, readings: Sequence[Reading], now: float) -> Symptom | None:
    """readings: in order. From the last one back as long as each is above the limit and near the next; it must have lasted, and
    the last one is not too old."""
    if not readings or now - _end(readings[-1]) > STALE_S:
        return None
    onset = later = _end(readings[-1])
    for one in reversed(readings):
        if not _value(one) > watched.above or later - _end(one) > GAP_S:
            break
        onset, later = float(one.minute), _end(one)
    last = readings[-1]
    if min(now, _end(last)) - onset < watched.for_s:
        return None
    text = (
        f"{_named(series)} is {_value(last):.6g}{f' {series.unit}' if series.unit else ''}, above {watched.above:.6g}"
    )
    return Symptom(
        KIND, watched.service, text, onset, min(now, _end(last)), severity=0.0, source=SOURCE, subject=series.key
    )


def _value(one: Reading) -> float:
    return one.value if one.p95 is None else one.p95


def _end(one: Reading) -> float:
    return float(one.minute + MINUTE_S)


def _named(series: Series) -> str:
    told = ", ".join(f"{name}={value}" for name, value in sorted(series.attributes.items()))
    return f"{series.name} of {series.service or 'the app'}{f' ({told})' if told else ''}"[:300]
