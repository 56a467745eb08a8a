"""How far Prodwise goes by itself: observe, suggest and auto, against a real app that hangs."""

from __future__ import annotations

import os
import signal

import pytest

from prodwise.cli.client import ApiError
from prodwise.model.record import Approval
from prodwise.testing import apps
from tests.heal.running_healer import House

pytestmark = pytest.mark.timeout(180)


def asked(house: House, stage: str = "suggest") -> tuple[int, Approval]:
    """A hang, and the question that it led to: (the pid that hangs, the question)."""
    house.api.post("stage", autonomy=stage)
    pid = house.hang()
    apps.until(lambda: house.store.approvals.open(), 40, "the question")
    return pid, house.store.approvals.open()[0]


def restarts(house: House) -> int:
    return sum(1 for e in house.store.ledger.effects() if e.kind == "restart" and e.state == "done")


def test_a_yes_is_carried_out_once(house: House) -> None:
    pid, question = asked(house)
    assert restarts(house) == 0
    assert house.serving().pid == pid
    with pytest.raises(ApiError, match="plan changed"):
        house.api.post(f"approvals/{question.id}", plan_hash="another", yes=True)
    house.api.post(f"approvals/{question.id}", plan_hash=question.plan_hash, yes=True)
    with pytest.raises(ApiError, match="closed") as twice:
        house.api.post(f"approvals/{question.id}", plan_hash=question.plan_hash, yes=True)
    assert twice.value.exit_code == 6
    apps.until(lambda: house.outcome() == "healed", 60, "the healing")
    assert restarts(house) == 1
    assert house.store.approvals.load(question.id).state == "used"
    house.whole()


@pytest.mark.full
def test_a_no_is_remembered(house: House) -> None:
    pid, question = asked(house)
    house.api.post(f"approvals/{question.id}", plan_hash=question.plan_hash, yes=False)
    apps.until(lambda: house.outcome() == "escalated", 30, "the end")
    last = house.last_entry
    apps.until(lambda: house.store.settings.get("baseline:web") is not None, 30, "some more looks")
    assert house.store.approvals.open() == []
    assert "approval_asked" not in house.kinds(last)
    assert restarts(house) == 0
    os.kill(pid, signal.SIGCONT)


def test_a_stage_lowered_after_the_question_holds(house: House) -> None:
    pid, question = asked(house)
    house.api.post("stage", autonomy="observe")
    house.api.post(f"approvals/{question.id}", plan_hash=question.plan_hash, yes=True)
    apps.until(lambda: house.outcome() == "escalated", 60, "the end")
    assert restarts(house) == 0
    os.kill(pid, signal.SIGCONT)


def test_observe_only_tells(house: House) -> None:
    house.api.post("stage", autonomy="observe")
    pid = house.hang()
    apps.until(lambda: house.outcome() == "escalated", 60, "the call")
    apps.until(lambda: "I would restart web" in house.told(), 20, "the message")
    assert restarts(house) == 0
    os.kill(pid, signal.SIGCONT)


@pytest.mark.full
def test_what_a_person_took_over_is_left_alone_until_it_is_handed_back(house: House) -> None:
    pid, question = asked(house)
    house.api.post(f"incidents/{question.incident}/wrong", note="it waits for a debugger")
    with pytest.raises(ApiError, match="has taken"):
        house.api.post(f"approvals/{question.id}", plan_hash=question.plan_hash, yes=True)
    apps.until(lambda: "took over" in str(house.incident()["turn"]["note"]), 20, "the story's word")  # type: ignore[index]
    house.api.post("stage", autonomy="auto")
    entry = house.last_entry
    apps.until(lambda: house.store.settings.get("baseline:web") is not None, 30, "some more looks")
    assert house.outcome() == ""
    house.api.post(f"incidents/{question.incident}/handback")
    apps.until(lambda: house.outcome() == "escalated", 60, "the call: the same diagnosis again")
    apps.until(lambda: "called wrong" in house.told(), 20, "the message")
    assert restarts(house) == 0
    assert house.serving().pid == pid
    assert "effect" not in house.kinds(entry)
    os.kill(pid, signal.SIGCONT)
    house.whole()


@pytest.mark.full
def test_a_person_mends_it_and_the_incident_closes_by_itself(house: House) -> None:
    pid, question = asked(house)
    house.api.post(f"incidents/{question.incident}/takeover")
    os.kill(pid, signal.SIGCONT)
    apps.until(lambda: house.outcome() == "escalated", 40, "the end")
    assert restarts(house) == 0
    assert "web needs a person" not in house.told(), "the person knows"
    again = house.hang()
    apps.until(lambda: house.outcome() == "", 30, "a new incident: what was well again is news")
    os.kill(again, signal.SIGCONT)
    apps.until(lambda: house.outcome() == "abandoned", 40, "its end")
    house.whole()
