"""Where a rollback leads: the same answer for who shows it and who does it."""

from __future__ import annotations

import pytest

from prodwise.loop.goal import meant, return_target
from prodwise.model.errors import ProdwiseError, Refused, UsageError
from prodwise.model.release import Release, ReleaseState


def release(number: int, state: ReleaseState) -> Release:
    return Release(f"{number}-{number:07x}", number, f"{number:07x}" + "0" * 33, "", float(number), state)


GOOD, RETIRED, FAILED = ReleaseState.VERIFIED_GOOD, ReleaseState.RETIRED, ReleaseState.FAILED
FOUR = [release(4, FAILED), release(3, GOOD), release(2, FAILED), release(1, RETIRED)]


def test_the_newest_good_one_before_what_serves() -> None:
    assert return_target(FOUR, "3-0000003").number == 1
    assert return_target(FOUR, "4-0000004").number == 3
    assert return_target(FOUR, "9-not-ours").number == 3


@pytest.mark.parametrize("wanted", ["", "3-0000003", "0000003"])
def test_what_was_left_with_a_share_is_gone_back_from_first(wanted: str) -> None:
    assert return_target(FOUR, "3-0000003", wanted, "4-0000004").number == 3
    assert return_target(FOUR, "3-0000003", "1-0000001", "4-0000004").number == 1
    with pytest.raises(Refused, match="not known to be good"):
        return_target(FOUR, "3-0000003", "4-0000004", "4-0000004")


@pytest.mark.parametrize("wanted", ["1-0000001", "0000001", "0000001" + "0" * 33])
def test_a_release_is_named_by_id_or_commit(wanted: str) -> None:
    assert return_target(FOUR, "3-0000003", wanted).number == 1


@pytest.mark.parametrize("wanted", ["1-0", "1-", "0000001" + "0" * 9])
def test_or_by_the_beginning_of_either(wanted: str) -> None:
    assert return_target(FOUR, "3-0000003", wanted).number == 1


def test_of_a_commit_that_was_shipped_twice_the_newer_is_meant() -> None:
    again = Release("5-0000001", 5, "0000001" + "0" * 33, "", 5.0, GOOD)
    assert meant([again, *FOUR], "00000010").id == again.id
    with pytest.raises(UsageError, match="more than one release"):
        meant(FOUR, "00000")


@pytest.mark.parametrize(
    ("serving", "wanted", "kind", "words"),
    [
        ("1-0000001", "", Refused, "no earlier"),
        ("3-0000003", "nope", UsageError, "no release 'nope'"),
        ("3-0000003", "3-0000003", Refused, "serves"),
        ("3-0000003", "2-0000002", Refused, "not known to be good"),
    ],
)
def test_why_not(serving: str, wanted: str, kind: type[ProdwiseError], words: str) -> None:
    with pytest.raises(kind, match=words) as raised:
        return_target(FOUR, serving, wanted)
    assert raised.value.hint
