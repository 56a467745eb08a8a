"""Own, of others, or too much: from facts to what is done about it. What is not ours is told, and never restarted or rolled back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from prodwise.loop.choose import choose
from prodwise.loop.diagnose.case import Case, Exit, LoadFacts, ProbeFacts, ProcessFacts, RequestFacts
from prodwise.loop.diagnose.diagnose import diagnose
from prodwise.model.change import Change, ChangeKind
from prodwise.model.diagnosis import Cause
from prodwise.model.incident import Symptom
from prodwise.model.plan import Plan, Refusal
from prodwise.model.service import Probe, ProbeKind, Service, ServiceKind
from tests.loop.test_choose import BACK, NEW, NOW, OLD, situation

ONSET = NOW - 20
INVENTORY = (
    Service("web", ServiceKind.WEB, "x", needs=("db", "pay")),
    Service("mail", ServiceKind.WORKER, "x", needs=("db",)),
    Service("db", ServiceKind.WEB, "x", Probe(ProbeKind.TCP), upstream=True),
    Service("pay", ServiceKind.WEB, "x", Probe(ProbeKind.HTTP, "/health"), upstream=True),
)
REFUSED = ProbeFacts("db", "a", NEW, False, ONSET - 0.5, False, "connection refused")
NAME_UNKNOWN = ProbeFacts("pay", "a", NEW, False, ONSET - 1, False, "Name or service not known")
ANSWERS = ProbeFacts("db", "a", NEW, True)
PAY_ANSWERS = ProbeFacts("pay", "a", NEW, True)
FAIL = tuple(RequestFacts("web", f"GET /{n}", 500, 1, 50, 45, 20.0, 20.0) for n in range(6))
PAYING = (RequestFacts("web", "POST /pay", 90, 0, 30, 29, 20.0, 20.0), *(replace(one, after_failed=0) for one in FAIL))
SLOW = tuple(replace(one, after_failed=2, after_ms=2500.0) for one in FAIL)
SHIPPED = Change("ch-1", ONSET - 30, ChangeKind.RELEASE, "", OLD, NEW, "ana", "rollback")
KEEPS_ENDING = tuple(Exit(ONSET + 3 * n, "web", "a", NEW, 1, 2.0) for n in range(5))


@dataclass(frozen=True)
class Row:
    """says: parts of what a person is told."""

    name: str
    cause: Cause
    subject: str
    says: tuple[str, ...]
    facts: dict[str, Any]
    service: str = "web"
    kind: str = "errors"


ROWS = (
    Row("a database refuses connections", Cause.UPSTREAM, "db", ("db, which web needs", "wait for it"),
        {"probes": (REFUSED, PAY_ANSWERS), "requests": FAIL}),
    Row("it does so just after an innocent release", Cause.UPSTREAM, "db", ("outside our control",),
        {"probes": (REFUSED, PAY_ANSWERS), "requests": FAIL, "changes": (SHIPPED,)}),
    Row("our process ends over and over for want of it", Cause.UPSTREAM, "db", ("well again once db is",),
        {"probes": (REFUSED, PAY_ANSWERS), "requests": FAIL, "exits": KEEPS_ENDING}, kind="crash_loop"),
    Row("the worker fails for the same database", Cause.UPSTREAM, "db", ("db, which mail needs",),
        {"probes": (REFUSED, PAY_ANSWERS)}, service="mail"),
    Row("the name of a payment API is not found", Cause.UPSTREAM, "pay", ("switch off what needs it",),
        {"probes": (NAME_UNKNOWN, ANSWERS), "requests": PAYING}),
    Row("more requests than it can take", Cause.OVERLOAD, "web", ("can neither shed requests nor add processes",),
        {"probes": (ANSWERS, PAY_ANSWERS), "requests": SLOW, "loads": (LoadFacts("web", 160.0, 40.0, 2500.0, 20.0),)}, kind="latency"),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_person_is_told_and_nothing_is_done(row: Row) -> None:
    symptoms = (Symptom(row.kind, row.service, f"{row.kind} of {row.service}", ONSET, NOW, release=NEW, severity=0.9),)
    runs = (ProcessFacts(row.service, "a", NEW, True, ONSET - 5000),)
    found = diagnose(
        Case(**{"service": row.service, "now": NOW, "since": NOW - 600, "symptoms": symptoms, "services": INVENTORY,
                "processes": runs, **row.facts})
    )  # fmt: skip
    assert (found.leading.cause, found.leading.subject) == (row.cause, row.subject), found.hypotheses
    seen = situation(service=row.service, diagnosis=found, symptoms=symptoms, inventory=INVENTORY, way_back=BACK)
    choice = choose(seen)
    assert isinstance(choice, Refusal), choice
    told = "; ".join(choice.reasons)
    for part in row.says:
        assert part in told
    assert {one.action for one in choice.skipped} == {"restart", "rollback"}


def test_what_is_ours_is_healed_although_something_else_is_needed() -> None:
    """The database answers, and the release before did: that is ours."""
    symptoms = (Symptom("errors", "web", "errors of web", ONSET, NOW, release=NEW, severity=0.9),)
    found = diagnose(
        Case("web", NOW, NOW - 600, symptoms, INVENTORY, (SHIPPED,), probes=(ANSWERS, PAY_ANSWERS), requests=FAIL)
    )
    choice = choose(situation(diagnosis=found, symptoms=symptoms, inventory=INVENTORY))
    assert isinstance(choice, Plan)
    assert choice.action.param("to") == OLD


def test_a_needed_service_of_ours_has_an_incident_of_its_own() -> None:
    inventory = tuple(replace(one, upstream=False) for one in INVENTORY)
    symptoms = (Symptom("errors", "web", "errors of web", ONSET, NOW),)
    found = diagnose(Case("web", NOW, NOW - 600, symptoms, inventory, probes=(REFUSED, PAY_ANSWERS), requests=FAIL))
    choice = choose(situation(diagnosis=found, symptoms=symptoms, inventory=inventory))
    assert isinstance(choice, Refusal)
    assert "db has an incident of its own" in "; ".join(choice.reasons)
