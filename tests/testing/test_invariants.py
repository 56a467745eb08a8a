"""Each invariant holds over an honest run, and names what broke it over a dishonest one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from prodwise.model.record import Effect, EffectState, Entry
from prodwise.model.release import ReleaseState
from prodwise.testing.invariants import INVARIANTS, Run, breaches

INC = "inc-web-1"


def effect(key: str, kind: str = "restart", token: int = 3, **more: Any) -> Effect:
    command = {"op": kind, "service": "web", "slot": "a", "actor": "prodwise", **more.pop("command", {})}
    undo = more.pop("undo", None)
    return Effect(key, INC, "web", kind, command, undo, token, 100.0, EffectState.DONE, 101.0, **more)


def entry(seq: int, kind: str, actor: str = "prodwise", incident: str = INC, **data: Any) -> Entry:
    return Entry(seq, 100.0 + seq, kind, actor, "web", incident, "", data)


def step(seq: int, key: str, state: str, token: int = 3, incident: str = INC) -> Entry:
    return entry(seq, "effect", incident=incident, key=key, state=state, token=token)


def incident(**more: Any) -> dict[str, Any]:
    remedies = [{"kind": "restart", "by": "prodwise", "at": 1.0, "result": "helped", "reason": ""}]
    return {
        "id": INC,
        "service": "web",
        "opened_at": 100.0,
        "closed_at": 110.0,
        "outcome": "healed",
        "turn": {"remedies": more.pop("remedies", remedies)},
        "diagnosis": {"hypotheses": [{"cause": "hang", "supports": ["ev-1"]}]},
        "decision": {"skipped": []},
        **more,
    }


HONEST = Run(
    (
        entry(1, "incident_opened"),
        step(2, "k1", "intent"),
        step(3, "k1", "done"),
        entry(4, "incident_closed"),
        entry(5, "stop", actor="sam"),
        step(6, "k2", "intent", incident="other"),
        step(7, "k2", "failed", incident="other"),
        entry(8, "start", actor="sam"),
    ),
    (effect("k1"),),
    (incident(),),
    {"1-aaaaaaa": ReleaseState.VERIFIED_GOOD},
    frozenset({"web"}),
)


def remedies(*times: float, kind: str = "restart", **more: Any) -> Callable[[Run], Run]:
    """One incident for each time, with one remedy."""
    rows = [
        incident(id=f"inc-{n}", opened_at=at, remedies=[{"kind": kind, "by": "prodwise", "at": 0.0}], **more)
        for n, at in enumerate(times)
    ]
    closings = [entry(n + 1, "incident_closed", incident=row["id"]) for n, row in enumerate(rows)]
    return lambda run: replace(run, entries=closings, effects=(), incidents=rows)


def entries(*added: Entry) -> Callable[[Run], Run]:
    return lambda run: replace(run, entries=(*run.entries, *added))


def effects(made: Effect) -> Callable[[Run], Run]:
    return lambda run: replace(run, effects=(made,))


DISHONEST: dict[str, list[Callable[[Run], Run]]] = {
    "chain is whole": [lambda run: replace(run, chain="entry 3 was changed")],
    "intent comes first": [entries(step(9, "k9", "done")), entries(step(9, "k1", "failed"))],
    "one at a time": [entries(step(9, "k3", "intent"), step(10, "k4", "intent", incident="other"))],
    "tokens never fall": [entries(step(9, "k3", "intent", token=2))],
    "everything can be undone": [effects(effect("k1", "ramp"))],
    "targets come from the inventory": [
        effects(replace(effect("k1"), service="db")),
        effects(effect("k1", "start", command={"release": "9-zzz"}, undo={"op": "stop"})),
        effects(effect("k1", command={"slot": "c"})),
    ],
    "stop holds": [entries(entry(9, "stop", actor="sam"), step(10, "k3", "intent"), step(11, "k3", "done"))],
    "budgets hold": [
        remedies(0, 100, 200, 300, 3599),
        remedies(*(n * 4000.0 for n in range(11))),
    ],
    "what failed is not repeated": [
        lambda run: replace(run, incidents=[incident(remedies=[{"kind": "restart", "by": "prodwise", "at": 0.0}] * 2)])
    ],
    "smallest first": [remedies(100, kind="rollback")],
    "decisions cite evidence": [remedies(100, diagnosis={"hypotheses": [{"cause": "hang", "supports": []}]})],
    "nothing rests on hearsay": [
        entries(
            entry(9, "incident_opened", incident="inc-2", symptoms=[{"kind": "alarm", "source": "alertmanager"}]),
            entry(10, "symptom", incident="inc-2", source="sentry"),
            step(11, "k3", "intent", incident="inc-2"),
        )
    ],
    "every end is one": [
        entries(entry(9, "incident_closed")),
        lambda run: replace(run, incidents=[incident(outcome=None)]),
        lambda run: replace(run, incidents=[incident(outcome="escalated")]),
    ],
}


def test_an_honest_run_breaks_nothing() -> None:
    assert breaches(HONEST) == []


def test_every_invariant_has_a_run_that_breaks_it() -> None:
    assert set(DISHONEST) == set(INVARIANTS)


@pytest.mark.parametrize(("name", "broken"), [(name, one) for name, all_ in DISHONEST.items() for one in all_])
def test_a_dishonest_run_is_named(name: str, broken: Callable[[Run], Run]) -> None:
    found = breaches(broken(HONEST))
    assert any(breach.startswith(f"{name}: ") for breach in found), found


def test_what_our_own_eyes_saw_too_may_be_acted_on() -> None:
    said = [{"kind": "alarm", "source": "alertmanager"}]
    agreed = entries(
        entry(9, "incident_opened", incident="inc-2", symptoms=said),
        entry(10, "symptom", incident="inc-2", source=""),
        step(11, "k3", "intent", incident="inc-2"),
        step(12, "k3", "done", incident="inc-2"),
    )
    assert breaches(agreed(HONEST)) == []


def test_limits_are_no_breach() -> None:
    """What just fits a budget, and a rollback whose smaller step was skipped with a reason."""
    for honest in (
        remedies(0, 100, 200, 3600, 3700),
        remedies(*(n * 8000.0 for n in range(10))),
        remedies(100, kind="rollback", decision={"skipped": [{"action": "restart", "reason": "it would hide it"}]}),
    ):
        assert breaches(honest(HONEST)) == []
