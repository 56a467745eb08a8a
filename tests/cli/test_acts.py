"""Commands that act, against a real server: what they ask, what they tell, how they end."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

import pytest

from prodwise.cli.main import run
from prodwise.cli.times import seconds_of, until_of
from prodwise.clock import now
from prodwise.config import load
from prodwise.model.errors import UsageError
from prodwise.model.record import Rollout, RolloutState
from prodwise.targets.local import local_control
from tests.cli.conftest import Quick, Terminal
from tests.server import stories
from tests.server.running_server import World, target_seen, until


def rollout(state: RolloutState, share: float = 0.0, **more: object) -> Rollout:
    return Rollout("2-bbbbbbb", "1-aaaaaaa", state, f"{share:.0%}", share, now() - 5, **more)  # type: ignore[arg-type]


def test_deploy_detached_returns_the_release(shop: Terminal, world: World) -> None:
    said = shop.run("deploy", "main", "--detach")
    assert (said.code, said.out) == (0, "2-bbbbbbb\n")
    assert world.controls.asked[0][:2] == ("deploy", "main")
    assert "(terminal)" in world.controls.asked[0][2]


@pytest.mark.parametrize(
    ("ends", "share", "last", "code", "words"),
    [
        (RolloutState.VERIFIED_GOOD, 1.0, 1.0, 0, "is verified good"),
        (RolloutState.FAILED, 0.25, 0.0, 8, "went back by itself"),
        (RolloutState.FAILED, 0.25, 0.25, 1, "could not be taken from users. `prodwise releases` shows"),
        (RolloutState.FAILED, 0.0, 0.0, 7, "no user saw it"),
    ],
)
def test_deploy_follows_to_the_end(
    shop: Terminal, world: World, ends: RolloutState, share: float, last: float, code: int, words: str
) -> None:
    gates = ({"gate": "errors", "verdict": "hold", "reason": "418 of about 600 requests seen"},)
    world.store.rollouts.put(rollout(RolloutState.RAMPING if share else RolloutState.CHECKING, share, gates=gates))
    following = shop.begin("deploy")
    assert following.stderr is not None
    line = ""
    deadline = time.monotonic() + 20
    while ("of users have it" if share else "before any user sees it") not in line and time.monotonic() < deadline:
        line = following.stderr.readline()
    world.store.rollouts.put(rollout(ends, last, ended_at=now()))
    out, err = following.communicate(timeout=30)
    assert following.returncode == code, err
    assert words in out


def test_deploy_stops_following_in_time(shop: Terminal, world: World) -> None:
    world.store.rollouts.put(rollout(RolloutState.BUILDING))
    said = shop.run("deploy", "--timeout", "0.5", "--json")
    assert said.code == 124
    assert json.loads(said.out)["result"] == "timed_out"


def test_deploy_of_a_missing_ref(shop: Terminal, world: World) -> None:
    said = shop.run("deploy", "missing")
    assert said.code == 2
    assert "there is no commit 'missing'" in said.err
    assert "did you mean 'main'?" in said.err
    assert shop.run("deploy", "nowhere", "--dry-run").code == 2


HOLDING = ("rollback", "restart web", "undo", "stop", "start", "freeze", "unfreeze", "stage auto", "down")


def test_dry_runs_change_nothing(shop: Terminal, world: World, capsys: pytest.CaptureFixture[str]) -> None:
    stories.bad_release(world)
    plan = shop.run("deploy", "--dry-run").out
    assert "Serve tea" in plan
    assert "5 % ▸ 25 %" in plan
    for line in HOLDING:
        assert run([*line.split(), "--dry-run", "--dir", str(shop.folder)]) == 0, line
        assert "Nothing was changed." in capsys.readouterr().out, line
    assert world.controls.asked == []
    assert not (shop.folder / ".prodwise" / "run" / "stop").exists()


def test_refusals_come_through_with_their_code(shop: Terminal, world: World) -> None:
    world.controls.refuse = "frozen by ana: launch day"
    said = shop.run("deploy", "--detach", "--json")
    assert said.code == 6
    assert json.loads(said.err) == {"error": "frozen by ana: launch day", "code": "refused", "hint": "end it first"}


def test_rollback_asks_goes_back_and_waits(shop: Terminal, world: World) -> None:
    ids = stories.history(world)
    nobody = shop.run("rollback")
    assert nobody.code == 2
    assert "-y" in nobody.err
    assert world.controls.asked == []
    going = shop.begin("rollback", ids[1], "-y")
    until(lambda: world.controls.asked, "the wish to go back", 20)
    assert world.controls.asked[0][:2] == ("rollback", ids[1])
    world.target.seen = target_seen(0.0, ids[1])
    out, err = going.communicate(timeout=30)
    assert going.returncode == 0, err
    assert f"all users are on {ids[1]} again" in out


def test_a_dry_rollback_says_what_the_healer_would_say(shop: Terminal, world: World) -> None:
    ids = stories.history(world)
    plan = json.loads(shop.run("rollback", "--dry-run", "--json").out)
    assert (plan["dry_run"], plan["release"], plan["serving"]) == (True, ids[1], [ids[2]])
    for named, code, words in (
        ("nope", 2, "no release 'nope'"),
        (ids[2], 6, "serves"),
        (ids[3], 6, "not known to be good"),
    ):
        said = shop.run("rollback", named, "--dry-run")
        assert said.code == code, said
        assert words in said.err
    world.store.rollouts.put(Rollout(ids[3], ids[2], RolloutState.RAMPING, "5 %", 0.05, now()))
    assert f"{ids[3]}, which is on its way, would be withdrawn" in shop.run("rollback", "--dry-run").out


def test_a_broken_file_in_the_working_tree_does_not_keep_anyone_from_going_back(shop: Terminal, world: World) -> None:
    stories.history(world)
    (shop.folder / "prodwise.toml").write_text("version = [\n")
    assert "Nothing was changed." in shop.run("rollback", "--dry-run").out
    assert shop.run("stop").code == 0
    assert "teashop" in shop.run("status").out


def test_a_healer_that_hangs_does_not_hold_up_a_stop(terminal: Terminal, app_dir: Path) -> None:
    (app_dir / ".prodwise" / "run").mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(app_dir / ".prodwise" / "run" / "api.sock"))
        deaf.listen()
        stopping = terminal.begin("stop", "--dir", str(app_dir))
        assert stopping.stdout is not None
        assert "Stopped" in stopping.stdout.readline()
        assert (app_dir / ".prodwise" / "run" / "stop").exists()
        assert stopping.wait(timeout=12) == 0
        stopping.communicate()


def test_rollback_without_an_earlier_release(shop: Terminal, world: World) -> None:
    said = shop.run("rollback", "-y")
    assert said.code == 6
    assert "no earlier verified-good release" in said.err


def test_restart_waits_for_a_new_process(shop: Terminal, world: World) -> None:
    from dataclasses import replace

    restarting = shop.begin("restart", "web", "-y")
    deadline = time.monotonic() + 20
    while not world.controls.asked and time.monotonic() < deadline:
        time.sleep(0.02)
    assert world.target.seen is not None
    web, worker = world.target.seen.services
    world.target.seen = replace(
        world.target.seen, services=(replace(web, slots=(replace(web.slots[0], pid=99),)), worker)
    )
    out, err = restarting.communicate(timeout=30)
    assert restarting.returncode == 0, err
    assert "web runs anew" in out
    wrong = shop.run("restart", "wbe", "-y")
    assert wrong.code == 2
    assert "known: web, worker" in wrong.err


def test_undo_takes_the_newest_incident(shop: Terminal, world: World) -> None:
    stories.bad_release(world)
    said = shop.run("undo", "-y")
    assert said.code == 0
    assert world.controls.asked[0][:2] == ("undo", "inc-new")


def test_approve_shows_the_plan_and_binds_to_it(shop: Terminal, world: World) -> None:
    asked = stories.question(world)
    listed = shop.run("approve").out
    assert "go back to release" in listed
    said = shop.run("approve", asked, "-y")
    assert said.code == 0
    assert world.store.approvals.open() == []
    again = shop.run("approve", asked, "-y")
    assert again.code == 2
    assert "no open question" in again.err


def test_deny(shop: Terminal, world: World) -> None:
    asked = stories.question(world)
    assert shop.run("deny", asked).code == 0
    assert world.store.approvals.load(asked).state == "denied"


def test_stop_and_start_need_nobody_and_leave_word(shop: Terminal) -> None:
    """By file, with a line in the journal that the healer takes up: nothing waits at a healer that hangs, to act too late."""
    said = shop.run("stop", "--reason", "migrating")
    assert said.code == 0
    assert json.loads((shop.folder / ".prodwise" / "run" / "stop").read_text())["reason"] == "migrating"
    assert "may act again" in shop.run("start").out
    assert not (shop.folder / ".prodwise" / "run" / "stop").exists()
    assert "It was not stopped" in shop.run("start").out
    journal = (shop.folder / ".prodwise" / "journal.ndjson").read_text().splitlines()
    assert [json.loads(line)["action"] for line in journal] == ["stop", "start"]


def test_stop_works_with_everything_dead(terminal: Terminal, app_dir: Path) -> None:
    began = time.monotonic()
    said = terminal.run("stop", "--dir", str(app_dir))
    assert said.code == 0
    assert (app_dir / ".prodwise" / "run" / "stop").exists()
    assert time.monotonic() - began < 10
    assert terminal.run("start", "--dir", str(app_dir)).code == 0
    assert not (app_dir / ".prodwise" / "run" / "stop").exists()


def test_freeze_and_unfreeze(shop: Terminal, world: World) -> None:
    said = shop.run("freeze", "--for", "2h", "--reason", "launch day")
    assert said.code == 0
    frozen = world.store.settings.get("freeze")
    assert frozen["reason"] == "launch day"
    assert 7100 < frozen["until"] - now() < 7300
    assert "frozen by" in shop.run("status").out
    assert "s freeze. Nothing was changed." in shop.run("unfreeze", "--dry-run").out
    assert "freeze has ended" in shop.run("unfreeze").out
    assert world.store.settings.get("freeze") is None
    assert "It was not frozen" in shop.run("unfreeze").out
    for wrong in ("soon", "2020-01-01", "99999999d", "9999-12-31"):
        assert shop.run("freeze", "--for", wrong).code == 2, wrong
    said = [line.partition("(terminal)")[2].strip() for line in shop.run("audit").out.splitlines()]
    assert said[0].startswith("frozen until 20")
    assert said[0].endswith(" UTC: launch day")
    assert said[1] == "not frozen any more"


ANSWERS = {
    "stop --reason x": {"stopped": True, "reason": "x"},
    "start": {"stopped": False, "was_stopped": True},
    "freeze --reason x": {"frozen": True, "until": None, "reason": "x"},
    "unfreeze": {"frozen": False, "was_frozen": True},
    "stage suggest -y": {"stage": "suggest", "held": ""},
    "undo -y": {"incident": "inc-new", "text": "put release 2-bbbbbbb back"},
    "stop --dry-run": {"dry_run": True, "stopped": True},
    "start --dry-run": {"dry_run": True, "stopped": False},
    "freeze --dry-run": {"dry_run": True, "frozen": True, "until": None},
    "unfreeze --dry-run": {"dry_run": True, "frozen": False, "was_frozen": False},
    "stage auto --dry-run": {"dry_run": True, "stage": "auto", "before": "suggest"},
    "restart web --dry-run": {"dry_run": True, "service": "web", "processes": [11]},
    "down --dry-run": {"dry_run": True, "app": "teashop"},
}


def test_every_act_answers_in_json(shop: Terminal, world: World) -> None:
    stories.bad_release(world)
    for line, answer in ANSWERS.items():
        said = shop.run(*line.split(), "--json")
        assert said.code == 0, (line, said)
        assert json.loads(said.out) == {"schema_version": 1, **answer}, line
        assert said.err == "", line


def test_an_app_goes_by_its_own_name_not_its_folders(app_dir: Path) -> None:
    """Also while an edit has broken the file, and where nobody is left but the machine itself."""
    settings, kept = app_dir / "prodwise.toml", local_control.layout_of(app_dir).healer_settings
    settings.write_text(settings.read_text().replace("version = 1\n", 'version = 1\nname = "samovar"\n'))
    kept.parent.mkdir(parents=True)
    kept.write_text(load(app_dir).model_dump_json())
    for text in (settings.read_text(), "name = ["):
        settings.write_text(text)
        asked = Quick(app_dir).run("down", "--no-input")
        assert (asked.code, "Take samovar down?" in asked.err) == (2, True), asked
        assert "Would end samovar, its proxy" in Quick(app_dir).run("down", "--dry-run").out
    kept.unlink()
    assert "Would end teashop, its proxy" in Quick(app_dir).run("down", "--dry-run").out


def test_a_stop_in_the_wrong_folder_does_not_pretend(terminal: Terminal, app_dir: Path) -> None:
    inside = app_dir / "src" / "deep"
    inside.mkdir(parents=True)
    for command in ("stop", "start"):
        said = terminal.run(command, "--dir", str(inside))
        assert said.code == 2
        assert "nothing was changed" in said.err
        assert f"--dir {app_dir}" in said.err
    assert list(inside.iterdir()) == []
    assert f"--dir {app_dir}" in terminal.run("status", "--dir", str(inside)).err


def test_only_raising_the_stage_asks(shop: Terminal, world: World) -> None:
    assert shop.run("stage", "auto").code == 2
    assert world.store.settings.get("autonomy") is None
    assert shop.run("stage", "auto", "-y").code == 0
    assert world.store.settings.get("autonomy") == "auto"
    assert shop.run("stage", "observe").code == 0
    assert "▸ observe" in shop.run("stage").out
    assert shop.run("stage", "full").code == 2


def test_login_prints_only_the_link(shop: Terminal, world: World) -> None:
    said = shop.run("login")
    assert said.out.startswith("http://localhost:")
    assert "/login/" in said.out
    assert said.err == ""


def test_a_yes_on_the_terminal_counts(shop: Terminal, world: World) -> None:
    """A pseudo-terminal answers; anything but a yes changes nothing."""
    for answer, stage in (("n", None), ("y", "suggest")):
        said = shop.type(answer, "stage", "suggest")
        assert "Raise to suggest?" in said
        assert world.store.settings.get("autonomy") == stage


def test_times_that_people_type() -> None:
    assert seconds_of("90s") == 90
    assert seconds_of("1.5h") == 5400
    assert until_of("2026-12-24T18:00:00+00:00") == 1_798_135_200
    assert 0 < until_of("18:00") - now() <= 86_400
    for wrong in ("0m", "2 weeks", "", "25:00"):
        with pytest.raises(UsageError):
            until_of(wrong)


def test_an_incident_is_taken_over_called_wrong_and_handed_back(shop: Terminal, world: World) -> None:
    found = stories.bad_release(world)
    taken = shop.run("takeover")
    assert (taken.code, "only watches" in taken.out) == (0, True)
    assert f"prodwise takeover {found.id} --back" in shop.run("status").out
    assert json.loads(shop.run("takeover", found.id, "--wrong", "it is the disk", "--json").out)["taken_over"]
    assert shop.run("takeover", found.id, "--back", "--wrong", "x").code == 2
    assert "looks afresh" in shop.run("takeover", found.id, "--back").out
    again = shop.run("takeover", found.id, "--back")
    assert (again.code, "nobody has taken" in again.err) == (6, True)
    told = [e.text for e in world.store.ledger.entries(incident=found.id) if e.kind == "setting"]
    assert [text.partition(" ")[0] for text in told] == ["took", "called", "handed"]
