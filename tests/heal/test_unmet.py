"""A release that is refused before any user met it gets a search for a fix, and a draft: a real app, healer, sandbox and remote."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from prodwise.clock import monotonic, now
from prodwise.forge.branch import GitBranches
from prodwise.heal import unmet
from prodwise.heal.fixes import Fixes, Fixing
from prodwise.heal.fixing.check import Wanted
from prodwise.heal.hearing import _explained
from prodwise.heal.mending import mending
from prodwise.heal.pulls import Kept, Pulls, Stage, progress, turned
from prodwise.heal.sought import ASKED, again
from prodwise.loop.ship import ShipPhase, ShipTurn
from prodwise.loop.verify.started import NO_ANSWER
from prodwise.loop.watch.unmet import SAID_MAX, answers
from prodwise.model.errors import Refused
from prodwise.model.incident import Incident, IncidentState, Symptom
from prodwise.model.release import ReleaseState
from prodwise.model.unmet import UnmetAt
from prodwise.sandbox import jail
from prodwise.targets.local import local_control
from prodwise.testing import apps
from prodwise.testing.forge_kit import WRITER, pull_for
from prodwise.wiring.mending import Mender
from prodwise.wiring.mending import wanted as of_release
from tests.forge.rigs import HostRig, git
from tests.heal.running_healer import SETTINGS, House, traffic
from tests.heal.test_fixes import FOUND, Recorded
from tests.heal.test_undoing import CONFIG, World, world
from tests.loop.test_unmet import BOOT

__all__ = ["world"]

LONG = f"{'x' * 3000}\n{'y' * 3000}"
DIES = "it does not come up: web keeps ending (exit code 1, 3 restarts)"
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


# -- what is decided, on a real remote and with the answer of a search as it was recorded ------------------------------------


class Wrote:
    """Implements ports.LastWords."""

    def said(self, service: str, slot: str, release: str) -> str:
        return BOOT.format(release=release, line=3) if (service, slot) == ("web", "b") else ""


def fixes_of(world: World, found: Mapping[str, Any], a_day: int = 0) -> tuple[Fixes, Recorded]:
    mends = Recorded(found)
    mends.a_day = a_day
    return Fixes(world.fixes._parts, Fixing(mends, world.rig.forge)), mends


def found(world: World, diff: str = "", **other: Any) -> dict[str, Any]:
    return {**FOUND, "diff": diff or pull_for(world.rig, "k").proposal.diff, "reason": "`a` is `b`", **other}


def turned_down(world: World, commit: str = "", refused: str = "starting", by: str = "", reason: str = DIES) -> str:
    """As the release's own story ends. Returns its id."""
    release = world.store.releases.create(commit or world.rig.base, "ana").id
    parts = replace(world.fixes._parts, words=Wrote())
    unmet.note(parts, ShipTurn(release, ShipPhase.DONE, 0.0, reason=reason, refused=refused, by=by))
    world.store.releases.set_state(release, ReleaseState.FAILED, reason)
    return release


def of(world: World, release: str) -> list[Kept]:
    return [one for one in world.all() if one.incident == release]


def test_a_refused_release_is_looked_at_once_and_its_fix_proposed(world: World) -> None:
    release = turned_down(world)
    noted = unmet.found(world.store, release)
    assert noted is not None
    assert (noted.at, noted.service, "NameError" in noted.said) == (UnmetAt.START, "web", True)
    fixes, mends = fixes_of(world, found(world))
    for _ in range(3):
        fixes.turn()
    assert mends.asked == [release]
    (kept,) = of(world, release)
    body = Path(kept.published.url).read_text()
    assert "Calm, no user met it: the release was refused before." in body
    assert f"release {release} was refused before any user met it (start): it does not come up" in body.replace(
        "‑", "-"
    )
    assert world.told.titles == [f"A fix is proposed for release {release}"]
    assert "does not come up" in world.told.texts[0]


@pytest.mark.parametrize("refused", ["", "starting"])
def test_nothing_is_noted_of_one_that_users_met_or_a_person_took_back(world: World, refused: str) -> None:
    release = turned_down(world, refused=refused, by="ana" if refused else "")
    assert unmet.found(world.store, release) is None
    fixes, mends = fixes_of(world, found(world))
    fixes.turn()
    assert mends.asked == []


