"""A release's story on a virtual clock: whatever is seen, it ends, and never on 100 % without evidence."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from prodwise.loop.ship import BESIDE_S, CanarySeen, ShipOp, ShipPhase, ShipRules, ShipSeen, ShipTurn, begin, step
from prodwise.model.gate import GateResult, Verdict
from prodwise.model.rollout import DEFAULT_RAMP

RULES = ShipRules(DEFAULT_RAMP, stage_s_max=60.0, watch_s=30.0, start_s=10.0)
PASS, HOLD, FAIL = (GateResult("web: errors", verdict, verdict.value) for verdict in Verdict)
WELL = ShipSeen("", True, "", (CanarySeen("web", True, True, 0.0),), (PASS,), (PASS,), "", False, finished=True)


def _play(looks: list[ShipSeen], every_s: float = 1.0, limit: int = 2000) -> tuple[ShipTurn, list[ShipOp], float]:
    """Repeats the last look for ever; the target does what it is told."""
    turn, now, share, done = begin("2-b", 0.0), 0.0, 0.0, []
    reverted = False
    for number in range(limit):
        look = looks[min(number, len(looks) - 1)]
        seen = replace(look, canaries=tuple(replace(c, share=share) for c in look.canaries), reverted=reverted)
        turn, command = step(turn, seen, RULES, now)
        if command.op is not ShipOp.WAIT:
            done.append(command.op)
        if command.op is ShipOp.SWITCH:
            share = command.share
        if command.op is ShipOp.BACK:
            share, reverted = 0.0, True
        if command.op is ShipOp.END:
            return turn, done, now
        now += every_s
    raise AssertionError(f"the story did not end: {turn}")


def test_a_good_release_goes_through_every_stage_and_is_verified_good() -> None:
    turn, done, ended = _play([WELL])
    assert turn.good
    stages = len(DEFAULT_RAMP)
    assert done == [ShipOp.START, ShipOp.CHECK] + [ShipOp.SWITCH] * stages + [ShipOp.PROMOTE, ShipOp.FINISH, ShipOp.END]
    assert ended >= RULES.watch_s


def test_a_release_that_keeps_ending_before_it_answers_is_not_waited_for() -> None:
    ending = replace(WELL, canaries=(CanarySeen("web", False, None, 0.0, "keeps ending (exit code 1)", exits=3),))
    turn, done, ended = _play([ending])
    assert (turn.good, ShipOp.SWITCH in done) == (False, False)
    assert turn.reason == "it does not come up: web keeps ending (exit code 1)"
    assert ended < RULES.start_s / 2
    once = replace(WELL, canaries=(CanarySeen("web", False, None, 0.0, "keeps ending", exits=1),))
    assert _play([WELL, WELL, once, once, WELL])[0].good, "one death at the start is forgiven"


def test_what_nobody_takes_out_of_its_slot_is_not_waited_for_without_end() -> None:
    left = replace(WELL, beside="1-a")
    turn, done, ended = _play([left], every_s=5.0)
    assert (turn.good, turn.refused) == (False, "")
    assert turn.reason.startswith("there was no room to start it: 1-a has run beside what serves for 30 min")
    assert BESIDE_S < ended < BESIDE_S + 30
    assert done == [ShipOp.BACK, ShipOp.END], "nothing was started"
    assert _play([left, left, WELL])[0].good, "it may still be on its way out"


def test_behind_another_rollout_it_waits_as_long_as_that_takes() -> None:
    behind, left = replace(WELL, ahead="another rollout is under way", beside="1-a"), replace(WELL, beside="1-a")
    turn, _, _ = _play([behind] * 600 + [left] * 5 + [WELL], every_s=60.0)
    assert turn.good


def test_a_failing_gate_goes_back_at_once() -> None:
    turn, done, _ = _play([WELL] * 6 + [replace(WELL, gates=(PASS, FAIL))])
    assert not turn.good
    assert done[-2:] == [ShipOp.BACK, ShipOp.END]
    assert turn.reason == "web: fail"


def test_hold_runs_out_into_fail_never_into_pass() -> None:
    turn, done, ended = _play([replace(WELL, gates=(HOLD,))])
    assert not turn.good
    assert ShipOp.PROMOTE not in done
    assert RULES.stage_s_max < ended < 2 * RULES.stage_s_max


def test_no_gate_at_all_is_no_evidence() -> None:
    turn, done, _ = _play([replace(WELL, gates=())])
    assert not turn.good
    assert done.count(ShipOp.SWITCH) == 1


def test_a_release_that_never_becomes_healthy_reaches_no_user() -> None:
    sick = replace(WELL, canaries=(CanarySeen("web", True, None, 0.0, "has not answered yet"),))
    turn, done, _ = _play([sick])
    assert ShipOp.SWITCH not in done
    assert "not healthy within 10 s: web has not answered yet" in turn.reason


def test_a_healer_that_was_just_started_does_not_take_its_own_shut_eyes_for_a_release_that_is_not_healthy() -> None:
    """The one before it died while the release came up; its last look is long ago, and no probe was asked by this one yet."""
    starting = ShipTurn("2-b", ShipPhase.STARTING, 0.0, looked_at=9.0)
    unseen = replace(WELL, canaries=(CanarySeen("web", True, None, 0.0, "has not answered yet"),))
    turn, command = step(starting, unseen, RULES, 13.0)
    assert (turn.phase, command.op) == (ShipPhase.STARTING, ShipOp.WAIT)
    assert step(turn, WELL, RULES, 14.0)[0].phase is ShipPhase.CHECKING
    for known in (
        CanarySeen("web", True, False, 0.0, "status 500"),
        CanarySeen("web", False, None, 0.0, "is not there"),
    ):
        assert step(turn, replace(WELL, canaries=(known,)), RULES, 14.0)[0].phase is ShipPhase.REVERTING
    late, _ = step(replace(turn, looked_at=20.0), unseen, RULES, 20.5)
    assert late.phase is ShipPhase.REVERTING, "it is not waited for without end"


def test_a_watch_that_stays_undecided_runs_out_into_fail() -> None:
    looks = [WELL] * 12 + [replace(WELL, gates=(HOLD,))]
    turn, done, ended = _play(looks)
    assert ShipOp.PROMOTE in done
    assert not turn.good
    assert ended <= 13 + 4 * RULES.watch_s + 5


def test_a_share_that_lapsed_is_set_again_but_not_for_ever() -> None:
    turn, now, switches = begin("2-b", 0.0), 0.0, 0
    for _ in range(60):
        turn, command = step(turn, WELL, RULES, now)  # the share always reads 0
        switches += command.op is ShipOp.SWITCH
        now += 1.0
        if command.op is ShipOp.BACK:
            break
    assert turn.phase is ShipPhase.REVERTING
    assert switches <= 6


def test_stop_holds_and_cancel_goes_back() -> None:
    ramping = replace(begin("2-b", 0.0), phase=ShipPhase.RAMPING, stage=0)
    seen = replace(WELL, canaries=(CanarySeen("web", True, True, 0.05),))
    assert step(ramping, replace(seen, stopped=True), RULES, 1.0)[1].op is ShipOp.WAIT
    turn, command = step(ramping, replace(seen, cancelled="ada asked to go back"), RULES, 1.0)
    assert (command.op, turn.reason) == (ShipOp.BACK, "ada asked to go back")


gate = st.sampled_from([PASS, HOLD, FAIL])
look = st.builds(
    ShipSeen,
    ahead=st.just(""),
    beside=st.sampled_from(["", "1-a"]),
    built=st.just(True),
    failure=st.sampled_from(["", "", "", "no such module"]),
    canaries=st.builds(
        lambda h, r: (CanarySeen("web", r, h, 0.0),), st.sampled_from([True, True, False, None]), st.booleans()
    ),
    checks=st.lists(gate, max_size=2).map(tuple),
    gates=st.lists(gate, max_size=3).map(tuple),
    cancelled=st.just(""),
    stopped=st.booleans(),
    finished=st.booleans(),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(look, max_size=40), st.sampled_from([0.1, 1.0, 7.0]))
def test_whatever_is_seen_the_story_ends_in_time(looks: list[ShipSeen], every_s: float) -> None:
    turn, done, _ = _play([*looks, WELL], every_s)
    assert turn.phase is ShipPhase.DONE
    if turn.good:
        assert ShipOp.PROMOTE in done
    else:
        assert done[-2] is ShipOp.BACK


@given(
    st.builds(
        ShipTurn, st.just("2-b"), st.sampled_from(ShipPhase), st.floats(0, 1e9), st.integers(-1, 3), st.integers(0, 9)
    )
)
def test_a_turn_survives_its_json(turn: ShipTurn) -> None:
    assert ShipTurn.from_json(turn.to_json()) == turn


def test_a_stop_runs_no_clock_and_a_person_still_goes_back() -> None:
    turn = ShipTurn("2-b", ShipPhase.RAMPING, 100.0, stage=0)
    share = RULES.stages[0].share
    seen = replace(WELL, canaries=(CanarySeen("web", True, True, share),), gates=(HOLD,))
    for now in (101.0, 5000.0):
        turn, command = step(turn, replace(seen, stopped=True), RULES, now)
        assert (command.op, command.reason) == (ShipOp.WAIT, "stopped by a person")
    going, command = step(turn, seen, RULES, 5001.0)
    assert (command.op, going.since) == (ShipOp.WAIT, 100.0 + 4900.0)
    back, command = step(turn, replace(seen, stopped=True, cancelled="ana says so", cancelled_by="ana"), RULES, 5001.0)
    assert (command.op, back.by) == (ShipOp.BACK, "ana")
    _, command = step(back, replace(seen, stopped=True, cancelled="x", cancelled_by="ana"), RULES, 5002.0)
    assert command.op is ShipOp.BACK


def test_a_freeze_holds_what_goes_forward_but_not_the_way_back() -> None:
    turn = ShipTurn("2-b", ShipPhase.RAMPING, 0.0, stage=0)
    seen = replace(WELL, canaries=(CanarySeen("web", True, True, RULES.stages[0].share),), frozen="by ana: launch day")
    for gates, op in (((PASS,), ShipOp.WAIT), ((FAIL,), ShipOp.BACK)):
        _, command = step(turn, replace(seen, gates=gates), RULES, 1.0)
        assert command.op is op
    waiting, command = step(begin("2-b", 0.0), seen, RULES, 1.0)
    assert (waiting.phase, command.reason) == (ShipPhase.QUEUED, "frozen by ana: launch day")


def test_a_start_that_a_stop_refused_is_ordered_again() -> None:
    seen = replace(WELL, canaries=(CanarySeen("web", False, None, 0.0, placed=False),))
    _, command = step(ShipTurn("2-b", ShipPhase.STARTING, 0.0), seen, RULES, 1.0)
    assert command.op is ShipOp.START


def test_services_that_did_not_follow_are_told_again_and_then_it_goes_back() -> None:
    turn, ops = ShipTurn("2-b", ShipPhase.WATCHING, 0.0, stage=0, watch_until=30.0), []
    seen = replace(WELL, canaries=(CanarySeen("web", True, True, 1.0),), followed=False)
    while ShipOp.BACK not in ops:
        turn, command = step(turn, seen, RULES, 1.0)
        ops.append(command.op)
    assert set(ops[:-1]) == {ShipOp.PROMOTE}


def test_time_in_which_nobody_looked_counts_against_no_release() -> None:
    starting = replace(WELL, canaries=(CanarySeen("web", True, None, 0.0, "has not answered yet"),))
    turn, _ = step(replace(begin("2-b", 0.0), phase=ShipPhase.STARTING), starting, RULES, 1.0)
    turn, command = step(turn, starting, RULES, 3600.0)
    assert command.op is ShipOp.WAIT, command.reason
