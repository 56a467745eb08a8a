"""What a person types of an id: the whole, or as much as only one of them begins with."""

from __future__ import annotations

import pytest

from prodwise.loop.named import one_of
from prodwise.model.errors import UsageError

KNOWN = ["inc-web-204", "inc-web-20", "inc-worker-7"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("inc-web-204", "inc-web-204"), ("inc-web-20", "inc-web-20"), ("inc-wo", "inc-worker-7")],
)
def test_the_whole_or_what_only_one_begins_with(typed: str, meant: str) -> None:
    assert one_of(typed, KNOWN, "incident", "prodwise incidents") == meant


@pytest.mark.parametrize(
    ("typed", "said", "next_step"),
    [
        ("inc-we", "could be more than one incident", "inc-web-204, inc-web-20"),
        ("inc-wbe-20", "no incident 'inc-wbe-20'", "did you mean inc-web-20"),
        ("xyz", "no incident 'xyz'", "`prodwise incidents` lists them"),
        ("", "no incident ''", "`prodwise incidents` lists them"),
    ],
)
def test_else_near_ones_are_named(typed: str, said: str, next_step: str) -> None:
    with pytest.raises(UsageError) as raised:
        one_of(typed, KNOWN, "incident", "prodwise incidents")
    assert said in raised.value.message
    assert next_step in raised.value.hint


def test_many_are_not_all_listed() -> None:
    with pytest.raises(UsageError) as raised:
        one_of("inc", [f"inc-{number}" for number in range(9)], "incident", "prodwise incidents")
    assert raised.value.hint.endswith("inc-4, or one of 4 more")
