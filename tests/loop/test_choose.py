"""The ladder: a table of situations, and what must hold of every choice over random histories."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prodwise.loop.choose import (
    ASK,
    AlreadyDone,
    Authority,
    Past,
    PastResult,
    Situation,
    WayBack,
    authority,
    choose,
    limits,
    revision,
    trust,
)
from prodwise.loop.planning import plan_from_json, plan_to_json
from prodwise.model.action import ActionKind
from prodwise.model.autonomy import Autonomy
from prodwise.model.diagnosis import Cause, Diagnosis, Hypothesis
from prodwise.model.evidence import canonical
from prodwise.model.incident import Symptom
from prodwise.model.plan import Plan, Refusal
from prodwise.model.schema import Finding, SchemaKind
from prodwise.model.service import Service, ServiceKind, SlotName
from prodwise.model.signal import ProcessSeen, ProcessState
from prodwise.model.target import ServiceSeen, Switch, TargetSeen

NOW = 1_000_000.0 - 1_000_000.0 % 86_400 + 14 * 3600  # 14:00 UTC
OLD, NEW = "1-aaaaaaa", "2-bbbbbbb"
INVENTORY = (
    Service("web", ServiceKind.WEB, "x", needs=("pay",)),
    Service("pay", ServiceKind.WEB, "x", upstream=True),
    Service("mail", ServiceKind.WORKER, "x"),
)
DROPPED = Finding(
    "db/1_drop.sql", 3, "drops from users: email", SchemaKind.CONTRACT, "the older release may still use it"
)
ADDED = Finding("db/2_add.sql", 1, "creates table carts", SchemaKind.EXPAND, "the older release need not know of it")
ROWS_CHANGED = Finding("db/3_fill.sql", 2, "UPDATE of rows", SchemaKind.DATA, "rows were changed")
UNREAD = Finding("db/4.xml", 0, "lies among migrations", SchemaKind.UNKNOWN, "there is no reader for files of its kind")
BACK = WayBack(OLD, warm=True, schema=(), proven=True)


def target(pid: int = 100, share: float = 0.0, stopped: bool = False) -> TargetSeen:
    def process(service: str, slot: str, release: str, number: int) -> ProcessSeen:
        return ProcessSeen(NOW, service, slot, release, ProcessState.RUNNING, number)

    web = ServiceSeen(
        "web", Switch(SlotName.A, share), (process("web", "a", NEW, pid), process("web", "b", "3-ccccccc", 300))
    )
    pay = ServiceSeen("pay", Switch(SlotName.A), (process("pay", "a", NEW, 400),))
    mail = ServiceSeen("mail", None, (process("mail", "b", NEW, 200),))
    return TargetSeen(NOW, (web, pay, mail), stopped, "healer", 1)


def because(cause: Cause, *more: Hypothesis, subject: str = "") -> Diagnosis:
    return Diagnosis((Hypothesis(cause, f"{cause.value} it is", 3.0, ("ev-1",), subject=subject), *more), ())


RELEASE = because(Cause.RELEASE, subject=NEW)
BLAMED = Hypothesis(Cause.RELEASE, "began after release 2", 0.5, ("ev-2",), subject=NEW)


def past(minutes_ago: float, kind: ActionKind = ActionKind.RESTART, cause: Cause = Cause.HANG, **more: Any) -> Past:
    return Past(
        **{
            "at": NOW - minutes_ago * 60,
            "kind": kind,
            "service": "web",
            "release": NEW,
            "cause": cause,
            "result": PastResult.HELPED,
            "incident": "inc-0",
            **more,
        }
    )


def situation(**more: Any) -> Situation:
    base: dict[str, Any] = {
        "incident": "inc-1",
        "service": "web",
        "diagnosis": because(Cause.HANG),
        "symptoms": (Symptom("hang", "web", "hangs", NOW - 5, NOW),),
        "seen": target(),
        "inventory": INVENTORY,
        "past": (),
        "now": NOW,
        "way_back": BACK,
    }
    return Situation(**{**base, **more})


@dataclass(frozen=True)
class Row:
    """expect: restart, rollback, done, or no; says: a part of the reason (of the refusal, the ask, or the skipped restart)."""

    name: str
    expect: str
    says: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


FAILED_RESTART = past(10, incident="inc-1", result=PastResult.FAILED)
FAILED_ROLLBACK = past(3, ActionKind.ROLLBACK, Cause.RELEASE, incident="inc-1", result=PastResult.UNDONE)
CRASH = because(Cause.CRASH)
DIED = (Symptom("crash", "web", "the process ended", NOW - 4, NOW - 4),)
SLOW_ROUTE = (Symptom("latency", "web", "slow", NOW - 5, NOW, route="GET /cart", severity=0.9),)
SLOW_ALL = (Symptom("latency", "web", "slow", NOW - 5, NOW, severity=0.9),)
EIGHT = tuple((f"s{n}", n >= 4) for n in range(8))

SAID = (
    Symptom("alarm", "web", "HighErrorRate", NOW - 90, NOW - 60, source="alertmanager", subject="a1"),
    Symptom("errors", "web", "KeyError in cart", NOW - 90, NOW - 60, source="dsn:shop"),
)
SLOW_ROUTE_SAID = (*SLOW_ROUTE, *SAID)

ROWS = [
    Row("hang", "restart"),
    Row("a diagnosis called wrong", "no", "called wrong: ana: no", {"doubted": "ana: no"}),
    Row("hang, a release in doubt too", "restart", facts={"diagnosis": because(Cause.HANG, BLAMED)}),
    Row(
        "crash, replaced and serving",
        "done",
        "the supervisor restarted it at 13:59",
        {"diagnosis": CRASH, "respawned_at": NOW - 3, "serving": True},
    ),
    Row(
        "crash, still coming up",
        "no",
        "starting web again",
        {"diagnosis": CRASH, "symptoms": DIED, "respawned_at": NOW - 3, "serving": False},
    ),
    Row(
        "crash, replaced while we looked",
        "no",
        "starting web again",
        {"diagnosis": CRASH, "symptoms": DIED, "respawned_at": NOW + 0.1, "serving": False},
    ),
    Row(
        "crash, the last answer of its probe is older than its death",
        "no",
        "starting web again",
        {"diagnosis": CRASH, "symptoms": (replace(DIED[0], seen_at=NOW - 0.2),), "serving": True},
    ),
    Row("crash, came up and hangs", "restart", facts={"diagnosis": CRASH, "respawned_at": NOW - 3, "serving": False}),
    Row(
        "crash, replaced, not serving",
        "restart",
        facts={"diagnosis": CRASH, "respawned_at": NOW - 30, "serving": False},
    ),
    Row("crash, replaced, not known", "restart", facts={"diagnosis": CRASH, "respawned_at": NOW - 30}),
    Row("crash, not replaced yet", "no", "its process is gone", {"diagnosis": CRASH, "seen": target(pid=0)}),
    Row("release", "rollback", "a restart would hide it", {"diagnosis": RELEASE}),
    Row(
        "release, replaced by the supervisor",
        "rollback",
        facts={"diagnosis": RELEASE, "respawned_at": NOW - 3, "serving": True},
    ),
    Row(
        "release, nothing before it",
        "no",
        "no earlier release that is known to be good",
        {"diagnosis": RELEASE, "way_back": None},
    ),
    Row(
        "release, the way back is itself",
        "no",
        "no earlier release that is known to be good",
        {"diagnosis": RELEASE, "way_back": replace(BACK, release=NEW)},
    ),
    Row(
        "release, rollout under way", "no", "under way and goes back by itself", {"diagnosis": RELEASE, "rollout": NEW}
    ),
    Row(
        "a release that nobody reaches",
        "no",
        "serves no users any more",
        {"diagnosis": because(Cause.RELEASE, subject="9-fffffff")},
    ),
    Row(
        "a promoted release",
        "rollback",
        facts={"diagnosis": because(Cause.RELEASE, subject="3-ccccccc"), "seen": target(share=1.0)},
    ),
    Row("only additions between", "rollback", facts={"diagnosis": RELEASE, "way_back": replace(BACK, schema=(ADDED,))}),
    Row(
        "a drop between",
        "ask",
        "db/1_drop.sql:3 drops from users: email",
        {"diagnosis": RELEASE, "way_back": replace(BACK, schema=(ADDED, DROPPED))},
    ),
    Row(
        "changed rows between",
        "ask",
        "db/3_fill.sql:2 UPDATE of rows",
        {"diagnosis": RELEASE, "way_back": replace(BACK, schema=(ROWS_CHANGED,))},
    ),
    Row(
        "an unreadable migration between",
        "ask",
        "no reader for files of its kind",
        {"diagnosis": RELEASE, "way_back": replace(BACK, schema=(UNREAD,))},
    ),
    Row(
        "migrations not looked at",
        "ask",
        "what migrations did since is not known",
        {"diagnosis": RELEASE, "way_back": replace(BACK, schema=None)},
    ),
    Row(
        "way back not proven",
        "ask",
        "never been tried out on this machine",
        {"diagnosis": RELEASE, "way_back": replace(BACK, proven=False)},
    ),
    Row(
        "crash loop, a release in doubt", "rollback", "does not help", {"diagnosis": because(Cause.CRASH_LOOP, BLAMED)}
    ),
    Row("crash loop, nothing else", "no", "nothing points at the release", {"diagnosis": because(Cause.CRASH_LOOP)}),
    Row(
        "crash loop, a release unlikely",
        "no",
        "nothing points at the release",
        {"diagnosis": because(Cause.CRASH_LOOP, replace(BLAMED, weight=-1.0))},
    ),
    Row("config", "no", "after a restart it is still so", {"diagnosis": because(Cause.CONFIG, BLAMED)}),
    Row("overload", "no", "never answered by a restart", {"diagnosis": because(Cause.OVERLOAD, BLAMED)}),
    Row("upstream", "no", "never answered by a restart", {"diagnosis": because(Cause.UPSTREAM, BLAMED)}),
    Row("unknown", "no", "the cause is not known", {"diagnosis": because(Cause.UNKNOWN)}),
    Row("slow everywhere", "restart", facts={"diagnosis": because(Cause.SLOW), "symptoms": SLOW_ALL}),
    Row(
        "slow on one route",
        "no",
        "only part of its requests",
        {"diagnosis": because(Cause.SLOW), "symptoms": SLOW_ROUTE},
    ),
    Row("restart did not help", "no", "did not help at 13:50", {"past": (FAILED_RESTART,)}),
    Row(
        "restart did not help, a release in doubt",
        "rollback",
        "did not help at 13:50",
        {"past": (FAILED_RESTART,), "diagnosis": because(Cause.HANG, BLAMED)},
    ),
    Row("two remedies did not help", "no", "only a person acts", {"past": (FAILED_RESTART, FAILED_ROLLBACK)}),
    Row("cool-down", "no", "cool-down until 14:10", {"past": (past(5),)}),
    Row("cool-down over", "restart", facts={"past": (past(16),)}),
    Row("cool-down doubled", "no", "cool-down until 14:05", {"past": (past(25), past(60))}),
    Row("cool-down of another cause", "restart", facts={"past": (past(5, cause=Cause.SLOW),)}),
    Row(
        "rollback of the same release again",
        "no",
        "rollback: cool-down until 14:10",
        {"diagnosis": RELEASE, "past": (past(5, ActionKind.ROLLBACK, Cause.ERRORS),)},
    ),
    Row(
        "a person's restart is not ours", "restart", facts={"past": (past(5, actor="ana"), past(7, actor="supervisor"))}
    ),
    Row("third time", "ask", "a third time needs a person", {"past": (past(200), past(400))}),
    Row(
        "budget of the service",
        "ask",
        "4 actions an hour on web",
        {"past": tuple(past(20 + n, cause=Cause.SLOW) for n in range(4))},
    ),
    Row(
        "budget of the fleet",
        "ask",
        "20 actions an hour on all services",
        {"past": tuple(past(20 + n, service=f"s{n}") for n in range(20))},
    ),
    Row(
        "in flight here",
        "no",
        "a restart of web is under way",
        {"past": (past(1, result=PastResult.RUNNING, cause=Cause.SLOW),)},
    ),
    Row(
        "in flight next door",
        "no",
        "a rollback of pay is under way",
        {"past": (past(1, ActionKind.ROLLBACK, service="pay", result=PastResult.RUNNING),)},
    ),
    Row("in flight far away", "restart", facts={"past": (past(1, service="mail", result=PastResult.RUNNING),)}),
    Row("stopped", "no", "stopped by a person", {"seen": target(stopped=True)}),
    Row("frozen", "no", "frozen: release day", {"frozen": "release day"}),
    Row("stale inputs", "no", "may be old", {"fresh": False}),
    Row("half of the fleet", "no", "4 of 8 services look bad", {"health": EIGHT}),
    Row("all of the fleet", "no", "what we see may be wrong", {"health": tuple((f"s{n}", False) for n in range(5))}),
    Row("two of four", "restart", facts={"health": EIGHT[2:6]}),
    Row("unknown is not bad", "restart", facts={"health": tuple((f"s{n}", None) for n in range(9))}),
    Row("flapping", "no", "up and down", {"flaps": 4}),
    Row("an upstream service", "no", "outside our control", {"service": "pay"}),
    Row("a service that nobody knows", "no", "in prodwise.toml", {"service": "web; rm -rf /"}),
    Row("a worker", "restart", facts={"service": "mail"}),
    Row("only others say so", "no", "only alertmanager, dsn:shop says so: no probe", {"symptoms": SAID}),
    Row(
        "only others say so, of a release", "no", "a person may rollback web", {"symptoms": SAID, "diagnosis": RELEASE}
    ),
    Row("others say so, and we see it", "restart", facts={"symptoms": (*SAID, Symptom("hang", "web", "", NOW, NOW))}),
    Row("others widen nothing", "no", "only part", {"diagnosis": because(Cause.SLOW), "symptoms": SLOW_ROUTE_SAID}),
    Row("the app as a whole", "no", "about the app as a whole", {"service": "", "symptoms": SAID}),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_row(row: Row) -> None:
    choice = choose(situation(**row.facts))
    match choice:
        case Plan():
            said = " ".join([choice.action.param(ASK), *(f"{one.action}: {one.reason}" for one in choice.skipped)])
            assert row.expect == ("ask" if choice.action.param(ASK) else choice.action.kind.value), choice
        case AlreadyDone():
            said = choice.reason
            assert row.expect == "done"
        case Refusal():
            said = " ".join(choice.reasons)
            assert row.expect == "no", choice
    assert row.says in said


def test_plans_name_exact_targets_and_survive_storage() -> None:
    plan = choose(situation())
    assert isinstance(plan, Plan)
    assert (plan.action.targets, plan.action.param("pid"), plan.action.undo) == (("web-a",), "100", "")
    back = choose(situation(diagnosis=RELEASE))
    assert isinstance(back, Plan)
    assert back.action.targets == ("mail", "pay", "web")
    assert (back.action.param("from"), back.action.param("to")) == (NEW, OLD)
    assert back.action.undo
    assert plan.action.footprint < back.action.footprint
    for one in (plan, back):
        stored = plan_from_json(json.loads(canonical(plan_to_json(one))))
        assert stored == one
        assert stored.hash == one.hash


def test_a_promoted_release_hangs_in_the_slot_that_users_reach() -> None:
    plan = choose(situation(seen=target(share=1.0)))
    assert isinstance(plan, Plan)
    assert plan.action.targets == ("web-b",)


def test_a_supervisor_that_keeps_restarting_is_counted() -> None:
    earlier = tuple(past(60 * n, actor="supervisor", cause=Cause.CRASH, incident=f"i{n}") for n in (1, 2, 40))
    choice = choose(situation(diagnosis=CRASH, respawned_at=NOW - 3, serving=True, past=earlier))
    assert isinstance(choice, AlreadyDone)
    assert choice.times == 3


def test_what_is_not_understood_is_looked_at_again_before_a_person_is_called() -> None:
    def waits(seconds: float) -> float:
        began = (Symptom("hang", "web", "hangs", NOW - seconds, NOW),)
        found = choose(situation(diagnosis=because(Cause.UNKNOWN), symptoms=began))
        assert isinstance(found, Refusal)
        return found.wait_s

    assert waits(3) > 0
    assert waits(30) == 0


def test_slowness_that_shows_on_one_route_first_may_be_all_of_the_service() -> None:
    route = replace(SLOW_ROUTE[0], onset_at=NOW - 6)
    early = choose(situation(diagnosis=because(Cause.SLOW), symptoms=(route,)))
    assert isinstance(early, Refusal)
    assert early.wait_s > 0
    late = choose(situation(diagnosis=because(Cause.SLOW), symptoms=(replace(route, onset_at=NOW - 12),)))
    assert isinstance(late, Refusal)
    assert late.wait_s == 0, "it stayed one route: a person is told"


def test_our_own_eyes_get_a_moment_to_agree() -> None:
    def waits(seconds: float) -> float:
        said = tuple(replace(one, onset_at=NOW - 3600, seen_at=NOW - seconds) for one in SAID)
        found = choose(situation(symptoms=said))
        assert isinstance(found, Refusal)
        return found.wait_s

    assert waits(trust.AGREE_S - 1) > 0
    assert waits(trust.AGREE_S) == 0


def test_who_decides() -> None:
    plan, ask = choose(situation()), choose(situation(past=(past(200), past(400))))
    assert isinstance(plan, Plan)
    assert isinstance(ask, Plan)
    assert [authority(plan, stage) for stage in Autonomy] == [Authority.OBSERVE, Authority.ASK, Authority.ACT]
    assert [authority(ask, stage) for stage in Autonomy] == [Authority.OBSERVE, Authority.ASK, Authority.ASK]


def test_revisions_change_with_what_a_plan_rests_on_only() -> None:
    now, respawned, ramped = target(), target(pid=101), target(share=0.05)
    assert revision(ActionKind.RESTART, "web", now) != revision(ActionKind.RESTART, "web", respawned)
    assert revision(ActionKind.RESTART, "mail", now) == revision(ActionKind.RESTART, "mail", respawned)
    assert revision(ActionKind.ROLLBACK, "web", now) == revision(ActionKind.ROLLBACK, "web", respawned)
    assert revision(ActionKind.ROLLBACK, "web", now) != revision(ActionKind.ROLLBACK, "web", ramped)


SEEN = Symptom("errors", "web", "x", NOW - 5, NOW)
causes = st.sampled_from(list(Cause))
kinds = st.sampled_from([ActionKind.RESTART, ActionKind.ROLLBACK])
healable = st.sampled_from([Cause.HANG, Cause.RELEASE, Cause.RELEASE, Cause.CRASH, Cause.CRASH_LOOP, Cause.ERRORS])
hypotheses = st.builds(
    Hypothesis,
    healable | causes,
    st.just("so"),
    st.sampled_from([-1.0, 0.5, 2.0, 3.0]),
    st.just(("ev-1",)),
    subject=st.sampled_from([NEW, NEW, NEW, OLD]),
)
BACKS = (replace(BACK, release=NEW), replace(BACK, schema=(DROPPED,)), replace(BACK, proven=False))
often = st.sampled_from([PastResult.HELPED, PastResult.FAILED, PastResult.UNDONE] * 6 + [PastResult.RUNNING])
pasts = st.builds(
    Past,
    at=st.floats(NOW - 2 * limits.DAY_S, NOW + 60),
    kind=kinds,
    service=st.sampled_from(["web", "web", "pay", "mail"]),
    release=st.sampled_from([NEW, OLD]),
    cause=causes,
    result=often,
    incident=st.sampled_from(["inc-0", "inc-0", "inc-0", "inc-1"]),
    actor=st.sampled_from(["prodwise", "prodwise", "supervisor", "ana"]),
)
schemas = st.sampled_from([None, (), (), (ADDED,), (ADDED, DROPPED), (ROWS_CHANGED,), (UNREAD,)])
situations = st.builds(
    Situation,
    incident=st.just("inc-1"),
    service=st.sampled_from(["web", "mail"]),
    diagnosis=st.lists(hypotheses, min_size=1, max_size=4).map(
        lambda found: Diagnosis(tuple(sorted(found, key=lambda one: -one.weight)), ())
    ),
    symptoms=st.sampled_from([(SEEN,), (SEEN,), (SEEN, *SAID), SAID]),
    seen=st.builds(
        target, pid=st.sampled_from([100, 100, 0]), share=st.sampled_from([0.0, 0.05, 1.0]), stopped=st.booleans()
    ),
    inventory=st.just(INVENTORY),
    past=st.lists(pasts, max_size=5).map(tuple),
    now=st.just(NOW),
    way_back=st.none() | st.builds(WayBack, st.sampled_from([OLD, OLD, NEW]), st.booleans(), schemas, st.booleans()),
    rollout=st.sampled_from(["", "", "", NEW]),
    flaps=st.sampled_from([0, 0, 0, 1, 3, 4]),
    fresh=st.sampled_from([True] * 9 + [False]),
    serving=st.none() | st.booleans(),
    respawned_at=st.none() | st.just(NOW - 2),
)


@settings(max_examples=250, deadline=None)
@given(situations)
def test_what_holds_of_every_choice(seen: Situation) -> None:
    check(seen)


@settings(max_examples=150, deadline=None)
@given(st.lists(pasts, max_size=4).map(tuple), st.sampled_from([BACK, *BACKS]), st.sampled_from(["web", "mail"]))
def test_what_holds_of_every_choice_about_a_release(history: tuple[Past, ...], back: WayBack, service: str) -> None:
    check(situation(diagnosis=RELEASE, past=history, way_back=back, service=service))


def check(seen: Situation) -> None:
    choice, leading = choose(seen), seen.diagnosis.leading.cause
    assert choose(seen) == choice
    assert choose(replace(seen, past=tuple(reversed(seen.past)))) == choice
    if isinstance(choice, Refusal):
        assert all(choice.reasons)
        assert all(one.reason for one in choice.skipped)
    if isinstance(choice, AlreadyDone):
        assert leading is Cause.CRASH
        assert seen.serving is True
    if not isinstance(choice, Plan):
        return
    action = choice.action
    assert any(not one.source for one in seen.symptoms), "only others say so"
    assert not seen.seen.stopped
    assert seen.fresh
    assert seen.flaps < limits.FLAPS_MAX
    assert leading not in (Cause.OVERLOAD, Cause.UPSTREAM, Cause.UNKNOWN, Cause.CONFIG)
    if action.kind is ActionKind.RESTART:
        assert leading not in (Cause.RELEASE, Cause.CRASH_LOOP)
        assert not choice.skipped
    else:
        assert [one.action for one in choice.skipped] == ["restart"]
        assert all(one.reason for one in choice.skipped)
        assert not seen.rollout
    failed = limits.failed_in(seen.past, "inc-1")
    assert len(failed) < limits.FAILED_REMEDIES_MAX
    assert action.kind not in {one.kind for one in failed}
    assert not any(one.result is PastResult.RUNNING and one.service == seen.service for one in seen.past)
    assert (
        limits.cooldown(seen.past, action.kind, seen.service, leading, seen.running_release(seen.service), NOW) is None
    )
    if authority(choice, Autonomy.AUTO) is Authority.ACT:
        assert limits.budget(seen.past, seen.service, NOW) is None
        assert not limits.third_time(seen.past, action.kind, seen.service, leading, NOW)
        if action.kind is ActionKind.ROLLBACK:
            assert seen.way_back is not None
            assert seen.way_back.proven
            assert seen.way_back.schema is not None
            assert all(one.kind is SchemaKind.EXPAND for one in seen.way_back.schema)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(1, 2000), st.sampled_from(["web", "mail"]), causes, st.booleans()),
        min_size=40,
        max_size=120,
    )
)
def test_budgets_hold_over_any_history(events: list[tuple[float, str, Cause, bool]]) -> None:
    """Incidents at random; what may be done automatically is done. Counted afterwards, independently of the rules' own code."""
    now, done = NOW, []
    for number, (gap_s, service, cause, helped) in enumerate(events):
        now += gap_s
        found = situation(
            incident=f"inc-{number}",
            service=service,
            diagnosis=because(cause, BLAMED, subject=NEW if cause is Cause.RELEASE else ""),
            past=tuple(done),
            now=now,
        )
        choice = choose(found)
        if isinstance(choice, Plan) and authority(choice, Autonomy.AUTO) is Authority.ACT:
            result = PastResult.HELPED if helped else PastResult.FAILED
            done.append(Past(now, choice.action.kind, service, NEW, cause, result, f"inc-{number}"))
    for one in done:
        window = [other for other in done if one.at >= other.at]
        assert sum(o.service == one.service and one.at - o.at < 3600 for o in window) <= 4
        assert sum(o.service == one.service and one.at - o.at < 86_400 for o in window) <= 10
        assert sum(one.at - o.at < 3600 for o in window) <= 20
        same = [o for o in window if (o.service, o.kind, o.cause) == (one.service, one.kind, one.cause)]
        assert sum(one.at - o.at < 86_400 for o in same) <= 2
        assert all(one.at - o.at >= 900 for o in same if o is not one)


@given(st.lists(st.floats(0, 43_000), min_size=1, max_size=8))
def test_a_cooldown_never_ends_earlier_because_the_clock_was_set_back(ages: list[float]) -> None:
    history = [past(age / 60) for age in ages]
    then = limits.cooldown(history, ActionKind.RESTART, "web", Cause.HANG, NEW, NOW)
    back = limits.cooldown(history, ActionKind.RESTART, "web", Cause.HANG, NEW, NOW - 43_200)
    assert back is not None
    assert then is None or back.at - (NOW - 43_200) >= min(then.at - NOW, limits.COOLDOWN_S)
