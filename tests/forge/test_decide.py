"""Whether a fault may be proposed: pure."""

from __future__ import annotations

from dataclasses import replace

from prodwise.loop.publish.decide import OPEN_MAX, No, Open, Update, branch_of, decide, remembered
from prodwise.model.action import ActionKind
from prodwise.model.gate import GateResult, Verdict
from prodwise.model.pull import Published, PullSeen, PullState
from tests.forge.test_words import pull

PULL = pull("k", key="k")


def before(attempt: int = 1, state: PullState = PullState.OPEN, retried: bool = False) -> Published:
    return Published("k", branch_of("k", attempt), attempt, "", "c" * 40, state, "ada", retried=retried)


def test_a_new_fault_is_opened_and_an_open_one_updated() -> None:
    assert decide(PULL, [], 0) == Open(branch_of("k"))
    assert decide(PULL, [before()], OPEN_MAX) == Update(before())
    assert isinstance(decide(PULL, [replace(before(), key="other")], 1), Open)


def test_what_no_user_met_and_nobody_merged_is_mended_where_it_is() -> None:
    unmet = replace(PULL, met=False)
    assert isinstance(decide(unmet, [], 0, merged=True), Open)
    assert isinstance(decide(PULL, [], 0, merged=False), Open), "users wait for what they met"
    no = decide(unmet, [before()], 0, merged=False)
    assert isinstance(no, No)
    assert no.reason.startswith(f"{PULL.base[:7]} is not merged: what passes all gates is for its own branch")
    back = replace(unmet, proposal=replace(PULL.proposal, kind=ActionKind.REVERT))
    no = decide(back, [], 0, merged=False)
    assert isinstance(no, No)
    assert "nothing to take back" in no.reason


def test_a_fault_that_came_back_after_a_merge_has_another() -> None:
    assert decide(PULL, [before(state=PullState.MERGED)], 0) == Open(branch_of("k", 2))


def test_a_no_stands_until_a_person_asks_and_counts_anew_each_time() -> None:
    no = decide(PULL, [before(state=PullState.CLOSED)], 0)
    assert isinstance(no, No)
    assert "closed by ada" in no.reason
    asked = before(state=PullState.CLOSED, retried=True)
    assert decide(PULL, [asked], 0) == Open(branch_of("k", 2))
    assert isinstance(decide(PULL, [asked, before(2, PullState.CLOSED)], 0), No)


def test_the_limit_and_the_gates_have_their_reasons() -> None:
    for bad, told in (
        (decide(PULL, [], OPEN_MAX), "3 healing pull requests"),
        (decide(replace(PULL, calm=False), [], 0), "calm"),
        (decide(replace(PULL, gates=()), [], 0), "none was asked"),
        (decide(replace(PULL, gates=(GateResult("suite", Verdict.FAIL, ""),)), [before()], 0), "suite"),
    ):
        assert isinstance(bad, No)
        assert told in bad.reason


def test_what_the_host_shows_is_believed_but_for_whose_commit_it_is() -> None:
    seen = PullSeen(1, "https://x", branch_of("k"), "d" * 40, PullState.CLOSED, "bot", "bob")
    assert remembered("k", [before()], [seen]) == (
        replace(before(), url="https://x", state=PullState.CLOSED, by="bob"),
    )
    found = remembered("k", [], [seen])[0]
    assert (found.head, found.state, found.number) == ("", PullState.CLOSED, 1)
