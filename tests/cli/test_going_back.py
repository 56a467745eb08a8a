"""A person goes back over migrations: told first, asked once more, and never held."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from prodwise.cli.going_back import goal_of
from prodwise.clock import now
from prodwise.model.record import Rollout, RolloutState
from prodwise.model.release import ReleaseState
from prodwise.testing import apps
from tests.cli.conftest import Terminal
from tests.server.running_server import World, target_seen, until

DROP = "CREATE TABLE a (id int);\nALTER TABLE users DROP COLUMN mail;\n"


def releases(world: World, folder: Path, migration: str) -> list[str]:
    """Two good releases of real commits; the second one brought a migration."""
    commits = [apps.git(folder, "rev-parse", "HEAD"), apps.commit(folder, files={"migrations/2.sql": migration})]
    ids = [world.store.releases.create(commit, "ana").id for commit in commits]
    for one, state in zip(ids, (ReleaseState.RETIRED, ReleaseState.VERIFIED_GOOD), strict=True):
        world.store.releases.set_state(one, state, "its watch passed")
        (folder / ".prodwise" / "releases" / one).mkdir(parents=True)  # no record: it ran no release line
    world.target.seen = target_seen(0.0, ids[1])
    return ids


def test_a_dry_run_says_what_migrations_did(shop: Terminal, world: World) -> None:
    ids = releases(world, shop.folder, DROP)
    said = shop.run("rollback", "--dry-run").out
    assert "Migrations since then do not go back with the code:" in said
    assert "contract: migrations/2.sql:2 drops from users: mail: the older release may still use it" in said
    told = json.loads(shop.run("rollback", "--dry-run", "--json").out)
    assert told["release"] == ids[0]
    assert "migrations/2.sql:2" in told["asks"]
    assert [(one["line"], one["kind"]) for one in told["schema"]] == [(1, "expand"), (2, "contract")]
    assert world.controls.asked == []


def test_it_takes_two_yeses_and_one_no_is_enough(shop: Terminal, world: World) -> None:
    ids = releases(world, shop.folder, DROP)
    shown = shop.type("n", "rollback")
    assert shown.index("migrations/2.sql:2") < shown.index(f"Go back to {ids[0]}?")
    assert "all the same" not in shown
    assert world.controls.asked == []
    going = shop.begin("rollback", ids[0], "-y")
    until(lambda: world.controls.asked, "the wish to go back", 20)
    world.target.seen = target_seen(0.0, ids[0])
    _, err = going.communicate(timeout=30)
    assert "migrations/2.sql:2" in err
    assert world.controls.asked[0][:2] == ("rollback", ids[0])


def test_the_second_question_is_asked_on_a_terminal(shop: Terminal, world: World) -> None:
    releases(world, shop.folder, DROP)
    world.controls.refuse = "enough seen"
    shown = shop.type("y", "rollback")
    assert shown.count("[y/N]") == 2
    assert "Go back all the same?" in shown
    assert "enough seen" in shown


@pytest.mark.parametrize("migration", ["CREATE TABLE a (id int);\n", ""])
def test_what_only_adds_is_asked_about_once(shop: Terminal, world: World, migration: str) -> None:
    releases(world, shop.folder, migration)
    world.controls.refuse = "enough seen"
    shown = shop.type("y", "rollback")
    assert shown.count("[y/N]") == 1
    assert "igrations" not in shown


def test_withdrawing_a_release_on_its_way_is_asked_about_once_and_tells_what_stays(
    shop: Terminal, world: World
) -> None:
    ids = releases(world, shop.folder, DROP)
    world.store.rollouts.put(Rollout(ids[1], ids[0], RolloutState.RAMPING, "5 %", 0.05, now()))
    world.target.seen = target_seen(0.05, ids[0], ids[1])
    world.controls.refuse = "enough seen"
    shown = shop.type("y", "rollback")
    assert shown.count("[y/N]") == 1
    assert f"{ids[1]} ran them before it had users; they stay." in shown
    assert json.loads(shop.run("rollback", "--dry-run", "--json").out)["asks"] == ""


def test_what_cannot_be_read_is_told_and_holds_nobody(shop: Terminal, world: World) -> None:
    ids = releases(world, shop.folder, DROP)
    (shop.folder / ".git").rename(shop.folder / "git-is-gone")
    going = shop.begin("rollback", ids[0], "-y")
    until(lambda: world.controls.asked, "the wish to go back", 20)
    world.target.seen = target_seen(0.0, ids[0])
    _, err = going.communicate(timeout=30)
    assert going.returncode == 0, err
    assert "were not all read" in err


@pytest.mark.parametrize("wanted", [(), ("9-1111111",)])
def test_a_release_that_was_left_with_a_share_is_what_is_gone_back_from(
    shop: Terminal, world: World, wanted: tuple[str, ...]
) -> None:
    """As the healer does it; ids are no numbers: 10 stands before 9."""
    for number in range(1, 11):
        made = world.store.releases.create("1" * 40, "ana").id
        state = ReleaseState.FAILED if number == 10 else ReleaseState.VERIFIED_GOOD
        world.store.releases.set_state(made, state, "")
    world.store.rollouts.put(Rollout("10-1111111", "9-1111111", RolloutState.FAILED, "25 %", 0.25, now()))
    world.target.seen = target_seen(0.25, "9-1111111", "10-1111111")
    said = shop.run("rollback", *wanted, "--dry-run").out
    assert "10-1111111, which still has users, would be withdrawn; all users would be on 9-1111111." in said
    assert json.loads(shop.run("rollback", *wanted, "--dry-run", "--json").out)["release"] == "9-1111111"


def test_a_healer_of_an_earlier_version_keeps_nobody_from_going_back() -> None:
    """It tells what serves, and not which of it is stable."""
    rows = [
        {
            "id": f"{number}-1111111", "number": number, "commit": "1" * 40, "digest": "", "created_at": 1.0,
            "state": "verified_good", "title": "", "author": "", "reason": "",
        }
        for number in (2, 1)
    ]  # fmt: skip

    class Earlier:
        def get(self, path: str, **asked: object) -> dict[str, object]:
            return {"rollouts": []} if path == "rollouts" else {"releases": rows, "serving": {"2-1111111": "100 %"}}

    assert goal_of(Earlier(), "").release == "1-1111111"  # type: ignore[arg-type]
