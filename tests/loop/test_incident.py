"""The incident's story on a virtual clock: told step by step, and under random observations always to exactly one end."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prodwise.loop import incident
from prodwise.loop.choose import ASK, AlreadyDone, Authority, PastResult
from prodwise.loop.story import (
    Applied,
    Apply,
    Ask,
    Check,
    Close,
    Command,
    Decide,
    Diagnose,
    Escalate,
    IncidentTurn,
    Observations,
    Remedied,
    Remedy,
    Undo,
    Wait,
    Watch,
)
from prodwise.model.action import Action, ActionKind, Footprint
from prodwise.model.evidence import canonical
from prodwise.model.gate import GateResult, Verdict
from prodwise.model.incident import IncidentState
from prodwise.model.outcome import Outcome
from prodwise.model.plan import Plan, Refusal

WATCH_S = 60.0
GOOD, BAD, UNSURE = (GateResult("better", verdict, "because") for verdict in (Verdict.PASS, Verdict.FAIL, Verdict.HOLD))
PASSED = (GateResult("revision", Verdict.PASS, "same"),)
STALE = (GateResult("revision", Verdict.FAIL, "the target has changed"),)


def plan(kind: ActionKind, **params: str) -> Plan:
    undo = "" if kind is ActionKind.RESTART else "switch back"
    footprint = Footprint(False, False, int(kind is ActionKind.ROLLBACK), 1.0, 1, 0)
    action = Action(kind, "web", ("web-a",), tuple(params.items()), footprint, undo)
    return Plan(action, (), "rev", ("ev-1",), (), "ladder-1", "so", WATCH_S)


RESTART, ROLLBACK = plan(ActionKind.RESTART), plan(ActionKind.ROLLBACK)
DONE = AlreadyDone(ActionKind.RESTART, "the supervisor restarted it", 0.0)
OVERLOAD = Refusal(("overload is never answered by a restart",))
BUSY = Refusal(("a rollback of web is under way",), wait_s=5.0)


@dataclass
class World:
    """Carries commands out, as a runner would; the knobs say how the world answers."""

    decisions: list[Any]
    health: Callable[[float], GateResult] = lambda since: GOOD
    authority: Authority = Authority.ACT
    gates: tuple[GateResult, ...] = PASSED
    applied: Applied = Applied.DONE
    approved: bool | None = None
    gone: bool | None = None
    undone: bool = True
    remedied: Remedied | None = None
    now: float = 1000.0
    told: list[Command] = field(default_factory=list)
    _seen: Observations = field(default_factory=Observations)
    _remedy_at: float = 0.0

    def run(self, seconds: float = 1e6) -> IncidentTurn:
        """Until the story is closed; fails if it is not in its time."""
        turn, end = incident.begin("inc-1", self.now, WATCH_S), self.now + seconds
        while turn.outcome is None and self.now < end:
            seen = replace(
                self._seen,
                health=self.health(self.now - self._remedy_at),
                symptom_gone=self.gone,
                remedied=self.remedied,
            )
            turn, command = incident.step(turn, seen, self.now)
            turn = IncidentTurn.from_json(json.loads(canonical(turn.to_json())))
            if not self.told or type(self.told[-1]) is not type(command):
                self.told.append(command)
            self._carry_out(turn, command)
            assert self.now - 1000.0 <= incident.deadline_s(WATCH_S) + incident.GAP_S
        return turn

    def _carry_out(self, turn: IncidentTurn, command: Command) -> None:
        if turn.round != self._seen.round:
            self._seen = Observations(round=turn.round)
        self.now += 0.05
        match command:
            case Diagnose():
                self._seen = replace(self._seen, diagnosed=True)
            case Decide():
                choice = self.decisions.pop(0) if len(self.decisions) > 1 else self.decisions[0]
                self._seen = replace(self._seen, decision=choice, authority=self.authority)
            case Ask():
                self._seen = replace(self._seen, asked=True, approved=self.approved)
            case Check():
                self._seen = replace(self._seen, gates=self.gates)
            case Apply():
                self._seen = replace(self._seen, applied=self.applied, failure="refused")
                self._remedy_at = self.now
            case Undo():
                self._seen = replace(self._seen, undone=self.undone)
            case Wait():
                self.now += command.seconds
            case Watch():
                self._remedy_at = self._remedy_at or self.now
                self.now += 1.0

    @property
    def kinds(self) -> list[str]:
        return [type(one).__name__ for one in self.told]


def test_a_step_is_told_in_words() -> None:
    assert plan(ActionKind.ROLLBACK, to="1-a").action.words == "go back to release 1-a"
    assert RESTART.action.words == "restart web"


def test_a_hang_healed_by_a_restart() -> None:
    world = World([RESTART])
    turn = world.run()
    assert world.kinds == ["Diagnose", "Decide", "Check", "Apply", "Watch", "Close"]
    assert turn.outcome is Outcome.HEALED
    assert [(one.kind, one.by, one.result) for one in turn.remedies] == [
        (ActionKind.RESTART, "prodwise", PastResult.HELPED)
    ]
    assert WATCH_S <= turn.clock <= WATCH_S + 5


def test_what_the_supervisor_did_is_watched_and_closes_as_healed() -> None:
    world = World([DONE])
    turn = world.run()
    assert world.kinds == ["Diagnose", "Decide", "Watch", "Close"]
    assert (turn.outcome, turn.remedies[0].by) == (Outcome.HEALED, "supervisor")


def test_what_the_rollout_did_by_itself_is_watched_too() -> None:
    world = World([BUSY], remedied=Remedied(ActionKind.ROLLBACK, "rollout", "2-b went back by itself"))
    turn = world.run()
    assert (turn.outcome, turn.remedies[0].kind) == (Outcome.HEALED, ActionKind.ROLLBACK)


def test_a_restart_that_did_not_help_is_followed_by_the_next_step() -> None:
    world = World([RESTART, ROLLBACK])
    world.health = lambda since: GOOD if any(isinstance(c, Apply) and c.plan == ROLLBACK for c in world.told) else BAD
    turn = world.run()
    assert [one.result for one in turn.remedies] == [PastResult.FAILED, PastResult.HELPED]
    assert turn.outcome is Outcome.HEALED


def test_two_remedies_that_did_not_help_are_undone_and_handed_to_a_person() -> None:
    world = World([RESTART, ROLLBACK], health=lambda since: BAD)
    turn = world.run()
    assert world.kinds[-3:] == ["Watch", "Undo", "Escalate"]
    assert [one.result for one in turn.remedies] == [PastResult.FAILED, PastResult.UNDONE]
    assert (turn.outcome, turn.reason) == (Outcome.ESCALATED, "2 steps did not help")


def test_an_undo_that_does_not_happen_is_handed_over() -> None:
    turn = World([ROLLBACK], health=lambda since: BAD, undone=False).run()
    assert (turn.outcome, turn.reason) == (Outcome.ESCALATED, "the step did not help, and could not be undone")


def test_a_relapse_during_the_watch_counts_as_not_helped() -> None:
    turn = World([RESTART, OVERLOAD], health=lambda since: BAD if since > 30 else GOOD).run()
    assert turn.remedies[0].result is PastResult.FAILED
    assert turn.outcome is Outcome.ESCALATED


def test_hold_runs_out_into_failure_never_into_healed() -> None:
    turn = World([RESTART, OVERLOAD], health=lambda since: UNSURE).run()
    assert "no good evidence in time" in turn.remedies[0].reason
    assert turn.outcome is Outcome.ESCALATED


def test_good_evidence_must_be_continuous() -> None:
    turn = World([RESTART, OVERLOAD], health=lambda since: UNSURE if int(since) % 20 == 0 else GOOD).run()
    assert turn.outcome is Outcome.ESCALATED


def test_a_refusal_is_handed_over_at_once_with_its_reason() -> None:
    world = World([OVERLOAD])
    turn = world.run()
    assert world.kinds == ["Diagnose", "Decide", "Escalate"]
    assert turn.reason == "overload is never answered by a restart"
    assert turn.clock < 1


def test_a_refusal_that_may_pass_is_waited_out() -> None:
    turn = World([BUSY, BUSY, RESTART]).run()
    assert turn.outcome is Outcome.HEALED
    never = World([BUSY]).run()
    assert never.outcome is Outcome.ESCALATED
    assert never.clock <= incident.UNDECIDED_S + 15


def test_what_goes_away_by_itself_is_abandoned_not_healed() -> None:
    for world in (
        World([OVERLOAD], gone=True),
        World([RESTART], authority=Authority.OBSERVE, gone=True),
        World([RESTART], authority=Authority.ASK, gone=True),
    ):
        turn = world.run()
        assert (turn.outcome, turn.reason, turn.remedies) == (Outcome.ABANDONED, "went away by itself", ())
        assert turn.clock >= incident.GONE_S


def test_the_stage_decides_who_acts() -> None:
    observed = World([RESTART], authority=Authority.OBSERVE)
    assert observed.run().reason == "at stage observe Prodwise only watches"
    assert "Apply" not in observed.kinds
    approved = World([RESTART], authority=Authority.ASK, approved=True)
    assert approved.run().outcome is Outcome.HEALED
    assert approved.kinds[2] == "Ask"
    assert World([RESTART], authority=Authority.ASK, approved=False).run().reason == "a person said no"


@pytest.mark.full
def test_a_question_that_nobody_answers_ends() -> None:
    """A day of looks."""
    assert World([RESTART], authority=Authority.ASK).run().reason == "nobody answered in time"


def test_the_question_carries_its_reason() -> None:
    world = World(
        [plan(ActionKind.RESTART, **{ASK: "a third time needs a person"})], authority=Authority.ASK, approved=False
    )
    world.run()
    assert next(one.reason for one in world.told if isinstance(one, Ask)) == "a third time needs a person"


def test_a_stale_plan_is_made_again_a_few_times_only() -> None:
    world = World([RESTART], gates=STALE)
    turn = world.run()
    assert (turn.reason, turn.text) == ("the step could not be begun", "the target has changed")
    assert "Apply" not in world.kinds
    assert turn.round == incident.STALE_MAX - 1


@pytest.mark.parametrize(
    ("applied", "reason"),
    [(Applied.FAILED, "2 steps did not help"), (Applied.RUNNING, "whether the step took effect is not known")],
)
def test_effects_that_fail_or_stay_unknown(applied: Applied, reason: str) -> None:
    assert World([RESTART], applied=applied).run().reason == reason


def test_a_person_comes_first() -> None:
    turn = incident.begin("inc-1", 0.0, WATCH_S)
    back, command = incident.step(turn, Observations(undone_by="ana"), 1.0)
    assert (back.outcome, command) == (Outcome.UNDONE, Close(Outcome.UNDONE, "taken back by ana"))


def test_while_a_person_has_it_nothing_is_done_and_handed_back_it_looks_afresh() -> None:
    turn = replace(incident.begin("inc-1", 0.0, WATCH_S), phase=IncidentState.CHECKED, plan=RESTART)
    held = Observations(round=0, taken_over="ana", gates=PASSED, decision=RESTART)
    for at in range(1, 400):
        turn, command = incident.step(turn, held, float(at))
        assert command == Wait(incident.POLL_S, "ana took over")
    assert (turn.phase, turn.plan, turn.round, turn.outcome) == (IncidentState.SEEN, None, 1, None)
    turn, command = incident.step(turn, Observations(round=1), 401.0)
    assert (turn.outcome, command) == (None, Diagnose(1))


def test_what_a_person_has_is_closed_once_it_is_well_again_without_a_call() -> None:
    turn = incident.begin("inc-1", 0.0, WATCH_S)
    for at in range(1, 13):
        turn, command = incident.step(turn, Observations(taken_over="ana", symptom_gone=True), float(at))
    assert command == Close(Outcome.ESCALATED, "ana took over, and it is well again")
    assert incident.step(turn, Observations(), 20.0)[1] == command


def test_a_remedy_that_was_applied_before_a_person_took_over_is_watched_but_never_followed_by_another() -> None:
    turn, remedy = incident.begin("inc-1", 0.0, WATCH_S), Remedy(ActionKind.ROLLBACK, "prodwise", 0.5)
    watched, _ = incident.step(
        replace(turn, remedies=(remedy,), plan=ROLLBACK, phase=IncidentState.APPLYING),
        Observations(round=0, applied=Applied.DONE, taken_over="ana"),
        1.0,
    )
    assert watched.phase is IncidentState.WATCHING, "what was begun is brought to its end"
    held = watched
    for at in range(2, 400):
        held, command = incident.step(held, Observations(round=0, health=BAD, taken_over="ana"), float(at))
        assert command == Wait(incident.POLL_S, "ana took over"), "neither an undo nor a next step"
    for at in range(400, 400 + int(WATCH_S) + 2):
        held, command = incident.step(held, Observations(round=0, health=GOOD, taken_over="ana"), float(at))
    assert held.outcome is Outcome.HEALED


def test_a_turn_keeps_when_its_phases_were_entered() -> None:
    turn = World([RESTART]).run()
    assert [phase for phase, _ in turn.entered] == [state.value for state in IncidentState if state.value != "chosen"]
    assert [at for _, at in turn.entered] == sorted(at for _, at in turn.entered)
    assert IncidentTurn.from_json(json.loads(json.dumps(turn.to_json()))) == turn
    old = {name: value for name, value in turn.to_json().items() if name != "entered"}
    assert IncidentTurn.from_json(old).entered == ()


def test_a_closed_story_stays_closed() -> None:
    turn = World([OVERLOAD]).run()
    again, command = incident.step(turn, Observations(round=turn.round, diagnosed=True, decision=RESTART), 1e9)
    assert again == turn
    assert command == Escalate(turn.reason, turn.text)


def test_answers_of_an_earlier_round_are_not_taken_for_this_ones() -> None:
    turn = replace(incident.begin("inc-1", 0.0, WATCH_S), round=3)
    _, command = incident.step(turn, Observations(round=2, diagnosed=True, decision=RESTART, gates=PASSED), 1.0)
    assert command == Diagnose(3)


def test_a_healer_that_was_down_for_a_day_neither_undoes_nor_closes() -> None:
    turn = incident.begin("inc-1", 0.0, WATCH_S)
    world = World([ROLLBACK])
    world.run(seconds=20.0)
    turn, _ = incident.step(turn, Observations(round=0, diagnosed=True), 0.1)
    seen = Observations(0, True, ROLLBACK, Authority.ACT, gates=PASSED, applied=Applied.DONE, health=GOOD)
    now = 0.2
    while turn.phase is not IncidentState.WATCHING or turn.good_since is None:
        turn, command = incident.step(turn, seen, now)
        now += 0.1
    turn, command = incident.step(turn, seen, now + 86_400)
    assert isinstance(command, Watch)
    assert command.left_s == WATCH_S
    turn, command = incident.step(turn, seen, now - 86_400)
    assert isinstance(command, Watch)


choices = st.sampled_from(
    [RESTART, ROLLBACK, plan(ActionKind.RESTART, **{ASK: "third time"}), DONE, OVERLOAD, BUSY, None]
)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32), st.lists(choices, min_size=1, max_size=6), st.floats(0.3, 15.0))
def test_any_world_leads_to_exactly_one_outcome_in_time(seed: int, decisions: list[Any], pace_s: float) -> None:
    """Random answers of random rounds, at a random pace, on a clock that sometimes jumps; state stored and read at each turn."""
    chance = random.Random(seed)
    turn, now, closes, applied_rounds = incident.begin("inc-1", 0.0, WATCH_S), 0.0, 0, set()
    bias = chance.choice([GOOD, BAD, UNSURE])
    last_bad = 0.0
    for _ in range(200_000):
        health = bias if chance.random() < 0.9 else chance.choice([GOOD, BAD, UNSURE])
        seen = Observations(
            round=turn.round - (chance.random() < 0.1),
            diagnosed=chance.random() < 0.8,
            decision=chance.choice(decisions),
            authority=chance.choice(list(Authority)),
            asked=chance.random() < 0.5,
            approved=chance.choice([None] * 50 + [True, False]),
            gates=chance.choice([(), PASSED, STALE]),
            applied=chance.choice([*Applied]),
            undone=chance.random() < 0.2,
            health=health,
            symptom_gone=chance.choice([None, True, True, False]),
        )
        before = turn
        turn, command = incident.step(turn, seen, now)
        turn = IncidentTurn.from_json(json.loads(canonical(turn.to_json())))
        if isinstance(command, Apply):
            applied_rounds.add(command.round)
            assert before.phase in (IncidentState.CHECKED, IncidentState.APPLYING)
        if before.phase is not IncidentState.WATCHING or health is not GOOD:
            last_bad = turn.clock
        assert turn.clock >= before.clock
        assert turn.failed <= 2
        assert len(applied_rounds) <= len(turn.remedies) <= 3
        if turn.outcome is not None:
            closes += 1
            break
        now += pace_s * chance.uniform(0.5, 1.5) - (50_000 if chance.random() < 0.001 else 0)
    assert closes == 1
    assert turn.outcome in (Outcome.HEALED, Outcome.ESCALATED, Outcome.ABANDONED)
    assert turn.clock <= incident.deadline_s(WATCH_S) + incident.GAP_S
    if turn.outcome is Outcome.HEALED:
        assert turn.remedies[-1].result is PastResult.HELPED
        assert turn.clock - last_bad >= WATCH_S - incident.GAP_S
    if turn.outcome is Outcome.ESCALATED:
        assert turn.reason
        assert turn.text


def test_a_question_whose_time_is_over_goes_to_a_person() -> None:
    turn, _ = incident.step(incident.begin("i", 0.0, 60.0), Observations(round=0, diagnosed=True), 0.1)
    asked = Observations(0, True, RESTART, Authority.ASK, asked=True)
    turn, command = incident.step(turn, asked, 0.2)
    assert isinstance(command, Ask)
    turn, command = incident.step(turn, replace(asked, unanswered=True), 31.0)
    assert (turn.outcome, turn.reason) == (Outcome.ESCALATED, "nobody answered in time")
