"""What came of a scenario, from recorded traffic and events: every class of outcome."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prodwise.drill.healers.base import Event
from prodwise.drill.impact import measure
from prodwise.drill.scenario import Expect, Fault, Scenario
from prodwise.drill.score import actions, outcome, score, settled
from prodwise.drill.seen import Injected, Seen
from prodwise.drill.traffic.records import Sent
from prodwise.model.outcome import Outcome

T0 = 1_000_000.0
KILL = Fault(at=10, kind="kill", service="web")
RELEASE = Fault(at=10, kind="release", ref="next")


def traffic(seconds: float, bad: tuple[tuple[float, float], ...] = (), rate: int = 20, slow: float = 0.0) -> list[Sent]:
    """Even traffic; requests that start within a bad span fail at once, or take `slow` ms when that is given."""
    sent = []
    for number in range(int(seconds * rate)):
        at = number / rate
        hit = any(begin <= at < end for begin, end in bad)
        ms, why = (slow or 2.0, "" if slow else "refused") if hit else (5.0, "")
        sent.append(Sent(T0 + at, ms, "GET", "/", 0 if why else 200, why, "s1"))
    return sent


def event(seq: int, at: float, kind: str, /, **data: object) -> Event:
    return Event(seq, T0 + at, kind, "web", "", data)


def action(seq: int, at: float, kind: str, state: str, target: str = "web") -> Event:
    return event(seq, at, "action", kind=kind, target=target, state=state, actor="prodwise")


def seen(fault: Fault | None, requests: list[Sent], events: tuple[Event, ...] = (), seconds: float = 30) -> Seen:
    injected = (Injected(fault, T0 + fault.at, T0 + fault.at + fault.lasts),) if fault else ()
    return Seen(T0, T0 + seconds, requests, events, injected)


def scenario(fault: Fault | None, outcome: str, acts: tuple[str, ...] = (), max_failed: int | None = None) -> Scenario:
    expect = Expect(outcome=outcome, actions=acts, max_failed=max_failed)  # type: ignore[arg-type]
    return Scenario(name="one", fault=(fault,) if fault else (), expect=expect)


RESTARTED = (
    event(1, 10.3, "incident_opened"),
    action(2, 10.5, "restart", "intent"),
    action(3, 11.0, "restart", "done"),
)
REFUSED = (event(1, 15.0, "rollout_stage"), event(2, 18.0, "rollout_failed", target="r2"))


def test_a_crash_that_was_restarted_is_healed_and_timed() -> None:
    watched = seen(KILL, traffic(30, ((10, 11),)), RESTARTED)
    result = score(scenario(KILL, "healed", ("restart",), 25), watched)
    assert (result.outcome, result.passed, result.wrong_actions, result.repeats) == ("healed", True, 0, 0)
    assert (result.seconds_to_detect, result.seconds_to_decide) == (0.3, 0.5)
    assert result.seconds_to_recover == pytest.approx(1.005, abs=0.06)
    assert (result.requests, result.requests_failed) == (600, 20)
    assert [(one.kind, one.at, one.target, one.result) for one in result.actions] == [("restart", 10.5, "web", "done")]


@pytest.mark.parametrize("kind", ["pin", "setting", "revert"])
def test_what_goes_back_in_the_repository_counts_like_any_action(kind: str) -> None:
    events = (*RESTARTED[:1], action(2, 10.5, kind, "intent", "app.toml"), action(3, 11.0, kind, "done", "app.toml"))
    watched = seen(RELEASE, traffic(30, ((10, 11),)), events)
    result = score(scenario(RELEASE, "healed", (kind,)), watched)
    assert (result.outcome, result.passed, result.wrong_actions) == ("healed", True, 0)
    assert [(one.kind, one.target, one.result) for one in result.actions] == [(kind, "app.toml", "done")]
    other = score(scenario(RELEASE, "healed", ("rollback",)), watched)
    assert (other.passed, other.wrong_actions) == (False, 1)


def test_too_many_failed_requests_fail_a_scenario_that_was_healed() -> None:
    result = score(scenario(KILL, "healed", ("restart",), 5), seen(KILL, traffic(30, ((10, 11),)), RESTARTED))
    assert (result.outcome, result.passed) == ("healed", False)
    assert "20 requests failed" in result.notes[0]


def test_still_failing_is_unhealed_whatever_the_healer_says() -> None:
    watched = seen(KILL, traffic(30, ((10, 30),)), (*RESTARTED, event(4, 20, "incident_closed", outcome="healed")))
    assert outcome(watched) is Outcome.UNHEALED
    assert score(scenario(KILL, "healed"), watched).seconds_to_recover is None


def test_a_good_answer_now_and_then_is_no_recovery() -> None:
    bad = tuple((at / 10, at / 10 + 0.05) for at in range(100, 300))  # every other request
    watched = seen(KILL, traffic(30, bad), RESTARTED)
    result = score(scenario(KILL, "healed"), watched)
    assert (result.outcome, result.seconds_to_recover) == ("unhealed", None)


def test_recovered_by_itself_with_nothing_done_is_unhealed() -> None:
    assert outcome(seen(KILL, traffic(30, ((10, 12),)))) is Outcome.UNHEALED


def test_a_failed_action_does_not_heal() -> None:
    events = (action(1, 10.5, "restart", "intent"), action(2, 11, "restart", "failed"))
    assert outcome(seen(KILL, traffic(30, ((10, 12),)), events)) is Outcome.UNHEALED


def test_undone() -> None:
    events = (
        action(1, 11, "rollback", "intent"),
        action(2, 12, "rollback", "done"),
        action(3, 16, "rollback", "undone"),
    )
    watched = seen(KILL, traffic(30, ((10, 12),)), events)
    assert outcome(watched) is Outcome.UNDONE
    assert [one.result for one in actions(watched)] == ["undone"]


@pytest.mark.parametrize("told", [event(9, 14, "escalated"), event(9, 14, "incident_closed", outcome="escalated")])
def test_escalated_even_while_users_still_suffer(told: Event) -> None:
    overload = Fault(at=10, kind="overload", seconds=10)
    watched = seen(overload, traffic(30, ((12, 30),)), (told,))
    assert outcome(watched) is Outcome.ESCALATED
    assert score(scenario(overload, "escalated"), watched).passed


def test_an_outage_that_is_played_by_holding_a_service_down_has_no_remedies_of_that_service() -> None:
    fault = Fault(at=10, kind="upstream_down", service="payments", seconds=10)
    up = {"kind": "restart", "target": "a", "state": "done", "actor": "supervisor"}
    events = (Event(1, T0 + 11, "action", "payments", "", up), Event(2, T0 + 12, "action", "web", "", up))
    watched = seen(fault, traffic(40, ((12, 20),)), (*events, event(9, 14, "escalated")), 40)
    assert [(one.target, one.result) for one in actions(watched)] == [("web", "done")]


@pytest.mark.parametrize("kind", ["overload", "upstream_down"])
def test_a_restart_against_what_is_not_ours_fails_even_if_a_person_was_called(kind: str) -> None:
    fault = Fault(at=10, kind=kind, service="payments", seconds=10)
    watched = seen(fault, traffic(30, ((12, 20),)), (*RESTARTED, event(9, 14, "escalated")))
    result = score(scenario(fault, "escalated"), watched)
    assert (result.outcome, result.passed, result.wrong_actions) == ("escalated", False, 1)


def test_a_release_refused_in_its_ramp_counts_as_healed_by_rollback() -> None:
    watched = seen(RELEASE, traffic(30, ((16, 17),)), REFUSED)
    result = score(scenario(RELEASE, "healed", ("rollback",)), watched)
    assert (result.outcome, result.passed) == ("healed", True)
    assert [(one.kind, one.target, one.result) for one in result.actions] == [("rollback", "r2", "done")]
    assert result.seconds_to_detect == pytest.approx(2.0, abs=0.06), "from the first bad request, not from the deploy"


def test_a_release_refused_before_any_user_met_it_is_healed_without_a_recovery_time() -> None:
    result = score(scenario(RELEASE, "healed", ("rollback",)), seen(RELEASE, traffic(30), REFUSED))
    assert (result.passed, result.seconds_to_recover) == (True, None)


def test_the_rollback_of_a_refused_release_is_counted_once() -> None:
    events = (
        action(1, 17, "rollback", "intent", "r2"),
        action(2, 17.5, "rollback", "done", "r2"),
        replace(REFUSED[1], seq=3),
    )
    assert len(actions(seen(RELEASE, traffic(30), events))) == 1


def test_quiet_needs_a_good_release_promoted() -> None:
    good = scenario(RELEASE, "quiet")
    assert outcome(seen(RELEASE, traffic(30), (event(1, 20, "promoted"),))) is Outcome.QUIET
    assert outcome(seen(RELEASE, traffic(30))) is Outcome.UNHEALED, "it never arrived"
    deployed = (action(1, 11, "deploy", "done"), action(2, 20, "promote", "done"), event(3, 20, "promoted"))
    assert score(good, seen(RELEASE, traffic(30), deployed)).passed, "deploy and promote are not actions"


def test_quiet_with_single_errors_is_quiet() -> None:
    requests = [replace(one, why="5xx") if n % 100 == 7 else one for n, one in enumerate(traffic(60))]
    watched = seen(None, requests, seconds=60)
    assert outcome(watched) is Outcome.QUIET
    assert score(scenario(None, "quiet"), watched).seconds_to_recover is None


def test_an_app_that_fails_without_a_fault_is_not_called_quiet() -> None:
    assert outcome(seen(None, traffic(30, ((5, 30),)))) is Outcome.UNHEALED


def test_the_few_errors_of_a_small_share_are_the_impact_of_a_rollout() -> None:
    requests = traffic(30, ((15, 15.05), (18, 18.05)))
    assert measure(requests, T0 + 10).onset is None
    assert measure(requests, T0 + 10, rollout=True).onset == T0 + 15
    assert measure(requests, T0 + 10, rollout=True).recovered == pytest.approx(T0 + 18.055, abs=0.06)


def test_an_action_when_nothing_was_wrong_is_a_wrong_one() -> None:
    result = score(scenario(None, "quiet"), seen(None, traffic(30), RESTARTED))
    assert (result.outcome, result.passed, result.wrong_actions) == ("healed", False, 1)


def test_actions_are_an_ordered_subsequence_and_others_are_counted_as_wrong() -> None:
    events = (*RESTARTED, action(4, 14, "rollback", "done", "r2"))
    watched = seen(KILL, traffic(30, ((10, 15),)), events)
    assert score(scenario(KILL, "healed", ("rollback",)), watched).wrong_actions == 1
    assert score(scenario(KILL, "healed", ("rollback",)), watched).passed
    assert not score(scenario(KILL, "healed", ("rollback", "restart")), watched).passed


def test_without_named_actions_any_remedy_is_called_for_where_something_is_to_be_healed() -> None:
    watched = seen(KILL, traffic(30, ((10, 11),)), RESTARTED)
    assert score(scenario(KILL, "healed"), watched).wrong_actions == 0
    assert score(scenario(KILL, "escalated"), watched).wrong_actions == 1


def two(first: Fault, second: Fault, requests: list[Sent], events: tuple[Event, ...] = (), seconds: float = 60) -> Seen:
    injected = [Injected(one, T0 + one.at, T0 + one.at + one.lasts) for one in (first, second)]
    return Seen(T0, T0 + seconds, requests, events, injected)


def test_each_fault_is_timed_by_itself_and_the_slowest_is_told() -> None:
    later = Fault(at=40, kind="hang", service="web")
    events = (action(1, 10.2, "restart", "done"), event(2, 41.5, "incident_opened"), action(3, 41.7, "restart", "done"))
    result = score(
        scenario(KILL, "healed", ("restart", "restart")), two(KILL, later, traffic(60, ((10, 10.5), (40, 43))), events)
    )
    assert (result.seconds_to_detect, result.seconds_to_decide) == (1.5, 1.7)
    assert result.seconds_to_recover == pytest.approx(3.005, abs=0.06), "not from the first fault to the last recovery"
    assert result.repeats == 0


def test_a_fault_that_users_had_not_recovered_from_when_the_next_one_came_goes_on() -> None:
    later = Fault(at=12, kind="kill", service="web")
    result = score(scenario(KILL, "healed"), two(KILL, later, traffic(60, ((10, 15),)), RESTARTED))
    assert result.seconds_to_recover == pytest.approx(5.005, abs=0.06)


def test_one_fault_without_a_recovery_and_there_is_no_time_of_recovery() -> None:
    later = Fault(at=40, kind="kill", service="web")
    result = score(scenario(KILL, "healed"), two(KILL, later, traffic(60, ((10, 11), (40, 60))), RESTARTED))
    assert (result.outcome, result.seconds_to_recover) == ("unhealed", None)


def test_a_crash_that_no_request_felt_is_timed_by_the_first_request_after_it() -> None:
    requests = [replace(one, ms=300.0) if 10 <= one.at - T0 < 10.3 else one for one in traffic(30)]
    before = Sent(T0 + 9.999, 4.0, "GET", "/", 200, "", "s2")  # answered just after the kill, sent before it
    result = score(scenario(KILL, "healed"), seen(KILL, [*requests, before], RESTARTED))
    assert result.seconds_to_recover == pytest.approx(0.305, abs=0.06)


WORKER = Fault(at=10, kind="kill", service="worker")


@pytest.mark.parametrize(("back", "outcome_", "recover"), [(T0 + 12.5, "healed", 2.5), (None, "unhealed", None)])
def test_a_worker_is_judged_by_its_process_also_without_any_page(
    back: float | None, outcome_: str, recover: float | None
) -> None:
    watched = replace(seen(WORKER, [], RESTARTED), injected=(Injected(WORKER, T0 + 10, T0 + 10, True, back),))
    result = score(scenario(WORKER, "healed", ("restart",)), watched)
    assert (result.outcome, result.seconds_to_recover) == (outcome_, recover)
    assert (settled(scenario(WORKER, "healed", ("restart",)), watched) != "") is (back is not None)


def test_the_same_remedy_again_is_a_repeat_unless_it_was_called_for() -> None:
    again = (*RESTARTED, action(4, 15, "restart", "intent"), action(5, 15.5, "restart", "done"))
    watched = seen(KILL, traffic(30, ((10, 11), (14, 15))), again)
    assert score(scenario(KILL, "healed", ("restart",)), watched).repeats == 1
    assert score(scenario(KILL, "healed", ("restart", "restart")), watched).repeats == 0
    loop = Fault(at=10, kind="crash_loop", seconds=10)
    assert score(scenario(loop, "healed", ("restart",)), seen(loop, traffic(40), again, 40)).repeats == 0


def test_slow_answers_are_an_impact_too() -> None:
    found = measure(traffic(30, ((10, 13),), slow=3000), T0 + 10)
    assert found.onset == T0 + 10
    assert found.recovered == pytest.approx(T0 + 13.005, abs=0.06)


def test_one_lost_request_long_after_the_fault_is_no_burst() -> None:
    assert measure(traffic(30, ((20, 20.05),)), T0 + 10).onset is None
    assert measure(traffic(30, ((10.2, 10.25),)), T0 + 10).onset is not None, "right after it, it is the fault's doing"


def test_one_slow_answer_right_after_a_deploy_is_not_what_was_deployed() -> None:
    requests = traffic(60, ((10.2, 10.25),), slow=900)
    assert measure(requests, T0 + 10).onset is not None
    assert measure(requests, T0 + 10, rollout=True).onset is None
    assert measure(traffic(60, ((10.2, 10.25),)), T0 + 10, rollout=True).onset is not None, "what fails counts"
    merge = Fault(at=10, kind="merge", value="ZeroDivisionError")
    held = (event(1, 30, "promoted"), event(2, 45, "pull", state="held"))
    watched = seen(merge, requests, held, 60)
    plan = Scenario(name="one", fault=(merge,), expect=Expect(outcome="quiet", fix="held", max_failed=0))
    assert score(plan, watched).passed


def test_thin_traffic_is_judged_too() -> None:
    assert measure(traffic(60, ((30, 40),), rate=1), T0 + 29).recovered == pytest.approx(T0 + 40, abs=0.1)


def test_ends_early_only_when_settled() -> None:
    plan = scenario(KILL, "healed", ("restart",))
    assert settled(plan, seen(KILL, traffic(30, ((10, 11),)), RESTARTED)) == "healed"
    assert settled(plan, seen(KILL, traffic(14, ((10, 11),)), RESTARTED, 14)) == "", "not steady for long enough"
    busy = replace(seen(KILL, traffic(30, ((10, 11),)), RESTARTED), idle=False)
    assert settled(plan, busy) == "", "the healer is still at it"
    assert settled(plan, replace(busy, now=T0 + 40, requests=traffic(40, ((10, 11),)))) == "healed", "for long enough"
    assert settled(plan, seen(None, traffic(30))) == "", "the fault is still to come"


def test_a_promoted_release_is_watched_for_45_seconds() -> None:
    events = (event(1, 20, "promoted"),)
    assert settled(scenario(RELEASE, "quiet"), seen(RELEASE, traffic(60), events, 60)) == ""
    assert "45 s" in settled(scenario(RELEASE, "quiet"), seen(RELEASE, traffic(70), events, 66))
    assert "45 s" in settled(scenario(RELEASE, "healed", ("rollback",)), seen(RELEASE, traffic(70), events, 66))


def test_a_quiet_scenario_is_broken_by_the_first_action() -> None:
    assert "nothing was wrong" in settled(scenario(None, "quiet"), seen(None, traffic(30), RESTARTED))
    assert "nothing was wrong" in settled(scenario(None, "quiet"), seen(None, traffic(30), (event(1, 5, "escalated"),)))


def test_what_keeps_a_process_alive_is_never_a_wrong_action_or_a_repeat() -> None:
    loop = Fault(at=10, kind="crash_loop", seconds=5)
    again = [
        event(n, 11 + n, "action", kind="restart", state="done", target="a", actor="supervisor") for n in range(1, 8)
    ]
    watched = seen(loop, traffic(30, ((10, 18),)), (*again, event(9, 12, "escalated")))
    result = score(scenario(loop, "escalated"), watched)
    assert (result.passed, result.wrong_actions, result.repeats) == (True, 0, 0)
    assert len(result.actions) == 7


MERGED = Fault(at=10, kind="merge", seconds=5)
SHIPPED = (event(1, 14.0, "promoted"), event(2, 26.0, "verified_good"))


def with_fix(outcome: str, fix: str, acts: tuple[str, ...] = ()) -> Scenario:
    made = scenario(MERGED if outcome == "quiet" else RELEASE, outcome, acts)
    return made.model_copy(update={"expect": made.expect.model_copy(update={"fix": fix})})


def test_a_fix_that_was_merged_is_waited_for_until_it_holds() -> None:
    asked = with_fix("quiet", "held")
    merged = seen(MERGED, traffic(30), (*SHIPPED, event(3, 20.0, "pull", state="merged")))
    assert settled(asked, merged) == ""
    assert score(asked, merged).notes == ("no fix was held",)
    held = seen(MERGED, traffic(30), (*SHIPPED, event(3, 27.0, "pull", state="held")))
    assert settled(asked, held) == "the fix is held"
    result = score(asked, held)
    assert (result.passed, result.fix, result.outcome, result.actions) == (True, "held", "quiet", ())


def test_a_release_that_was_refused_may_still_wait_for_its_fix() -> None:
    asked = with_fix("healed", "proposed", ("rollback",))
    sought = seen(RELEASE, traffic(30, ((15, 18),)), (*REFUSED, event(3, 19.0, "pull", state="sought")))
    assert settled(asked, sought) == ""
    assert not score(asked, sought).passed
    proposed = replace(sought, events=(*sought.events, event(4, 25.0, "pull", state="open")))
    assert settled(asked, proposed) == "healed"
    assert (score(asked, proposed).passed, score(asked, proposed).fix) == (True, "proposed")
