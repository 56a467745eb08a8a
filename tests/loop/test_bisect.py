"""Bisection: within its runs without noise, right most of the time with it, and honest about what cannot be tested."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prodwise.loop.diagnose.bisect import Answer, Bisection, Found, Noise, Try, Unresolved, next_step, runs_max
from prodwise.model.commit import Commit

Ask = Callable[[Bisection, str], Answer]


def linear(many: int) -> tuple[Commit, ...]:
    """Oldest first."""
    return tuple(Commit(f"c{at:04d}", "", "", float(at), (f"c{at - 1:04d}" if at else "base",)) for at in range(many))


def truth(guilty: str) -> Ask:
    return lambda bisection, sha: Answer.BAD if guilty in bisection.rests_on[sha] else Answer.GOOD


def play(bisection: Bisection, ask: Ask, most: int = 400) -> tuple[Found | Unresolved, Bisection]:
    for _ in range(most):
        step = next_step(bisection)
        if not isinstance(step, Try):
            return step, bisection
        bisection = bisection.told(step.sha, ask(bisection, step.sha))
    raise AssertionError("it does not end")


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 130), st.data())
def test_without_noise_it_is_found_within_its_runs_whatever_the_prior(many: int, data: st.DataObject) -> None:
    commits = linear(many)
    guilty = data.draw(st.sampled_from(commits)).sha
    prior = {one.sha: data.draw(st.floats(-1, 10)) for one in commits[: data.draw(st.integers(0, 20))]}
    step, asked = play(Bisection(commits, prior), truth(guilty))
    assert isinstance(step, Found)
    assert step.sha == guilty
    assert step.share == pytest.approx(1.0)
    assert len(asked.answers) <= runs_max(many)


@st.composite
def branched(draw: st.DrawFn) -> tuple[Commit, ...]:
    """Each commit has one or two earlier ones as parents; the last one joins all loose ends."""
    commits: list[Commit] = []
    for at in range(draw(st.integers(2, 25))):
        known = ["base", *(one.sha for one in commits)]
        parents = draw(st.lists(st.sampled_from(known[-6:]), min_size=1, max_size=2, unique=True))
        commits.append(Commit(f"c{at:04d}", "", "", float(at), tuple(parents)))
    held = {parent for one in commits for parent in one.parents}
    ends = tuple(one.sha for one in commits if one.sha not in held)
    return (*commits, Commit("tip", "Merge", "", 99.0, ends))


@settings(max_examples=100, deadline=None)
@given(branched(), st.data())
def test_a_history_with_branches_is_searched_by_what_rests_on_what(
    commits: tuple[Commit, ...], data: st.DataObject
) -> None:
    guilty = data.draw(st.sampled_from(commits)).sha
    shuffled = tuple(data.draw(st.permutations(commits)))
    step, _ = play(Bisection(shuffled), truth(guilty))
    assert isinstance(step, Found)
    assert step.sha == guilty


def test_a_good_prior_saves_runs_and_a_bad_one_costs_at_most_the_bound() -> None:
    commits = linear(64)
    runs = []
    for prior in ({"c0040": 0.9}, {"c0003": 0.9}, {}):
        _, asked = play(Bisection(commits, prior), truth("c0040"))
        runs.append(len(asked.answers))
    assert runs[0] == 2, "it is tested itself, and the one before it"
    assert runs[1] <= runs_max(64) == 7
    assert runs[2] == 6


def test_order_of_answers_changes_no_share() -> None:
    bisection = Bisection(linear(20), noise=Noise(0.2, 0.1))
    told = [("c0010", Answer.BAD), ("c0010", Answer.GOOD), ("c0004", Answer.GOOD), ("c0015", Answer.FLAKY)]
    shares = []
    for order in (told, told[::-1]):
        asked = bisection
        for sha, answer in order:
            asked = asked.told(sha, answer)
        shares.append(asked.shares)
    assert shares[0] == pytest.approx(shares[1])


@pytest.mark.parametrize(("passes", "fails"), [(0.0, 0.1), (0.3, 0.0), (0.2, 0.1)])
def test_a_flaky_test_is_asked_again_where_it_is_uncertain(passes: float, fails: float) -> None:
    commits, right, runs = linear(16), 0, 0
    for seed in range(120):
        chance = random.Random(seed)
        guilty = f"c{chance.randrange(16):04d}"

        def ask(bisection: Bisection, sha: str, chance: random.Random = chance, guilty: str = guilty) -> Answer:
            bad = guilty in bisection.rests_on[sha]
            return Answer.BAD if chance.random() < (1 - passes if bad else fails) else Answer.GOOD

        step, asked = play(Bisection(commits, noise=Noise(passes, fails)), ask)
        assert isinstance(step, Found)
        assert step.share >= 0.95
        right += step.sha == guilty
        runs += len(asked.answers)
    assert right >= 108, "it says that it is 95 % sure"
    assert runs / 120 < 30


def test_answers_that_contradict_each_other_are_taken_for_flaky() -> None:
    asked = Bisection(linear(8)).told("c0003", Answer.GOOD).told("c0003", Answer.BAD)
    assert asked.noise_now != Noise()
    assert isinstance(next_step(asked), Try)
    step, _ = play(asked, truth("c0005"))
    assert isinstance(step, Found)
    assert step.sha == "c0005"


def test_both_in_one_trial_is_told_and_moves_on() -> None:
    asked = Bisection(linear(8)).told("c0003", Answer.FLAKY)
    step, _ = play(asked, truth("c0006"))
    assert isinstance(step, Found)
    assert step.sha == "c0006"


def test_what_cannot_be_tested_is_stepped_around_and_told_in_the_end() -> None:
    broken = {"c0003", "c0004", "c0005"}

    def ask(bisection: Bisection, sha: str) -> Answer:
        return Answer.UNTESTABLE if sha in broken else truth("c0004")(bisection, sha)

    step, asked = play(Bisection(linear(10), {"c0004": 3.0}), ask)
    assert isinstance(step, Unresolved)
    assert set(step.among) == {"c0003", "c0004", "c0005", "c0006"}
    assert step.among[0] == "c0004", "the likeliest first"
    assert len({sha for sha, _ in asked.answers}) == len(asked.answers), "nothing is tried twice"
    assert isinstance(play(Bisection(linear(10)), lambda b, s: Answer.UNTESTABLE)[0], Unresolved)


def test_runs_can_be_limited() -> None:
    asked = Bisection(linear(30), noise=Noise(0.3, 0.3)).told("c0014", Answer.BAD).told("c0007", Answer.GOOD)
    step = next_step(asked, runs=2)
    assert isinstance(step, Unresolved)
    assert "2 runs were not enough" in step.reason


def test_one_commit_needs_no_run_and_none_is_told() -> None:
    assert next_step(Bisection(linear(1))) == Found("c0000", 1.0)
    assert next_step(Bisection(())) == Unresolved((), "there is no commit to suspect")
