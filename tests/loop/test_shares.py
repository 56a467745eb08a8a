"""Shares mean what they say: on incidents that were drawn, with seeds that the curve was not set on."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from bench.causes import HELD_OUT, bins, place_of
from bench.incidents.draw import PREVALENCE, draw
from bench.incidents.world import Drawn
from prodwise.loop.diagnose import diagnose
from prodwise.loop.diagnose import weights as w
from prodwise.loop.diagnose.shares import curved, in_words, shared
from prodwise.model.diagnosis import Cause, Diagnosis, Hypothesis

CASES = 600


@cache
def told() -> list[tuple[Drawn, Diagnosis]]:
    cases = [draw(HELD_OUT + number) for number in range(CASES)]
    return [(one, diagnose(one.case)) for one in cases]


def test_of_causes_with_a_share_so_many_are_right_in_every_tenth() -> None:
    found = bins(told())
    assert [one for one in found if not one.honest] == []
    assert sum(one.many for one in found if one.low >= 0.8) > CASES / 2, (
        "that is no art where nothing is ever said surely"
    )


def test_the_true_cause_is_mostly_named_first_and_every_cause_is_found() -> None:
    first = [drawn.cause for drawn, found in told() if place_of(drawn, found) == 1]
    assert len(first) >= 0.8 * CASES
    assert {drawn.cause for drawn, _ in told()} == set(PREVALENCE)
    assert set(first) == set(PREVALENCE)


def test_nothing_that_is_wrong_is_called_well_and_what_is_well_is_never_acted_on() -> None:
    for drawn, found in told():
        if found.leading.cause is Cause.NOTHING:
            assert drawn.cause is Cause.NOTHING
        if drawn.cause is Cause.NOTHING:
            assert found.leading.cause in (
                Cause.NOTHING,
                Cause.UNKNOWN,
                Cause.ERRORS,
                Cause.UPSTREAM,
                Cause.CERTIFICATE,
            ), drawn


@given(st.floats(0, 1), st.floats(0, 1))
def test_the_curve_rises(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 <= curved(low) <= curved(high) <= 1
    assert all(a < b and c <= d for (a, c), (b, d) in pairwise(w.CURVE))


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(list(Cause)), st.floats(-6, 12)), min_size=1, max_size=12), st.randoms())
def test_shares_depend_on_no_order_and_never_exceed_one(some: list[tuple[Cause, float]], chance: object) -> None:
    found = [Hypothesis(cause, "", weight, ("ev",), subject=str(at)) for at, (cause, weight) in enumerate(some)]
    mixed = list(found)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert {one.subject: one.share for one in shared(found)} == {one.subject: one.share for one in shared(mixed)}
    assert all(one.share is not None and 0 <= one.share <= 1 for one in shared(found))


def test_a_share_is_told_in_a_word_and_a_number() -> None:
    assert [in_words(one) for one in (0.999, 0.83, 0.5, 0.2, 0.0)] == [
        "very likely, 99 %",
        "very likely, 83 %",
        "likely, 50 %",
        "possible, 20 %",
        "unlikely, 1 %",
    ]
