"""A metric that somebody watches: above its limit for long enough, and nothing else, is told."""

from __future__ import annotations

import pytest

from prodwise.loop.detect.watched import GAP_S, STALE_S, symptom
from prodwise.model.telemetry import Kind, Reading, Series, Watched

START = 1_795_479_840
WATCHED = Watched("queue.depth", 100.0, 300.0, "worker")
SERIES = Series("ab" * 16, "shop", "queue.depth", "jobs", Kind.GAUGE, {"queue": "mail"})


def minutes(*values: float | None) -> list[Reading]:
    """One a minute from START on; None where nothing was said."""
    return [Reading(START + 60 * number, value) for number, value in enumerate(values) if value is not None]


def end(readings: list[Reading]) -> float:
    return readings[-1].minute + 60.0


@pytest.mark.parametrize(
    ("values", "stands"),
    [
        ([150.0] * 5, True),
        ([150.0] * 4, False),
        ([150.0, 150.0, 100.0, 150.0, 150.0], False),
        ([50.0, *[150.0] * 5], True),
        ([*[150.0] * 9, 50.0], False),
        ([150.0, 150.0, None, 150.0, None, 150.0], True),
        ([150.0, None, None, None, None, None, 150.0], False),
        ([float("nan")] * 9, False),
        ([], False),
    ],
)
def test_it_stands_after_its_time_above_the_limit(values: list[float | None], stands: bool) -> None:
    readings = minutes(*values)
    assert (symptom(WATCHED, SERIES, readings, end(readings) if readings else START) is not None) == stands


def test_it_says_what_is_above_which_limit_since_when_and_on_whose_word() -> None:
    readings = minutes(10.0, *[150.0] * 6)
    told = symptom(WATCHED, SERIES, readings, end(readings) + 30)
    assert told is not None
    assert told.text == "queue.depth of shop (queue=mail) is 150 jobs, above 100"
    assert (told.onset_at, told.seen_at) == (START + 60, end(readings))
    assert (told.service, told.source, told.subject, told.ours) == ("worker", "otlp", SERIES.key, False)


def test_of_a_histogram_its_p95_is_compared() -> None:
    slow = [Reading(START + 60 * number, 1.0, 10, 200.0) for number in range(6)]
    assert symptom(WATCHED, SERIES, slow, end(slow)) is not None
    quick = [Reading(START + 60 * number, 10_000.0, 10, 20.0) for number in range(6)]
    assert symptom(WATCHED, SERIES, quick, end(quick)) is None


def test_who_falls_silent_is_not_well_for_that_and_is_forgotten_in_the_end() -> None:
    readings = minutes(*[150.0] * 6)
    assert symptom(WATCHED, SERIES, readings, end(readings) + STALE_S) is not None
    assert symptom(WATCHED, SERIES, readings, end(readings) + STALE_S + 1) is None
    assert GAP_S < STALE_S
