"""Counting users: exact while few, near enough then, whatever the order."""

from __future__ import annotations

from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodwise.model.users import Users

hashes = st.integers(0, 2**64 - 1).map(lambda one: f"{one:016x}")


def _many(count: int) -> Users:
    users = Users()
    for number in range(count):
        users.add(blake2b(str(number).encode(), digest_size=8).hexdigest())
    return users


@given(st.lists(hashes, max_size=80), st.lists(hashes, max_size=80))
def test_order_repetition_and_splitting_do_not_matter(one: list[str], two: list[str]) -> None:
    together, first, second = Users(), Users(), Users()
    for user in one + two + one:
        together.add(user)
    for user in reversed(one):
        first.add(user)
    for user in two:
        second.add(user)
    merged = Users.union([second.pack(), first.pack(), first.pack()])
    assert merged.pack() == together.pack()
    if len({*one, *two}) <= 32:
        assert merged.count() == len({*one, *two})


@pytest.mark.parametrize("count", [0, 5, 32, 33, 300, 3_000, 50_000])
def test_large_crowds_are_counted_within_a_tenth(count: int) -> None:
    assert abs(_many(count).count() - count) <= count * 0.1
    assert len(_many(count).pack()) <= 1025