def test_it_waits_while_something_is_open_or_on_its_way_and_is_left_for_what_came_after(world: World) -> None:
    first = turned_down(world)
    fixes, mends = fixes_of(world, {})
    symptom = Symptom("errors", "web", "fails", now(), now())
    world.store.incidents.open(Incident("inc-9", "web", (symptom,), now(), IncidentState.SEEN))
    fixes.turn()
    assert mends.asked == []
    world.store.incidents.save("inc-9", closed_at=now(), outcome="escalated")
    later = world.store.releases.create(world.rig.base, "ana").id
    fixes.turn()
    assert mends.asked == [], "the next one is on its way"
    world.store.releases.set_state(later, ReleaseState.VERIFIED_GOOD, "")
    fixes.turn()
    assert mends.asked == [], "and holds"
    assert progress(world.store, [first]) == {}


def test_the_same_fault_again_brings_its_draft_up_to_date_and_asks_nobody_twice(world: World) -> None:
    fixes, mends = fixes_of(world, found(world))
    turned_down(world)
    releases = [turned_down(world)]  # which is all that is looked at: the one before says less
    for _ in range(3):
        fixes.turn()
    releases.append(turned_down(world))
    for _ in range(3):
        fixes.turn()
    assert mends.asked == releases
    third = releases[1]
    assert [one.incident for one in world.all() if not one.incident.startswith("inc-")] == [third]
    assert len(world.told.titles) == 1
    assert progress(world.store, [third])[third].startswith("a fix is proposed, as a draft")


def test_a_no_to_it_is_a_no_for_the_next_release_as_well(world: World) -> None:
    first = turned_down(world)
    fixes, _ = fixes_of(world, found(world))
    for _ in range(2):
        fixes.turn()
    (kept,) = of(world, first)
    Pulls(world.store).put(turned(kept, world.rig.forge().close(kept.published)))
    second = turned_down(world)
    for _ in range(3):
        fixes.turn()
    assert "closed" in progress(world.store, [second])[second]
    assert of(world, second) == []
    assert len(world.told.titles) == 1


@pytest.mark.parametrize("world", ["github"], indirect=True)
def test_another_search_that_a_person_asks_for_is_made_however_late(world: World) -> None:
    assert isinstance(world.rig, HostRig)
    release = turned_down(world)
    fixes, mends = fixes_of(world, found(world))
    for _ in range(2):
        fixes.turn()
    (kept,) = of(world, release)
    world.rig.say(kept.published, WRITER, "/prodwise close")
    world.turn()
    world.rig.say(kept.published, WRITER, "/prodwise retry")
    world.turn()
    made = world.store.releases.create(world.rig.base, "ana").id
    world.store.releases.set_state(made, ReleaseState.VERIFIED_GOOD, "")
    for _ in range(3):
        fixes.turn()
    assert mends.asked == [release, release], "the one before is not looked at by itself any more"
    closed, again = of(world, release)
    assert (closed.stage, again.stage) == (Stage.CLOSED, Stage.OPEN)
    assert again.published.number != closed.published.number


def test_another_search_for_what_is_known_no_longer_is_told_as_none(world: World) -> None:
    again(world.store, "inc-1")
    fixes, mends = fixes_of(world, {})
    for _ in range(2):
        fixes.turn()
    assert mends.asked == []
    told = [text for text in world.records() if "no fix is looked for again" in text]
    assert len(told) == 1


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("revert", "is not merged: there is nothing to take back"),
        ("patch", "is not merged: what passes all gates is for its own branch: what was wrong: `a` is `b`"),
    ],
)
def test_of_what_is_not_merged_no_pull_request_is_opened(world: World, kind: str, said: str) -> None:
    local = world.rig.local
    git(local, "commit", "-q", "--allow-empty", "-m", "on a branch")
    release = turned_down(world, git(local, "rev-parse", "HEAD"))
    fixes, _ = fixes_of(world, found(world, kind=kind))
    for _ in range(3):
        fixes.turn()
    assert of(world, release) == []
    assert said in progress(world.store, [release])[release]
    assert world.told.titles == []


