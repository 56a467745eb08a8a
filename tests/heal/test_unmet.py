"""A release that is refused before any user met it gets a search for a fix, and a draft: a real app, healer, sandbox and remote."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from prodwise.heal import unmet
from prodwise.heal.pulls import Kept, Pulls, Stage, progress
from prodwise.model.errors import Refused
from prodwise.model.unmet import UnmetAt
from prodwise.sandbox import jail
from prodwise.targets.local import local_control
from prodwise.testing import apps
from tests.heal.running_healer import SETTINGS, House, traffic

FORGE = '\n[forge]\nkind = "git"\n'
PRICES = """RATES = {"eur": 1.0, "usd": 1.1}


def price(amount, currency):
    return round(amount * RATES[currency], 2)


SMALLEST = price(1, "usd")
"""
WRONG = PRICES.replace("RATES[currency]", "RATES[curency]")
TEST = """import unittest

import prices


class Prices(unittest.TestCase):
    def test_price(self):
        self.assertEqual(prices.price(10, "usd"), 11.0)
        self.assertEqual(prices.price(2, "eur"), 2.0)
"""
STARTS = {"prices.py": PRICES, "web.py": f"import prices\n{apps.WEB}", "test_prices.py": TEST}


@pytest.fixture
def real(open_house: Callable[..., House]) -> Callable[..., House]:
    """An app whose main branch is on a remote, with a healer that may propose fixes."""
    try:
        jail.require()
    except Refused as error:
        pytest.skip(f"not run: {error.message}")

    def make(settings: str = SETTINGS) -> House:
        house = open_house(settings=settings + FORGE)
        remote = house.dir.parent / "remote.git"
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(remote)], check=True, timeout=30)
        apps.git(house.dir, "remote", "add", "origin", str(remote))
        apps.git(house.dir, "push", "-q", "origin", "main")
        house.prove()
        return house

    return make


def refused(house: House, files: dict[str, str], merged: bool = True) -> str:
    """Deploys a commit that does not get to users. Returns its release."""
    apps.commit(house.dir, files=files)
    if merged:
        apps.git(house.dir, "push", "-q", "origin", "main")
    release = str(house.api.post("deploy", ref="HEAD")["release"])
    apps.until(lambda: house.state_of(release) == "failed", 60, "the refusal")
    return release


def ships(house: House, files: dict[str, str]) -> None:
    apps.commit(house.dir, files=files)
    apps.git(house.dir, "push", "-q", "origin", "main")
    with traffic(house.address):
        release = str(house.api.post("deploy", ref="HEAD")["release"])
        apps.until(lambda: house.state_of(release) == "verified_good", 60, "the good release")


def answered(house: House, release: str) -> str:
    """What came of the search."""

    def last() -> str:
        return progress(house.store, [release]).get(release, "")

    apps.until(lambda: last() and not last().startswith("looking for"), 300, "the search's end")
    return last()


def log(house: House) -> str:
    return (local_control.layout_of(house.dir).log / "fix.log").read_text()


def proposed(house: House) -> tuple[Kept, str]:
    """(what is remembered, the commit's message on the remote)."""
    (kept,) = Pulls(house.store).all()
    remote = Path(apps.git(house.dir, "remote", "get-url", "origin"))
    return kept, apps.git(remote, "log", "-1", "--format=%B", kept.published.branch)


@pytest.mark.full
def test_a_release_that_does_not_come_up_gets_a_draft_that_lets_it(real: Callable[..., House]) -> None:
    house = real()
    ships(house, STARTS)
    release = refused(house, {"prices.py": WRONG})
    noted = unmet.found(house.store, release)
    assert noted is not None, house.kinds(incident=release)
    assert (noted.at, noted.service) == (UnmetAt.START, "web")
    assert "NameError" in noted.said
    said = answered(house, release)
    assert said.startswith("a fix is proposed, as a draft"), (said, log(house))
    kept, message = proposed(house)
    assert (kept.stage, kept.incident, kept.release) == (Stage.OPEN, release, release)
    remote = Path(apps.git(house.dir, "remote", "get-url", "origin"))
    assert "RATES[currency]" in apps.git(remote, "show", f"{kept.published.branch}:prices.py"), log(house)
    assert "Calm, no user met it" in message
    assert "reproducer" in message
    told = house.told()
    assert told.count(f"A fix is proposed for release {release}") == 1
    assert "was refused before any user met it (start)" in told
    status = house.api.get("status")
    assert (status["unmet"]["release"], status["state"]) == (release, "ok")
    assert status["unmet"]["fix"].startswith("A fix is proposed, as a draft: ")
    assert house.api.get("releases")["fixes"] == {release: status["unmet"]["fix"]}

    apps.git(house.dir, "pull", "-q", "--no-edit", "--no-rebase", "origin", kept.published.branch)
    ships(house, {})
    assert house.api.get("status")["unmet"] is None
    apps.until(lambda: Pulls(house.store).all()[0].stage is Stage.HELD, 90, "the fix to hold")
    house.whole()
