"""In which of several services it began, by the figures of all: who is named, and what is not known."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from prodwise.heal.vitals import Window
from prodwise.loop.diagnose import diagnose, evidence_of
from prodwise.loop.diagnose import weights as w
from prodwise.loop.diagnose.origins import STEP_S, OriginFacts, Step, from_traces, origin_of
from prodwise.model.diagnosis import Cause
from prodwise.model.service import Service, ServiceKind
from prodwise.model.signal import Arm, RequestSeen
from prodwise.model.telemetry import Calls
from tests.loop.test_diagnose import ALL_FAIL, NOW, ONSET, case, release, symptom

LINKS = (("web", "search"), ("search", "index"), ("web", "mail"))
BEGAN, UNTIL = 100_000.0, 100_060.0
SERVICES = (
    Service("web", ServiceKind.WEB, "x", needs=("search", "mail")),
    Service("search", ServiceKind.WEB, "x", needs=("index",)),
    Service("index", ServiceKind.WEB, "x"),
    Service("mail", ServiceKind.WEB, "x"),
)


def steps(seed: int, ms: float, *, worse_ms: float = 0.0, failing: float = 0.0, times: float = 1.0) -> list[Step]:
    """Ten minutes with noise, and what is added once it began."""
    rng, found = random.Random(seed), []
    for number in range(60):
        at = BEGAN - 540.0 + number * STEP_S
        late = at >= BEGAN
        n = round((times if late else 1.0) * 200 * rng.uniform(0.8, 1.2))
        share = failing if late else 0.002
        took = (ms + (worse_ms if late else 0.0)) * rng.uniform(0.9, 1.1)
        found.append(Step(at, n, sum(rng.random() < share for _ in range(n)), took))
    return found


def figures(**worse: dict[str, float]) -> dict[str, list[Step]]:
    usual = {"web": 60.0, "search": 30.0, "index": 10.0, "mail": 5.0}
    return {name: steps(at, ms, **worse.get(name, {})) for at, (name, ms) in enumerate(usual.items())}


def told(known: dict[str, list[Step]], links: Any = LINKS, traced: frozenset[str] = frozenset()) -> OriginFacts:
    found = origin_of("web", links, known, traced, BEGAN, UNTIL)
    assert found is not None
    return found


SLOW = {"worse_ms": 400.0}
FAILS = {"failing": 0.4}


@pytest.mark.parametrize(
    ("worse", "origin"),
    [
        ({"web": SLOW, "search": SLOW, "index": SLOW}, "index"),
        ({"web": SLOW, "search": SLOW}, "search"),
        ({"web": SLOW}, "web"),
        ({"web": SLOW, "mail": SLOW}, "mail"),
        ({"web": FAILS, "search": FAILS, "index": FAILS}, "index"),
        ({"web": FAILS}, "web"),
    ],
)
def test_the_service_that_it_began_in_is_named(worse: dict[str, dict[str, float]], origin: str) -> None:
    found = told(figures(**worse))
    assert (found.origin, found.ranked[0][0], found.unknown) == (origin, origin, "")
    assert found.told


def test_nothing_is_named_where_nothing_is_unusual_or_too_little_is_known() -> None:
    calm = told(figures())
    assert (calm.origin, calm.ranked) == ("", ())
    assert "not unusual enough" in calm.unknown
    alone = told({"web": figures(web=SLOW)["web"]})
    assert alone.unknown == "too few figures of index, mail, search from before it began"
    short = told({name: many[-6:] for name, many in figures(web=SLOW).items()})
    assert "too few figures" in short.unknown


def test_there_is_no_question_where_nothing_else_is_called() -> None:
    assert origin_of("web", (), figures(web=SLOW), frozenset(), BEGAN, UNTIL) is None
    assert origin_of("mail", LINKS, figures(mail=SLOW), frozenset(), BEGAN, UNTIL) is None


def test_figures_of_traces_stand_in_and_are_said_to() -> None:
    calls = [
        Calls(int(BEGAN) - 600 + 60 * minute, "", "index", "", 1200, 2, 1200 * (410.0 if minute > 9 else 10.0), 900.0)
        for minute in range(11)
    ]
    known = {**figures(web=SLOW, search=SLOW), "index": from_traces(calls, "index")}
    found = told(known, traced=frozenset(("index",)))
    assert (found.origin, found.reported) == ("index", True)
    assert from_traces(calls, "nobody") == []


FACT = OriginFacts("web", ONSET, NOW, "search", (("search", 0.9, "latency"),), ("search: latency 430, usually 30",))
FACTS = {"symptoms": (symptom("errors"),), "requests": ALL_FAIL}


def with_origin(fact: OriginFacts, **more: Any) -> Any:
    return diagnose(replace(case({**FACTS, **more}), services=SERVICES, origins=(fact,)))


def test_a_service_that_nothing_else_accuses_is_named_and_cited() -> None:
    found = with_origin(FACT)
    assert (found.leading.cause, found.leading.subject) == (Cause.UPSTREAM, "search")
    assert "began in search, which web calls: 90% of what is unusual arises there (latency)" in found.leading.text
    stated = {one.id: one for one in evidence_of(replace(case(FACTS), origins=(FACT,)))}
    assert [stated[name].kind for name in found.leading.supports] == ["origin"]


def test_what_traces_say_stays_below_what_we_see_and_a_near_release_leads() -> None:
    found = with_origin(replace(FACT, reported=True))
    (heard,) = [one for one in found.hypotheses if one.cause is Cause.UPSTREAM]
    assert heard.hearsay
    assert heard.weight <= w.HEARSAY_MAX
    assert with_origin(FACT, changes=(release(30),)).leading.cause is Cause.RELEASE


def test_an_origin_in_the_service_itself_changes_nothing() -> None:
    alone = diagnose(replace(case(FACTS), services=SERVICES))
    found = with_origin(replace(FACT, origin="web", ranked=(("web", 0.9, "latency"),)))
    assert found == alone


def test_what_cannot_be_told_is_said() -> None:
    found = with_origin(replace(FACT, origin="", unknown="search 40%; mail 35%: none of them has most of it"))
    assert "where it began: search 40%; mail 35%: none of them has most of it" in found.unknown


def test_steps_are_whole_tens_of_seconds_of_what_the_proxy_saw() -> None:
    window = Window()
    for at in range(1000, 1040):
        window.observe(
            RequestSeen(at + 0.5, "web", "1-a", Arm.STABLE, 0.0, "GET /", 200 if at % 10 else 500, 20.0, "lane")
        )
    assert [(one.at, one.requests, one.failed, one.ms) for one in window.steps(1005, 1035)] == [
        (1010.0, 10, 1, 20.0),
        (1020.0, 10, 1, 20.0),
    ]
    assert window.steps(2000, 2010) == [Step(2000.0, 0, 0, None)]