def test_what_is_newer_on_the_remote_than_here_is_asked_of_the_remote(world: World, tmp_path: Path) -> None:
    bare, other = world.rig.bare, tmp_path / "other"  # type: ignore[union-attr]
    git(tmp_path, "clone", "-q", str(bare), str(other))
    git(other, "commit", "-q", "--allow-empty", "-m", "somebody else's")
    git(other, "push", "-q", "origin", "HEAD:main")
    branches = GitBranches(world.rig.local, str(bare))
    assert branches.has(world.rig.base)
    git(world.rig.local, "commit", "-q", "--allow-empty", "-m", "ours alone")
    assert not branches.has(git(world.rig.local, "rev-parse", "HEAD"))


def test_that_no_model_is_asked_for_want_of_a_number_is_said(world: World) -> None:
    fixes, mends = fixes_of(world, {}, a_day=1)
    world.store.settings.put(ASKED, [now()], "prodwise")
    release = turned_down(world)
    fixes.turn()
    assert mends.with_model == [False]
    assert "no model is asked, 1 searches of a day have asked one" in progress(world.store, [release])[release]


def test_explain_on_it_names_the_release(world: World) -> None:
    release = turned_down(world)
    fixes, _ = fixes_of(world, found(world))
    for _ in range(2):
        fixes.turn()
    (kept,) = of(world, release)
    assert f"`prodwise why {release}`" in _explained(kept)
    assert "`prodwise report inc-1`" in _explained(world.first)


@pytest.mark.parametrize(
    ("reason", "asks"),
    [
        ("make check failed (exit code 2):\nno", Wanted(test="make check", said="no")),
        (
            f"make check failed (exit code 2):\n{LONG}\nno\nthe whole log: /x/build.log",
            Wanted(test="make check", said=f"{'y' * 3000}\nno"),
        ),
        (
            "python migrate.py failed (exit code 1):\nno",
            "its release line failed (python migrate.py), and is not run again",
        ),
        ("uv pip install -r requirements.txt failed (exit code 1):\nno", "cannot be tried where no network is"),
        (
            "release 5-aaaaaaa could not be built: no space left on the disk",
            "no command that could be run again as a check",
        ),
    ],
)
def test_of_a_build_its_own_line_is_run_and_no_other(world: World, reason: str, asks: Wanted | str) -> None:
    local = world.rig.local
    (local / "prodwise.toml").write_text(f'build = "make check"\nrelease = "python migrate.py"\n{CONFIG}')
    release = turned_down(world, refused="building", reason=reason)
    asked = mending(world.store, None, release, lambda: "1-good")
    wanted = of_release(local, asked)
    if isinstance(asks, str):
        assert asks in wanted.why_not
    else:
        assert (wanted.test, wanted.said, wanted.why_not) == (asks.test, asks.said, "")


def test_one_long_line_is_kept_as_far_as_there_is_room_and_without_its_secret(world: World) -> None:
    said = f"{'x' * 9000} password=hunter2hunter2 {'y' * 5900}"
    release = turned_down(world, refused="building", reason=f"make check failed (exit code 2):\n{said}")
    noted = unmet.found(world.store, release)
    assert noted is not None
    assert noted.said.endswith("y" * 5900)
    assert "hunter2" not in noted.said + noted.reason
    assert len(noted.said) <= SAID_MAX


def test_of_checks_the_path_is_asked_again_and_of_a_start_the_service_started(world: World) -> None:
    release = turned_down(world, refused="checking", reason=f"web: {answers('/cart?n=1', 500, 200)}")
    wanted = of_release(world.rig.local, mending(world.store, None, release, lambda: "1-good"))
    assert wanted.request.startswith("GET /cart?n=1 HTTP/1.1\n")
    assert "NameError" in wanted.trace
    release = turned_down(world)
    wanted = of_release(world.rig.local, mending(world.store, None, release, lambda: "1-good"))
    assert wanted.start is not None
    assert wanted.start.command == "true"
    assert NO_ANSWER not in wanted.said
    release = turned_down(world, reason="not healthy within 5 s: web has not answered yet")
    wanted = of_release(world.rig.local, mending(world.store, None, release, lambda: "1-good"))
    assert wanted.said.endswith(NO_ANSWER)


