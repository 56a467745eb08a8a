"""The gates before and after an action: passing needs evidence, unknown holds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodwise.loop.choose import ASK, Past, PastResult, revision
from prodwise.loop.verify import Before, Look, better, gates_before
from prodwise.model.action import Action, ActionKind, Footprint
from prodwise.model.autonomy import Autonomy
from prodwise.model.diagnosis import Cause
from prodwise.model.gate import Verdict, worst
from prodwise.model.plan import Plan
from prodwise.model.service import Service, ServiceKind, SlotName
from prodwise.model.signal import ProcessSeen, ProcessState
from prodwise.model.target import ServiceSeen, Switch, TargetSeen

NOW = 50_000.0
INVENTORY = (Service("web", ServiceKind.WEB, "x", needs=("pay",)), Service("pay", ServiceKind.WEB, "x"))


def target(pid: int = 7, **more: Any) -> TargetSeen:
    process = ProcessSeen(NOW, "web", "a", "2-b", ProcessState.RUNNING, pid)
    seen = ServiceSeen("web", Switch(SlotName.A), (process,))
    return TargetSeen(**{"at": NOW, "services": (seen,), "stopped": False, "holder": "h", "token": 1, **more})


def plan(kind: ActionKind = ActionKind.RESTART, **more: Any) -> Plan:
    restart = kind is ActionKind.RESTART
    fields: dict[str, Any] = {
        "kind": kind,
        "service": "web",
        "targets": ("web-a",) if restart else ("pay", "web"),
        "params": (),
        "footprint": Footprint(False, False, 0, 1.0, 1, 0),
        "undo": "" if restart else "switch back",
    }
    action = Action(**{**fields, **more})
    return Plan(action, (), revision(kind, "web", target()), ("ev-1",), (), "p", "why", 60.0)


def before(**more: Any) -> Before:
    return Before(**{"seen": target(), "inventory": INVENTORY, "past": (), "undo_proven": True, **more})


RUNNING = Past(NOW - 5, ActionKind.ROLLBACK, "pay", "2-b", Cause.RELEASE, PastResult.RUNNING, "inc-9")
SPENT = tuple(
    Past(NOW - 60 * n, ActionKind.RESTART, "web", "2-b", Cause.HANG, PastResult.HELPED, "i") for n in range(4)
)


def test_a_fresh_plan_passes_every_gate() -> None:
    for kind in (ActionKind.RESTART, ActionKind.ROLLBACK):
        results = gates_before(plan(kind), before(), NOW + 1)
        assert worst(results) is Verdict.PASS, results
        assert all(one.reason for one in results)


@pytest.mark.parametrize(
    ("made", "facts", "gate", "verdict"),
    [
        (plan(), {"seen": target(pid=8)}, "revision", Verdict.FAIL),
        (plan(), {"seen": target(stopped=True)}, "not stopped", Verdict.FAIL),
        (plan(), {"frozen": "release day"}, "not frozen", Verdict.FAIL),
        (plan(), {"seen": target(at=NOW - 60)}, "fresh look", Verdict.HOLD),
        (plan(targets=()), {}, "inventory", Verdict.FAIL),
        (plan(targets=("web-a", "web-b")), {}, "inventory", Verdict.FAIL),
        (plan(targets=("web-c",)), {}, "inventory", Verdict.FAIL),
        (plan(targets=("*",)), {}, "inventory", Verdict.FAIL),
        (plan(ActionKind.ROLLBACK), {"undo_proven": False}, "undo", Verdict.FAIL),
        (plan(ActionKind.ROLLBACK, undo=""), {"approved": True}, "undo", Verdict.FAIL),
        (plan(params=((ASK, "third time"),)), {}, "approval", Verdict.FAIL),
        (plan(), {"past": SPENT}, "budget", Verdict.FAIL),
        (plan(), {"past": (RUNNING,)}, "in flight", Verdict.FAIL),
    ],
)
def test_one_thing_wrong_is_named_by_its_gate(made: Plan, facts: dict[str, Any], gate: str, verdict: Verdict) -> None:
    failed = {
        one.gate: one.verdict for one in gates_before(made, before(**facts), NOW) if one.verdict is not Verdict.PASS
    }
    assert failed == {gate: verdict}


def test_a_person_may_allow_what_is_beyond_the_budget() -> None:
    made = plan(params=((ASK, "budget"),))
    assert worst(gates_before(made, before(past=SPENT, approved=True), NOW)) is Verdict.PASS


WELL = Look(
    NOW,
    probed=True,
    probe=True,
    running=True,
    requests=100,
    failed=0,
    usual_failed=0.01,
    p95_ms=30.0,
    usual_p95_ms=25.0,
)
SICK = Look(NOW - 20, probed=True, probe=False, running=True, requests=100, failed=60, usual_failed=0.01)


def verdict(
    after: Look, *symptoms: str, acted_s_ago: float = 15.0, settle_s: float = 5.0, old_s: float = 0.0
) -> Verdict:
    return better(
        SICK, after, NOW + old_s, acted_at=NOW - acted_s_ago, settle_s=settle_s, symptoms=frozenset(symptoms)
    ).verdict


@pytest.mark.parametrize(
    ("after", "symptoms", "expected"),
    [
        (WELL, ("errors", "latency", "probe"), Verdict.PASS),
        (replace(WELL, probe=False), ("hang",), Verdict.FAIL),
        (replace(WELL, probe=None), ("hang",), Verdict.HOLD),
        (replace(WELL, probed=False, probe=None), ("crash",), Verdict.PASS),
        (replace(WELL, running=False), ("crash",), Verdict.FAIL),
        (replace(WELL, running=None), ("crash",), Verdict.HOLD),
        (replace(WELL, exits=1), ("crash",), Verdict.FAIL),
        (replace(WELL, requests=0), ("hang",), Verdict.PASS),
        (replace(WELL, requests=0), ("errors",), Verdict.HOLD),
        (replace(WELL, failed=50), ("errors",), Verdict.FAIL),
        (replace(WELL, failed=20), ("hang",), Verdict.HOLD),
        (replace(WELL, failed=3), ("errors",), Verdict.PASS),
        (replace(WELL, p95_ms=500.0), ("latency",), Verdict.FAIL),
        (replace(WELL, p95_ms=None), ("latency",), Verdict.HOLD),
        (replace(WELL, p95_ms=500.0), ("hang",), Verdict.PASS),
    ],
)
def test_better(after: Look, symptoms: tuple[str, ...], expected: Verdict) -> None:
    assert verdict(after, *symptoms) is expected


def test_while_it_settles_a_failure_only_holds_and_an_old_look_says_nothing() -> None:
    assert verdict(replace(WELL, probe=False), "hang", acted_s_ago=2.0) is Verdict.HOLD
    assert verdict(WELL, "hang", old_s=60.0) is Verdict.HOLD
    assert verdict(WELL, "hang", acted_s_ago=-1.0) is Verdict.HOLD


maybe = st.none() | st.booleans()


@given(
    st.builds(
        Look,
        at=st.just(NOW),
        probed=st.booleans(),
        probe=maybe,
        running=maybe,
        exits=st.integers(0, 2),
        requests=st.integers(0, 200),
        failed=st.integers(0, 50),
        usual_failed=st.none() | st.floats(0, 1),
        p95_ms=st.none() | st.floats(0, 1000),
        usual_p95_ms=st.none() | st.floats(0, 1000),
    ),
    st.sets(st.sampled_from(["crash", "hang", "errors", "latency", "probe", "traffic_loss"])),
)
def test_passing_needs_evidence_for_each_symptom(after: Look, symptoms: set[str]) -> None:
    result = better(SICK, after, NOW, acted_at=NOW - 15, settle_s=5.0, symptoms=frozenset(symptoms))
    if result.verdict is Verdict.PASS:
        assert after.running is True
        assert after.probe is True or not after.probed
        assert after.exits == 0
        if symptoms & {"errors", "latency", "traffic_loss"}:
            assert after.requests >= 10
        if "latency" in symptoms:
            assert after.p95_ms is not None
    assert result.reason


def test_a_stage_that_was_lowered_since_the_choice_counts() -> None:
    """A yes that was used up is needed wherever the stage asks; observe lets nothing pass, whoever said yes."""
    for stage, approved, verdict in (
        (Autonomy.AUTO, False, Verdict.PASS),
        (Autonomy.SUGGEST, False, Verdict.FAIL),
        (Autonomy.SUGGEST, True, Verdict.PASS),
        (Autonomy.OBSERVE, True, Verdict.FAIL),
    ):
        found = {g.gate: g for g in gates_before(plan(), before(stage=stage, approved=approved), NOW)}
        assert found["approval"].verdict is verdict, (stage, approved)
