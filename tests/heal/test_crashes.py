"""kill -9 of the healer at each ledger write of a restart, a deploy and a person's rollback."""

from __future__ import annotations

import itertools

import pytest

from prodwise.testing import apps
from tests.heal.running_healer import ON_BOTH, House, insist, kept_alive, traffic

WHENS = ("before", "after")
SAMPLE = ((2, "after"), (4, "before"), (7, "after"), (11, "before"))
MOST = 60
APART = 6
WRITES = 15
"""Fewer than a deploy makes."""


def restart(house: House, number: int, when: str) -> bool:
    """A hang is healed. Says whether the healer died on the way."""
    house.end_healer()
    house.long_ago()
    before = house.store.incidents.list(limit=100)
    house.ready(number, when)
    with kept_alive(house) as codes, traffic(house.address) as seen:
        apps.until(lambda: seen.answers[200] > 5, 10, "traffic")
        old = house.hang()
        apps.until(lambda: len(house.store.incidents.list(limit=100)) > len(before), 40, "an incident")
        apps.until(house.outcome, 40, "the incident's end")
    assert house.outcome() == "healed", house.incident()
    assert len(house.store.incidents.list(limit=100)) == len(before) + 1
    assert set(seen.pids) == {old, house.serving().pid}, "one process was replaced, once"
    assert seen.failed <= 2, "only requests that hung with their process, for longer than the proxy tries again"
    house.whole()
    return -9 in codes


def deploy(house: House, number: int, when: str, *, then: int = 0) -> int:
    """A good release becomes verified-good. then: at which of its writes each later healer dies. Says how many died."""
    house.end_healer()
    apps.commit(house.dir)
    known = {r.id for r in house.store.releases.list()}
    house.ready(number, when)
    new = lambda: {r.id for r in house.store.releases.list()} - known  # noqa: E731
    with kept_alive(house, then, when) as codes, traffic(house.address) as seen:
        insist(lambda: house.api.post("deploy", ref="HEAD"), new)
        apps.until(new, 10, "the release")
        release = max(new(), key=lambda r: int(r.split("-")[0]))
        apps.until(lambda: house.state_of(release) in ("verified_good", "failed"), 120, f"the end of {release}")
    assert house.state_of(release) == "verified_good", house.store.releases.load(release)
    assert house.serves(release), house.seen()
    assert seen.failed == 0, seen.answers
    house.end_healer()
    house.whole()
    return codes.count(-9)


def back(house: House, number: int, when: str) -> bool:
    """A person goes back to the release before; it is then the other way round, for the next time."""
    house.end_healer()
    serving = house.serving().release
    wanted = next(r.id for r in house.store.releases.list() if r.id != serving)
    house.store.releases.set_state(wanted, type(house.store.releases.load(wanted).state)("verified_good"), "", "test")
    house.ready(number, when)
    with kept_alive(house) as codes, traffic(house.address) as seen:
        insist(lambda: house.api.post("rollback", release=wanted), lambda: house.serving().release == wanted)
        apps.until(lambda: house.serves(wanted), 40, f"the return to {wanted}")
        apps.until(lambda: house.state_of(serving) == "failed", 40, f"the record about {serving}")
    assert house.serves(wanted)
    assert seen.failed == 0, seen.answers
    house.whole()
    return -9 in codes


STORIES = {"restart": restart, "deploy": deploy, "back": back}


@pytest.mark.full
@ON_BOTH
@pytest.mark.parametrize("story", STORIES)
@pytest.mark.timeout(240)
def test_a_killed_healer_goes_on_where_it_was(house: House, story: str) -> None:
    if story == "back":
        assert not deploy(house, 0, "after")
    died = [STORIES[story](house, number, when) for number, when in SAMPLE]
    assert any(died)


@pytest.mark.full
@pytest.mark.parametrize("when", WHENS)
@pytest.mark.parametrize("story", ["restart", "back"])
@pytest.mark.timeout(300)
def test_a_healer_killed_at_any_write_goes_on_where_it_was(house: House, story: str, when: str) -> None:
    if story == "back":
        assert not deploy(house, 0, "after")
    for number in itertools.count(2):
        assert number < MOST
        if not STORIES[story](house, number, when):
            break
    assert number > 4, "the story writes more than that"


@pytest.mark.full
@pytest.mark.parametrize("when", WHENS)
@pytest.mark.timeout(400)
def test_a_deploy_goes_on_however_many_healers_die(house: House, when: str) -> None:
    """Healers die at its writes 1, 7, 13, ... , at 2, 8, 14, ... of the next deploy, and so on: at every one of them."""
    died = sum(deploy(house, first, when, then=APART) for first in range(1, APART + 1))
    assert died > WRITES