# -- with the search's own process and sandbox -----------------------------------------------------------------------------

WSGI = """def total(prices):
    result = 0
    for price in prices:
        result += price
    return result


def application(environ, start_response):
    text = "well"
    if environ["PATH_INFO"] == "/cart":
        text = str(total([1, 2, 3]))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [text.encode()]
"""
CART = """import unittest

from wsgi import total


class Cart(unittest.TestCase):
    def test_total(self):
        self.assertEqual(total([1, 2, 3]), 6)
        self.assertEqual(total([]), 0)
"""
CHECKED = """version = 1
build = "python3 -m unittest -q"

[services.web]
command = "gunicorn wsgi:application"
"""


@pytest.fixture
def searching(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Commits and merges a wsgi.py after the good one. Returns the commit."""
    try:
        jail.require()
    except Refused as error:
        pytest.skip(f"not run: {error.message}")
    local = world.rig.local

    def commit(text: str) -> str:
        for name, held in (
            ("wsgi.py", text),
            ("test_cart.py", CART),
            ("prodwise.toml", CHECKED),
        ):
            (local / name).write_text(held)
        git(local, "add", "wsgi.py", "test_cart.py", "prodwise.toml")
        git(local, "commit", "-q", "-m", "the cart")
        git(local, "push", "-q", str(world.rig.bare), "HEAD:main")  # type: ignore[union-attr]
        return git(local, "rev-parse", "HEAD")

    where = local_control.layout_of(local)
    for folder in (where.run, where.log):
        folder.mkdir(parents=True, exist_ok=True)
    good = world.store.releases.create(commit(WSGI), "ana").id
    world.store.releases.set_state(good, ReleaseState.VERIFIED_GOOD, "")
    world.fixes = Fixes(world.fixes._parts, Fixing(Mender(local, where), world.rig.forge))
    return commit


@pytest.mark.full
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("refused", "reason"),
    [
        ("checking", f"web: {answers('/cart', 500, 200)}"),
        (
            "building",
            "python3 -m unittest -q failed (exit code 1):\nNameError: name 'prise' is not defined\n\nthe whole log: /x",
        ),
    ],
)
def test_the_command_of_the_gate_that_refused_it_is_what_a_fix_must_pass(
    world: World, searching: Callable[[str], str], refused: str, reason: str
) -> None:
    bad = searching(WSGI.replace("result += price", "result += prise"))
    parts = world.fixes._parts
    release = world.store.releases.create(bad, "ana").id
    unmet.note(parts, ShipTurn(release, ShipPhase.DONE, 0.0, reason=reason, refused=refused))
    world.store.releases.set_state(release, ReleaseState.FAILED, reason)
    deadline = monotonic() + 280
    while (said := progress(world.store, [release]).get(release, "looking")).startswith("looking"):
        assert monotonic() < deadline
        time.sleep(0.3)
        world.fixes.turn()
    log = (local_control.layout_of(world.rig.local).log / "fix.log").read_text()
    assert said.startswith("a fix is proposed, as a draft"), (said, log)
    (kept,) = of(world, release)
    bare = world.rig.bare  # type: ignore[union-attr]
    assert git(bare, "show", f"{kept.published.branch}:wsgi.py") == WSGI.strip(), log


# -- the whole of it ---------------------------------------------------------------------------------------------------------


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
    apps.until(lambda: house.state_of(release) == "failed", 120, "the refusal")
    return release


def ships(house: House, files: dict[str, str]) -> None:
    apps.commit(house.dir, files=files)
    apps.git(house.dir, "push", "-q", "origin", "main")
    with traffic(house.address):
        release = str(house.api.post("deploy", ref="HEAD")["release"])
        apps.until(lambda: house.state_of(release) == "verified_good", 120, "the good release")


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
@pytest.mark.timeout(600)
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
