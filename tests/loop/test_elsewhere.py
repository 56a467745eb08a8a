"""A release that changed other services only weighs less for the one that is not well, and never nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from prodwise.loop.diagnose import Case, Contrast, diagnose
from prodwise.loop.diagnose import weights as w
from prodwise.loop.diagnose.case import TouchFacts
from prodwise.loop.diagnose.evidence import evidence_of
from prodwise.model.change import ChangeKind
from prodwise.model.diagnosis import Cause, Hypothesis
from prodwise.model.service import Service, ServiceKind
from tests.loop.test_diagnose import ALL_FAIL, NEW, NOW, OLD, died, release, symptom

SERVICES = (
    Service("web", ServiceKind.WEB, "x", needs=("api",)),
    Service("api", ServiceKind.WEB, "x"),
    Service("worker", ServiceKind.WORKER, "x"),
)
WORKER = TouchFacts(NEW, OLD, NOW - 100, ("worker",), ("worker", "jobs"))


def failing(*touched: TouchFacts, **more: Any) -> Case:
    facts = {"symptoms": (symptom("errors"),), "requests": ALL_FAIL, "changes": (release(60),), "touched": touched}
    return Case(**{"service": "web", "now": NOW, "since": NOW - 600, "services": SERVICES, **facts, **more})


def blamed(*touched: TouchFacts, **more: Any) -> Hypothesis:
    return next(one for one in diagnose(failing(*touched, **more)).hypotheses if one.cause is Cause.RELEASE)


def test_it_weighs_less_and_says_why() -> None:
    before, after = blamed(), blamed(WORKER)
    assert after.weight == before.weight + w.CHANGED_ELSEWHERE
    (cited,) = [one for one in evidence_of(failing(WORKER)) if one.kind == "touched"]
    assert cited.text == f"release {NEW} changed only worker, jobs, and nothing of web or what it needs"
    assert after.contradicts == (cited.id,)
    assert (before.text + ", though that changed nothing of web") == after.text


def test_a_process_that_ends_runs_what_it_ran_before_the_release() -> None:
    ended = {"symptoms": (symptom("crash"),), "requests": (), "exits": (died(code=-11),)}
    assert blamed(**ended).weight == blamed().weight + w.NEW_RELEASE_DIES
    assert blamed(WORKER, **ended).weight == blamed(WORKER).weight
    assert diagnose(failing(WORKER, **ended)).leading.cause is Cause.CRASH


def test_it_is_never_out_of_the_question() -> None:
    beside = Contrast("web", NEW, OLD, 100, 60, 900, 3)
    assert diagnose(failing(WORKER, contrasts=(beside,))).leading.cause is Cause.RELEASE
    assert blamed(WORKER).share > 0.05


@pytest.mark.parametrize("services", [("web",), ("api",), ("api", "worker")])
def test_what_the_service_needs_counts_as_its_own(services: tuple[str, ...]) -> None:
    assert blamed(replace(WORKER, services=services)) == blamed()


def test_only_the_release_that_is_in_question_is_meant() -> None:
    assert blamed(replace(WORKER, previous="0-other")).weight == blamed().weight
    assert blamed(WORKER, service="", symptoms=(replace(symptom("errors"), service=""),), requests=()).weight > -6


def test_going_back_changes_the_same_services() -> None:
    back = replace(release(60), kind=ChangeKind.MANUAL, before=NEW, after=OLD)
    plain, less = blamed(changes=(back,)), blamed(WORKER, changes=(back,))
    assert less.weight == plain.weight + w.CHANGED_ELSEWHERE


def test_a_release_on_its_way_is_known_by_the_one_beside_it() -> None:
    beside = Contrast("web", NEW, OLD, 100, 60, 900, 3)
    plain, less = (blamed(*one, changes=(), contrasts=(beside,)) for one in ((), (WORKER,)))
    assert less.weight == plain.weight + w.CHANGED_ELSEWHERE
