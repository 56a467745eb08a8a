"""Which stories are gone on with after a healer died, and which one is given up."""

from __future__ import annotations

from collections.abc import Sequence

from prodwise.loop.resuming import MOST, WITHIN_S, resumed


def deaths(left: Sequence[str], count: int, every_s: float, young: Sequence[str] = ()) -> list[str]:
    """What is given up while healers die one after the other; the young begin after the third."""
    known: dict[str, tuple[float, ...]] = {}
    stories, given_up = list(left), list[str]()
    for number in range(count):
        stories += young if number == 3 else ()
        found = resumed(known, [one for one in stories if one not in given_up], number * every_s)
        known = dict(found.times)
        given_up += [found.given_up] if found.given_up else []
    return given_up


def test_a_story_is_gone_on_with_so_often_and_no_more() -> None:
    assert deaths(["a"], MOST, 5.0) == []
    assert deaths(["a"], MOST + 1, 5.0) == ["a"]


def test_the_youngest_is_given_up_and_the_others_are_counted_anew() -> None:
    assert deaths(["a", "b"], MOST + 1, 5.0) == ["b"]
    assert deaths(["a", "b"], 2 * MOST, 5.0) == ["b"]
    assert deaths(["a", "b"], 2 * MOST + 1, 5.0) == ["b", "a"], "where it was not that one, the next"


def test_stories_that_were_resumed_less_often_are_none_of_it() -> None:
    assert deaths(["a"], MOST + 1, 5.0, young=["b"]) == ["a"], "healers died before the younger one began"


def test_healers_that_end_now_and_then_give_nothing_up() -> None:
    assert deaths(["a"], 10 * MOST, WITHIN_S / MOST + 1) == []


def test_what_is_over_is_forgotten() -> None:
    assert resumed({"a": (1.0,), "b": (1.0,)}, ["b"], 2.0).times == {"b": (1.0, 2.0)}
