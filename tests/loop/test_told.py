"""One call to a person for one trouble, and another one for another trouble."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prodwise.loop.choose.told import BURST_S, QUIET_S, REMIND_S, Told, news
from prodwise.model.diagnosis import Cause
from prodwise.model.incident import Symptom

CALLED = 100_000.0


def symptom(kind: str, route: str = "") -> Symptom:
    return Symptom(kind, "web", f"{kind} of web", CALLED, CALLED, route)


def told(cause: Cause, *symptoms: Symptom, seen_s: float = 0.0) -> Told:
    return Told(symptoms, cause, CALLED, CALLED + seen_s)


@pytest.mark.parametrize(
    ("cause", "first", "then", "after_s", "again"),
    [
        (Cause.OVERLOAD, "hang", ["errors", "latency", "hang"], 60, False),
        (Cause.OVERLOAD, "latency", ["crash"], 5, True),
        (Cause.UPSTREAM, "errors", ["hang", "probe"], 300, False),
        (Cause.CRASH_LOOP, "crash_loop", ["errors", "crash", "crash_loop"], 120, False),
        (Cause.ERRORS, "errors", ["latency"], BURST_S - 1, False),
        (Cause.ERRORS, "errors", ["hang"], BURST_S + 1, True),
        (Cause.SLOW, "latency", ["crash"], 1, True),
        (Cause.ERRORS, "errors", ["errors"], QUIET_S - 1, False),
        (Cause.ERRORS, "errors", ["errors"], QUIET_S + 1, True),
    ],
)
def test_what_follows_from_it_is_no_news(
    cause: Cause, first: str, then: list[str], after_s: float, again: bool
) -> None:
    found = news(told(cause, symptom(first)), [symptom(kind) for kind in then], CALLED + after_s)
    assert bool(found) is again


def test_a_whole_service_is_more_than_a_route() -> None:
    route = told(Cause.ERRORS, symptom("errors", "GET /cart"))
    late = CALLED + BURST_S + 1
    assert not news(route, [symptom("errors", "GET /")], late)
    assert news(route, [symptom("errors", "GET /"), symptom("errors")], late) == (symptom("errors"),)


def test_trouble_that_stays_is_called_about_again_after_hours_only() -> None:
    stays = told(Cause.ERRORS, symptom("errors"), seen_s=REMIND_S)
    assert not news(stays, [symptom("errors")], CALLED + REMIND_S - 1)
    assert news(stays, [symptom("errors")], CALLED + REMIND_S)


def test_what_others_said_first_does_not_keep_us_from_what_we_see() -> None:
    """A call that rests on an alarm alone must not delay what may be acted on; an alarm after our own call is no news."""
    alarm = Symptom("alarm", "web", "HighErrorRate", CALLED, CALLED, source="alertmanager", subject="a1")
    said = Symptom("errors", "web", "KeyError", CALLED, CALLED, source="dsn:shop")
    assert news(told(Cause.UNKNOWN, alarm), [symptom("errors")], CALLED + 1) == (symptom("errors"),)
    assert not news(told(Cause.UNKNOWN, alarm), [alarm], CALLED + 60)
    assert news(told(Cause.UNKNOWN, alarm), [replace(alarm, subject="a2")], CALLED + 60)
    assert not news(told(Cause.ERRORS, symptom("errors")), [said], CALLED + 60)
