"""Diagnosis: a table of scenarios, and what must hold of every diagnosis."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prodwise.loop.diagnose import (
    Case,
    Contrast,
    Exit,
    LoadFacts,
    ProbeFacts,
    ProcessFacts,
    RequestFacts,
    diagnose,
    evidence_of,
)
from prodwise.model.change import Change, ChangeKind
from prodwise.model.diagnosis import Cause
from prodwise.model.incident import Symptom
from prodwise.model.service import Service, ServiceKind

NOW = 100_000.0
ONSET = NOW - 20
OLD, NEW = "1-aaaaaaa", "2-bbbbbbb"
SERVICES = (
    Service("web", ServiceKind.WEB, "x", needs=("pay",)),
    Service("pay", ServiceKind.WEB, "x", upstream=True),
    Service("db", ServiceKind.WEB, "x"),
)


def symptom(kind: str, onset: float = ONSET, **more: Any) -> Symptom:
    return Symptom(kind, "web", f"{kind} of web", onset, NOW, release=NEW, **more)


def release(seconds_before: float, service: str = "", before: str = OLD) -> Change:
    return Change("ch-1", ONSET - seconds_before, ChangeKind.RELEASE, service, before, NEW, "ana", "rollback")


def config(seconds_before: float) -> Change:
    return Change("ch-2", ONSET - seconds_before, ChangeKind.CONFIG, "", "d1", "d2", "ana", "restore the old values")


def elsewhere(seconds_before: float, kind: ChangeKind = ChangeKind.RELEASE) -> Change:
    return Change("outside-1", ONSET - seconds_before, kind, "", "v41", "v42", "a deploy", "none of ours")


def died(at: float = ONSET, code: int | None = 1, service: str = "web") -> Exit:
    return Exit(at, service, "a", NEW, code, 30.0)


def alive(since: float = ONSET - 5000) -> ProcessFacts:
    return ProcessFacts("web", "a", NEW, True, since)


def probe(
    healthy: bool | None, service: str = "web", since: float | None = ONSET, timed_out: bool = True
) -> ProbeFacts:
    return ProbeFacts(service, "a", NEW, healthy, since, timed_out, "no answer within 400 ms")


def route(name: str, failed: int, after: int = 50, before_ms: float = 20.0, after_ms: float = 20.0) -> RequestFacts:
    return RequestFacts("web", name, 500, 1, after, failed, before_ms, after_ms)


def load(times: float, ms: float = 20.0) -> LoadFacts:
    return LoadFacts("web", 40.0 * times, 40.0, ms, 20.0)


LOOP = tuple(died(ONSET + 3 * n) for n in range(5))
ALL_SLOW = tuple(route(f"GET /{n}", 0, after_ms=900) for n in range(6))
ALL_FAIL = tuple(route(f"GET /{n}", 30) for n in range(6))
ONE_FAILS = (route("GET /cart", 40), *(route(f"GET /{n}", 0) for n in range(9)))
NOTHING_ANSWERED = tuple(route(f"GET /{n}", 3, after=3) for n in range(9))
ALL_ANSWERED = tuple(route(f"GET /{n}", 0, after=3) for n in range(9))
PAY_DOWN = (probe(False, "pay", ONSET - 1), probe(True))
HUNG = {"processes": (alive(),), "probes": (probe(False), probe(True, "pay"))}


@dataclass(frozen=True)
class Scenario:
    name: str
    leading: Cause
    facts: dict[str, Any] = field(default_factory=dict)
    subject: str | None = None


SCENARIOS = [
    Scenario("nothing known", Cause.UNKNOWN),
    Scenario(
        "one crash, long after the release",
        Cause.CRASH,
        {"symptoms": (symptom("crash"),), "exits": (died(),), "changes": (release(9000),)},
    ),
    Scenario("one crash, nothing changed", Cause.CRASH, {"symptoms": (symptom("crash"),), "exits": (died(code=-9),)}),
    Scenario("a crash that only the detector saw", Cause.CRASH, {"symptoms": (symptom("crash"),)}),
    Scenario(
        "one crash right after a release",
        Cause.RELEASE,
        {"symptoms": (symptom("crash"),), "exits": (died(),), "changes": (release(40),)},
        NEW,
    ),
    Scenario(
        "one crash five minutes after a release",
        Cause.RELEASE,
        {"symptoms": (symptom("crash"),), "exits": (died(code=-11),), "changes": (release(300),)},
        NEW,
    ),
    Scenario(
        "killed from outside just after a release",
        Cause.CRASH,
        {"symptoms": (symptom("crash"),), "exits": (died(code=-9),), "changes": (release(40),)},
    ),
    Scenario(
        "one crash after the very first release",
        Cause.CRASH,
        {"symptoms": (symptom("crash"),), "exits": (died(),), "changes": (release(40, before=""),)},
    ),
    Scenario(
        "crash loop from the release on",
        Cause.RELEASE,
        {"symptoms": (symptom("crash"),), "exits": LOOP, "changes": (release(5),)},
        NEW,
    ),
    Scenario(
        "crash loop, hours after any change",
        Cause.CRASH_LOOP,
        {"symptoms": (symptom("crash"),), "exits": LOOP, "changes": (release(50_000),)},
    ),
    Scenario("crash loop that only the detector saw", Cause.CRASH_LOOP, {"symptoms": (symptom("crash_loop"),)}),
    Scenario("hang", Cause.HANG, {"symptoms": (symptom("probe"),), **HUNG, "changes": (release(20_000),)}),
    Scenario("hang named by the detector", Cause.HANG, {"symptoms": (symptom("hang"),)}),
    Scenario(
        "hang right after a release",
        Cause.RELEASE,
        {"symptoms": (symptom("hang"),), **HUNG, "changes": (release(60),)},
        NEW,
    ),
    Scenario(
        "errors from a release on",
        Cause.RELEASE,
        {"symptoms": (symptom("errors"),), "requests": ALL_FAIL, "changes": (release(30),)},
        NEW,
    ),
    Scenario(
        "one route broken by a release",
        Cause.RELEASE,
        {"symptoms": (symptom("errors", route="GET /cart"),), "requests": ONE_FAILS, "changes": (release(200),)},
        NEW,
    ),
    Scenario(
        "a release that fails at once, so that its clients ask again and again",
        Cause.RELEASE,
        {
            "symptoms": (symptom("errors"),),
            "requests": ALL_FAIL,
            "loads": (load(1.8, 4),),
            "changes": (release(240),),
        },
        NEW,
    ),
    Scenario(
        "slow from a release on",
        Cause.RELEASE,
        {"symptoms": (symptom("latency"),), "loads": (load(1.0, 400),), "changes": (release(60),)},
        NEW,
    ),
    Scenario(
        "errors before the release",
        Cause.ERRORS,
        {"symptoms": (symptom("errors"),), "requests": ALL_FAIL, "changes": (release(-10),)},
    ),
    Scenario(
        "errors of one arm",
        Cause.RELEASE,
        {
            "symptoms": (symptom("errors"),),
            "contrasts": (Contrast("web", NEW, OLD, 60, 20, 600, 2),),
            "changes": (release(7200),),
        },
        NEW,
    ),
    Scenario(
        "errors of both arms alike",
        Cause.ERRORS,
        {
            "symptoms": (symptom("errors"),),
            "contrasts": (Contrast("web", NEW, OLD, 60, 20, 600, 200),),
            "requests": ALL_FAIL,
            "changes": (release(60),),
        },
    ),
    Scenario("errors, nothing near", Cause.ERRORS, {"symptoms": (symptom("errors"),), "requests": ALL_FAIL}),
    Scenario(
        "errors from a config change on",
        Cause.CONFIG,
        {"symptoms": (symptom("errors"),), "requests": ALL_FAIL, "changes": (config(20), release(9000))},
        "ch-2",
    ),
    Scenario(
        "errors from a deploy elsewhere on, which is no release of ours",
        Cause.CONFIG,
        {"symptoms": (symptom("errors"),), "requests": ALL_FAIL, "changes": (elsewhere(20), release(9000))},
        "outside-1",
    ),
    Scenario(
        "errors from our release on, and others tell of a deploy at the same time",
        Cause.RELEASE,
        {"symptoms": (symptom("errors"),), "requests": ALL_FAIL, "changes": (elsewhere(20), release(20))},
        NEW,
    ),
    Scenario(
        "errors, and a push that put nothing in place",
        Cause.ERRORS,
        {"symptoms": (symptom("errors"),), "requests": ALL_FAIL, "changes": (elsewhere(20, ChangeKind.COMMIT),)},
    ),
    Scenario(
        "others date their alarm back to an older release",
        Cause.ERRORS,
        {
            "symptoms": (symptom("errors"), symptom("alarm", ONSET - 9000, source="alertmanager")),
            "requests": ALL_FAIL,
            "changes": (release(9010),),
        },
    ),
    Scenario("slow, nothing near", Cause.SLOW, {"symptoms": (symptom("latency"),), "loads": (load(1.0, 400),)}),
    Scenario(
        "overload",
        Cause.OVERLOAD,
        {"symptoms": (symptom("latency"),), "loads": (load(4.0, 900),), "requests": ALL_SLOW},
    ),
    Scenario(
        "overload, saturated, just after a release",
        Cause.OVERLOAD,
        {
            "symptoms": (symptom("latency"),),
            "loads": (load(4.0, 900),),
            "requests": ALL_SLOW,
            "changes": (release(60),),
        },
    ),
    Scenario(
        "overload for so long that nobody remembers how fast its routes were",
        Cause.OVERLOAD,
        {
            "symptoms": (symptom("latency"),),
            "loads": (load(8.0, 900),),
            "requests": tuple(replace(one, before_ms=None) for one in ALL_SLOW),
        },
    ),
    Scenario(
        "overload that the probe feels too",
        Cause.OVERLOAD,
        {"symptoms": (symptom("probe"),), "loads": (load(4.0, 900),), "requests": ALL_SLOW, **HUNG},
    ),
    Scenario(
        "overload in its first second: the probe fails, and no route has many answers yet",
        Cause.OVERLOAD,
        {"symptoms": (symptom("hang"),), "loads": (load(3.0, 300),), **HUNG},
    ),
    Scenario(
        "overload that makes most requests fail",
        Cause.OVERLOAD,
        {"symptoms": (symptom("hang"), symptom("errors")), "loads": (load(1.8, 900),), "requests": ALL_FAIL, **HUNG},
    ),
    Scenario(
        "a hang under the usual traffic, of which nothing is answered",
        Cause.HANG,
        {"symptoms": (symptom("hang"),), "loads": (load(1.1),), "requests": NOTHING_ANSWERED, **HUNG},
    ),
    Scenario(
        "probes fail, but users are answered as usual on each of many routes",
        Cause.UNKNOWN,
        {"symptoms": (symptom("hang"),), "loads": (load(1.0),), "requests": ALL_ANSWERED, **HUNG},
    ),
    Scenario(
        "more traffic, but only one route is hit",
        Cause.ERRORS,
        {"symptoms": (symptom("errors"),), "loads": (load(3.0),), "requests": ONE_FAILS},
    ),
    Scenario(
        "upstream down",
        Cause.UPSTREAM,
        {"symptoms": (symptom("errors"),), "probes": PAY_DOWN, "requests": ONE_FAILS},
        "pay",
    ),
    Scenario(
        "upstream down just after an innocent release",
        Cause.UPSTREAM,
        {"symptoms": (symptom("errors"),), "probes": PAY_DOWN, "requests": ONE_FAILS, "changes": (release(30),)},
        "pay",
    ),
    Scenario(
        "upstream down makes us hang",
        Cause.UPSTREAM,
        {
            "symptoms": (symptom("probe"),),
            "probes": (probe(False, "pay", ONSET - 1), probe(False)),
            "processes": (alive(),),
        },
        "pay",
    ),
    Scenario(
        "upstream's process died first",
        Cause.UPSTREAM,
        {
            "symptoms": (symptom("errors"),),
            "processes": (ProcessFacts("pay", "a", OLD, False), alive()),
            "exits": (died(ONSET - 1, service="pay"),),
            "requests": ONE_FAILS,
        },
        "pay",
    ),
    Scenario(
        "upstream fails only because of us",
        Cause.RELEASE,
        {
            "symptoms": (symptom("errors"),),
            "probes": (probe(False, "pay", ONSET + 15), probe(True)),
            "requests": ALL_FAIL,
            "changes": (release(30),),
        },
        NEW,
    ),
    Scenario(
        "a service that we do not need is down",
        Cause.ERRORS,
        {"symptoms": (symptom("errors"),), "probes": (probe(False, "db", ONSET - 1),), "requests": ALL_FAIL},
    ),
    Scenario(
        "the upstream itself",
        Cause.UPSTREAM,
        {"service": "pay", "symptoms": (replace(symptom("crash"), service="pay"),), "exits": LOOP},
        "pay",
    ),
]


def case(facts: dict[str, Any]) -> Case:
    return Case(**{"service": "web", "now": NOW, "since": NOW - 600, "symptoms": (), "services": SERVICES, **facts})


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_scenario(scenario: Scenario) -> None:
    found = diagnose(case(scenario.facts))
    assert found.leading.cause is scenario.leading, [(h.cause.value, h.weight) for h in found.hypotheses]
    if scenario.subject is not None:
        assert found.leading.subject == scenario.subject


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_every_hypothesis_cites_evidence_of_the_case(scenario: Scenario) -> None:
    whole = case(scenario.facts)
    known = {one.id for one in evidence_of(whole)}
    for one in diagnose(whole).hypotheses:
        assert set(one.supports) | set(one.contradicts) <= known
        assert not set(one.supports) & set(one.contradicts)
        assert one.supports or one.cause is Cause.UNKNOWN


@settings(deadline=None)
@given(st.sampled_from(SCENARIOS), st.integers(0, 2**32))
def test_order_and_repetition_of_facts_change_nothing(scenario: Scenario, seed: int) -> None:
    whole = case(scenario.facts)
    chance = random.Random(seed)
    shuffled = {}
    for name in ("symptoms", "services", "changes", "exits", "processes", "probes", "requests", "loads", "contrasts"):
        facts = [*getattr(whole, name)]
        facts += chance.sample(facts, chance.randint(0, len(facts)))
        chance.shuffle(facts)
        shuffled[name] = tuple(facts)
    other = replace(whole, **shuffled)
    assert diagnose(other) == diagnose(whole)
    assert evidence_of(other) == evidence_of(whole)


def test_says_what_it_does_not_know() -> None:
    said = " | ".join(diagnose(case({"symptoms": (symptom("errors"),)})).unknown)
    for part in (
        "no request of web",
        "no probe of it",
        "no usual rate",
        "whether pay is well",
        "change ledger is empty",
    ):
        assert part in said
    known = case(
        {
            "symptoms": (symptom("crash"),),
            "requests": ALL_FAIL,
            "probes": (probe(True), probe(True, "pay")),
            "loads": (load(1.0),),
            "changes": (release(60),),
        }
    )
    assert diagnose(known).unknown == ()


def test_a_service_is_not_its_own_upstream() -> None:
    circle = (
        Service("web", ServiceKind.WEB, "x", needs=("pay",)),
        Service("pay", ServiceKind.WEB, "x", needs=("web",)),
    )
    found = diagnose(case({"services": circle, "symptoms": (symptom("probe"),), "probes": (probe(False),)}))
    assert Cause.UPSTREAM not in {one.cause for one in found.hypotheses}


def test_evidence_says_what_happened_in_plain_words() -> None:
    whole = case(
        {
            "exits": (died(code=-9),),
            "requests": (route("GET /cart", 40),),
            "changes": (release(60),),
            "loads": (load(4.0),),
        }
    )
    texts = [one.text for one in evidence_of(whole)]
    assert f"web-a ({NEW}) ended at 03:46:20 after 30.0 s: SIGKILL" in texts
    assert "web GET /cart: 40 of 50 requests failed since 03:46:40, 1 of 500 before" in texts
    assert f"release change at 03:45:20 by ana: {OLD} → {NEW}" in texts
