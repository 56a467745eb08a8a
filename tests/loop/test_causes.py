"""Causes that lie in what runs out, in one input, in a certificate, in a clock, or nowhere: a table, and what must always hold."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.incidents.draw import draw
from prodwise.loop.diagnose import Case, Exit, RequestFacts, diagnose
from prodwise.loop.diagnose import weights as w
from prodwise.loop.diagnose.case import GroupFacts
from prodwise.loop.diagnose.sorts import Sort, names, sort_of
from prodwise.loop.diagnose.used_up import ClockSet, InputFacts, MachineUse, ProcessUse, Sample, use_of
from prodwise.model.certificate import Credential, Kind
from prodwise.model.diagnosis import Cause
from prodwise.model.incident import Symptom
from tests.loop.test_diagnose import (
    ALL_ANSWERED,
    ALL_FAIL,
    NEW,
    NOW,
    ONE_FAILS,
    ONSET,
    case,
    config,
    died,
    load,
    probe,
    release,
    route,
    symptom,
)

MIB = 2**20
ERRORS = (symptom("errors"),)
WELL = tuple(replace(one, after=40) for one in ALL_ANSWERED)
ALARM = (Symptom("alarm", "web", "an alarm", ONSET, NOW, source="alertmanager"),)


def machine(**more: Any) -> MachineUse:
    usual = {"disk_free_bytes": 9000 * MIB, "disk_bytes": 90_000 * MIB, "memory_free_share": 0.4, "kernel_kills": 0}
    return MachineUse(NOW, **{**usual, "kills_s": 600.0, **more})


def use(**more: Any) -> ProcessUse:
    usual = {"rss_bytes": 300 * MIB, "grown_bytes": 0, "grows": False, "limit_bytes": None, "files_share": 0.1}
    return ProcessUse("web", "a", NEW, NOW - 7200, NOW, **{**usual, **more})


def group(title: str, first: float = ONSET, service: str = "web") -> GroupFacts:
    return GroupFacts(service, "reports:web", title, title, "shop/pay.py:charge", first, NOW, 40, 9)


POISON = InputFacts("web", "GET /product/:id", "/product/41", 12, 12, 200, 0, 30)
OVER = Credential(Kind.CERTIFICATE, "db:443", (), NOW, NOW - 9e5, ONSET - 5, 10, "certificate has expired")
LEAK = use(rss_bytes=900 * MIB, grown_bytes=600 * MIB, grows=True)


@dataclass(frozen=True)
class Scenario:
    name: str
    leading: Cause
    facts: dict[str, Any] = field(default_factory=dict)
    subject: str | None = None


SCENARIOS = [
    Scenario("the kernel killed it", Cause.MEMORY,
             {"symptoms": (symptom("crash"),), "exits": (died(code=-9),), "machine": (machine(kernel_kills=1),)}),
    Scenario("somebody killed it, and the kernel says that it did not", Cause.CRASH,
             {"symptoms": (symptom("crash"),), "exits": (died(code=-9),), "machine": (machine(),), "uses": (use(),)}),
    Scenario("killed while it grew, and the kernel is not heard", Cause.MEMORY,
             {"symptoms": (symptom("crash"),), "exits": (died(code=137),), "uses": (LEAK,), "machine": (machine(kernel_kills=None),)}),
    Scenario("a release that eats its memory at once", Cause.RELEASE,
             {"symptoms": (symptom("crash"),), "exits": (died(code=-9),), "machine": (machine(kernel_kills=1),),
              "changes": (release(40),)}, NEW),
    Scenario("a slow leak, days after its release", Cause.MEMORY,
             {"symptoms": (symptom("latency"),), "loads": (load(1.0, 300),), "uses": (replace(LEAK, limit_bytes=950 * MIB),),
              "changes": (release(3 * 86_400),)}, NEW),
    Scenario("a full disk, just after an innocent deploy", Cause.DISK,
             {"symptoms": ERRORS, "requests": ALL_FAIL, "machine": (machine(disk_free_bytes=MIB),), "changes": (release(30),)}),
    Scenario("no inodes", Cause.DISK, {"symptoms": ERRORS, "requests": ALL_FAIL, "machine": (machine(inodes_free_share=0.001),)}),
    Scenario("programs report a full disk that is not", Cause.ERRORS,
             {"symptoms": ERRORS, "requests": ALL_FAIL, "machine": (machine(),), "groups": (group("No space left on device"),)}),
    Scenario("programs report a full disk, and nobody can look", Cause.DISK,
             {"symptoms": ERRORS, "requests": ALL_FAIL, "groups": (group("OSError: No space left on device"),)}),
    Scenario("no files left", Cause.DESCRIPTORS, {"symptoms": ERRORS, "requests": ALL_FAIL, "uses": (use(files_share=0.97),)}, NEW),
    Scenario("an expired certificate", Cause.CERTIFICATE,
             {"symptoms": ERRORS, "requests": ONE_FAILS, "groups": (group("certificate verify failed: certificate has expired"),)}),
    Scenario("an expired certificate that was reported all along", Cause.ERRORS,
             {"symptoms": ERRORS, "requests": ONE_FAILS, "groups": (group("certificate has expired", ONSET - 9000),)}),
    Scenario("one input", Cause.INPUT, {"symptoms": ERRORS, "requests": ONE_FAILS, "inputs": (POISON,)}, "GET /product/:id"),
    Scenario("one input, just after an innocent deploy", Cause.INPUT,
             {"symptoms": ERRORS, "requests": ONE_FAILS, "inputs": (POISON,), "changes": (release(30),)}),
    Scenario("all inputs of a route", Cause.RELEASE,
             {"symptoms": ERRORS, "requests": ONE_FAILS, "inputs": (replace(POISON, others_failed=150),),
              "changes": (release(30),)}, NEW),
    Scenario("the clock was set", Cause.CLOCK, {"symptoms": ERRORS, "requests": ONE_FAILS, "clock": (ClockSet(ONSET - 20, -3600.0),)}),
    Scenario("the clock was set hours ago", Cause.ERRORS,
             {"symptoms": ERRORS, "requests": ONE_FAILS, "clock": (ClockSet(ONSET - 20_000, -3600.0),)}),
    Scenario("what it needs is reported away", Cause.UPSTREAM,
             {"symptoms": ERRORS, "requests": ONE_FAILS, "groups": (group("connection refused (pay:8443)"),)}, "pay"),
    Scenario("what it needs is reported away, and answers us", Cause.ERRORS,
             {"symptoms": ERRORS, "requests": ONE_FAILS, "groups": (group("connection refused (pay:8443)"),),
              "probes": (probe(True, "pay"), probe(True))}),
    Scenario("something that it calls is reported away", Cause.UPSTREAM,
             {"symptoms": ERRORS, "requests": ONE_FAILS, "groups": (group("ReadTimeout: read timed out"),)}, ""),
    Scenario("reports of an outage never outrank a release that our eyes blame", Cause.RELEASE,
             {"symptoms": ERRORS, "requests": ONE_FAILS, "groups": (group("ReadTimeout"),), "changes": (release(30),)}, NEW),
    Scenario("others say so, and all is well", Cause.NOTHING, {"symptoms": ALARM, "requests": WELL, "probes": (probe(True),)}),
    Scenario("others say so just after a deploy, all are served, and the probe is not known", Cause.NOTHING,
             {"symptoms": ALARM, "requests": WELL, "changes": (release(45),)}),
    Scenario("others say so, a few are served, and the probe is not known", Cause.UNKNOWN,
             {"symptoms": ALARM, "requests": ALL_ANSWERED[:1]}),
    Scenario("others say so, all is well, and there was a deploy long ago", Cause.NOTHING,
             {"symptoms": ALARM, "requests": WELL, "probes": (probe(True),), "changes": (release(90_000),)}),
    Scenario("others say so, and nobody looks", Cause.UNKNOWN, {"symptoms": ALARM}),
]  # fmt: skip


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_scenario(scenario: Scenario) -> None:
    found = diagnose(case(scenario.facts))
    assert found.leading.cause is scenario.leading, [(h.cause.value, h.weight) for h in found.hypotheses]
    if scenario.subject is not None:
        assert found.leading.subject == scenario.subject


@given(
    st.lists(
        st.sampled_from(("connection refused", "MemoryError", "No space left", "EMFILE", "token expired", "KeyError")),
        max_size=6,
    )
)
@settings(deadline=None)
def test_what_programs_report_raises_no_cause_that_is_acted_on(titles: list[str]) -> None:
    """They may name a cause that needs a person; they move the weight of no other, and stay below what our own eyes blame."""
    facts = {
        "symptoms": ERRORS,
        "requests": ALL_FAIL,
        "changes": (release(60), config(4000)),
        "uses": (use(),),
        "exits": (died(),),
    }
    silent = {one.cause: one.weight for one in diagnose(case(facts)).hypotheses}
    heard = diagnose(case({**facts, "groups": tuple(group(one) for one in titles)})).hypotheses
    for one in heard:
        if one.hearsay:
            assert one.weight <= w.HEARSAY_MAX
        elif one.cause in silent:
            assert one.weight == silent[one.cause]
    assert heard[0].cause is Cause.RELEASE


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 5000), st.randoms())
def test_order_repetition_and_another_services_facts_change_nothing(seed: int, chance: Any) -> None:
    drawn = draw(seed).case
    mixed: dict[str, Any] = {}
    for name in (
        "symptoms",
        "changes",
        "exits",
        "probes",
        "requests",
        "loads",
        "groups",
        "uses",
        "machine",
        "clock",
        "inputs",
        "packages",
        "credentials",
        "touched",
    ):
        facts = [*getattr(drawn, name)]
        facts += facts[: chance.randint(0, len(facts))]
        chance.shuffle(facts)
        mixed[name] = tuple(facts)
    foreign = replace(
        replace(drawn, **mixed),
        exits=(*mixed["exits"], Exit(NOW - 20, "db", "a", NEW, 1)),
        requests=(*mixed["requests"], RequestFacts("db", "GET /", 500, 0, 90, 90)),
        uses=(*mixed["uses"], replace(LEAK, service="db", files_share=1.0)),
        inputs=(*mixed["inputs"], replace(POISON, service="db")),
        groups=(*mixed["groups"], group("certificate has expired", service="db")),
        credentials=(*mixed["credentials"], replace(OVER, services=("db",))),
    )
    assert diagnose(foreign) == diagnose(drawn)


def test_says_what_it_does_not_know_of_the_machine() -> None:
    young = replace(use(grows=None), since=NOW - 60)
    facts = {
        "exits": (died(code=-9),),
        "machine": (machine(disk_free_bytes=None, kernel_kills=None),),
        "uses": (young,),
    }
    said = " | ".join(diagnose(case({"symptoms": (symptom("crash"),), **facts})).unknown)
    for part in ("whether the disk is full", "whether the kernel killed it", "watched for less than ten minutes"):
        assert part in said


def grown(*sizes: int, every_s: float = 60.0) -> ProcessUse:
    samples = [Sample(1000 + every_s * at, size * MIB) for at, size in enumerate(sizes)]
    found = use_of("web", "a", NEW, 0.0, samples)
    assert found is not None
    return found


def test_growth_is_steady_wide_and_long_or_it_is_none() -> None:
    assert grown(*range(100, 240, 10)).grows is True
    assert grown(*range(100, 240, 10), every_s=10.0).grows is None, "not watched for long"
    assert grown(*range(1000, 1140, 10)).grows is False, "little of what it has"
    assert grown(*([100, 300] * 8)).grows is False, "a cache that fills and is emptied"
    assert grown(*([100] * 20)).grows is False
    assert use_of("web", "a", NEW, 0.0, []) is None


def test_what_errors_say_is_sorted_by_their_words() -> None:
    said = {
        "OSError: [Errno 28] No space left on device": Sort.DISK,
        "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory": Sort.MEMORY,
        "Error: EMFILE: too many open files, open '/srv/a'": Sort.DESCRIPTORS,
        "requests.exceptions.ConnectionError: Max retries exceeded": Sort.UNREACHABLE,
        "psycopg.OperationalError: could not connect to server": Sort.UNREACHABLE,
        "jwt.exceptions.ExpiredSignatureError: Signature has expired": Sort.CERTIFICATE,
        "KeyError: 'memory'": Sort.OTHER,
        "x" * 500 + "No space left on device": Sort.OTHER,
    }
    assert {title: sort_of(title) for title in said} == said
    assert names("connection refused (pay:8443)", "pay")
    assert not names("cannot repay", "pay")


def test_a_case_of_one_route_that_is_hit_is_told_with_the_input() -> None:
    whole: Case = case({"symptoms": ERRORS, "requests": (route("GET /product/:id", 12),), "inputs": (POISON,)})
    leading = diagnose(whole).leading
    assert "/product/41" in leading.text
    assert leading.share is not None
    assert leading.share > 0.5
