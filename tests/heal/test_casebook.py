"""Two releases side by side, as an incident's case has them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prodwise.heal.casebook import _contrasts
from prodwise.loop.diagnose.case import Contrast
from prodwise.loop.watch.rollout import RolloutJudge
from prodwise.model.record import Rollout, RolloutState
from prodwise.model.signal import Arm, RequestSeen


def judged() -> RolloutJudge:
    judge = RolloutJudge(0.01, 2.0)
    for number in range(40):
        arm = Arm.CANARY if number % 4 == 0 else Arm.STABLE
        status = 500 if arm is Arm.CANARY and number % 8 == 0 else 200
        release = "2-b" if arm is Arm.CANARY else "1-a"
        judge.observe(RequestSeen(1000.0 + number, "web", release, arm, 0.25, "GET /", status, 5.0, f"lane{number}"))
    return judge


def test_a_release_on_its_way_is_beside_the_one_that_it_would_replace() -> None:
    numbers = {"web": judged().summary(), "waiting_for": "25 % of users"}
    rollout = Rollout("2-b", "1-a", RolloutState.RAMPING, "25 %", 0.25, 1000.0, numbers=numbers)
    assert list(_contrasts(rollout)) == [Contrast("web", "2-b", "1-a", 10, 5, 30, 0)]


@pytest.mark.parametrize("state", [RolloutState.FAILED, RolloutState.VERIFIED_GOOD])
def test_what_is_settled_is_beside_nothing(state: RolloutState) -> None:
    rollout = Rollout("2-b", "1-a", state, "", 0.0, 1000.0, numbers={"web": judged().summary()})
    assert list(_contrasts(rollout)) == []
    assert list(_contrasts(replace(rollout, state=RolloutState.BUILDING, numbers={}))) == []
    assert list(_contrasts(None)) == []
