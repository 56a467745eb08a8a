"""What is told of a release that goes back: worse, undecided or called back, and never more than is known."""

from __future__ import annotations

from collections.abc import Mapping

from prodwise.loop.watch.withdrawn import UNKNOWN_LINE, Withdrawal
from prodwise.model.action import ActionKind

FAILED = {"gate": "web: errors", "verdict": "fail", "reason": "7 of 9 failed"}
HELD = {"gate": "web: probe", "verdict": "hold", "reason": "no answer yet"}


def gone(*gates: Mapping[str, str], by: str = "") -> Withdrawal:
    return Withdrawal("4-4444444", "3-3333333", "web", ("web", "api"), 0.05, "web: it said so", by, gates, {})


def test_a_release_that_is_worse_is_called_so_and_gone_back_from() -> None:
    told = gone(FAILED)
    assert told.title() == "Release 4-4444444 is worse than the one before"
    assert told.text() == "release 4-4444444 is worse than 3-3333333: web: it said so"
    plan = told.plan("ev-1")
    assert plan.action.kind is ActionKind.ROLLBACK
    assert plan.action.param("to") == "3-3333333"
    assert plan.action.footprint.traffic_share == 0.05, "only those who had it are sent back"
    assert plan.action.undo == "ship it again: prodwise deploy 4444444"
    assert [one.action for one in plan.skipped] == ["look longer", "restart"]
    assert told.diagnosis("ev-1")["unknown"] == [UNKNOWN_LINE]
    kept = told.decision("ev-1")
    assert (kept["verdicts"], kept["gates"], kept["authority"]) == ([FAILED], [], "act")
    assert kept["plan_hash"] == plan.hash


def test_a_release_that_stayed_undecided_is_not_called_worse() -> None:
    told = gone(HELD)
    assert told.title() == "Release 4-4444444 could not be shown to be good"
    assert "worse" not in told.text()
    (leading,) = told.diagnosis("ev-1")["hypotheses"]
    assert leading["weight"] == 0.0
    assert leading["text"].startswith("perhaps release 4-4444444")
    assert told.diagnosis("ev-1")["unknown"] == ["whether release 4-4444444 is worse than 3-3333333"]
    assert "what is not shown to be good in time goes back" in told.plan("ev-1").why


def test_a_person_who_takes_it_back_is_named_and_nothing_is_claimed_of_the_release() -> None:
    told = gone(FAILED, by="ana (terminal)")
    assert told.title() == "Release 4-4444444 was taken back by ana (terminal)"
    assert told.plan("ev-1").why == "ana (terminal) asked for it"
    assert told.plan("ev-1").skipped == ()
    assert told.decision("ev-1")["authority"] == "person"
    assert told.diagnosis("ev-1")["hypotheses"][0]["weight"] == 0.0
