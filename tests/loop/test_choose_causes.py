"""What is done for causes that no release and no process state explains: the least, and what a person is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prodwise.loop.choose import AlreadyDone, choose
from prodwise.loop.choose.told import Told, news
from prodwise.model.action import ActionKind
from prodwise.model.diagnosis import Cause, Diagnosis, Hypothesis
from prodwise.model.incident import Symptom
from prodwise.model.plan import Plan, Refusal
from tests.loop.test_choose import BLAMED, DIED, NOW, because, past, situation

WIDE = (Symptom("errors", "web", "requests fail", NOW - 60, NOW, severity=0.6),)
NARROW = (Symptom("errors", "web", "requests fail", NOW - 60, NOW, severity=0.05),)


def hearsay(cause: Cause) -> Diagnosis:
    found = because(cause)
    return replace(found, hypotheses=(replace(found.leading, hearsay=True),))


@pytest.mark.parametrize("cause", [Cause.MEMORY, Cause.DESCRIPTORS])
def test_what_is_used_up_is_freed_by_a_restart_that_is_told_as_temporary(cause: Cause) -> None:
    choice = choose(situation(diagnosis=because(cause), symptoms=WIDE))
    assert isinstance(choice, Plan)
    assert choice.action.kind is ActionKind.RESTART
    assert "this helps for a while only" in choice.why


@pytest.mark.parametrize("cause", [Cause.MEMORY, Cause.DESCRIPTORS])
def test_a_restart_never_hides_what_a_release_likely_brought(cause: Cause) -> None:
    choice = choose(situation(diagnosis=because(cause, BLAMED), symptoms=WIDE))
    assert isinstance(choice, Plan)
    assert choice.action.kind is ActionKind.ROLLBACK
    assert "a restart would hide it" in choice.skipped[0].reason


@pytest.mark.parametrize("cause", [Cause.MEMORY, Cause.DESCRIPTORS])
def test_nothing_is_restarted_for_reports_alone_for_a_small_part_or_a_third_time(cause: Cause) -> None:
    for more in (
        {"diagnosis": hearsay(cause), "symptoms": WIDE},
        {"diagnosis": because(cause), "symptoms": NARROW},
    ):
        choice = choose(situation(**more))
        assert isinstance(choice, Refusal), more
        assert any(one.startswith("what to do: ") for one in choice.reasons)
    again = (past(60, cause=cause), past(120, cause=cause))
    third = choose(situation(diagnosis=because(cause), symptoms=WIDE, past=again))
    assert isinstance(third, Plan)
    assert "a third time needs a person" in third.action.param("ask")


def test_a_process_that_the_kernel_killed_is_left_to_the_supervisor() -> None:
    facts = {"diagnosis": because(Cause.MEMORY), "symptoms": DIED}
    done = choose(situation(**facts, respawned_at=NOW - 3, serving=True))
    assert isinstance(done, AlreadyDone)
    assert "this helps for a while only" in done.reason
    waits = choose(situation(**facts, respawned_at=NOW - 3, serving=False))
    assert isinstance(waits, Refusal)
    assert waits.wait_s > 0


@pytest.mark.parametrize("cause", [Cause.DISK, Cause.CERTIFICATE, Cause.INPUT, Cause.CLOCK, Cause.NOTHING])
def test_what_no_step_changes_is_handed_over_with_what_to_do(cause: Cause) -> None:
    choice = choose(situation(diagnosis=because(cause, BLAMED), symptoms=WIDE))
    assert isinstance(choice, Refusal)
    assert {one.action for one in choice.skipped} == {"restart", "rollback"}
    assert (cause is Cause.NOTHING) != any(one.startswith("what to do: ") for one in choice.reasons)


def test_a_full_disk_is_told_once_with_all_that_follows_from_it() -> None:
    told = Told((replace(WIDE[0], route="GET /"),), Cause.DISK, NOW - 100, NOW)
    assert news(told, (*WIDE, *DIED), NOW) == ()


def test_every_cause_leads_to_a_choice() -> None:
    for cause in Cause:
        leading = Hypothesis(cause, cause.value, 2.0, ("ev-1",))
        assert choose(situation(diagnosis=Diagnosis((leading,), ()))) is not None
