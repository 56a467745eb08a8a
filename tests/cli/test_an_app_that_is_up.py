"""Bad input on an app that is really up, with its healer: a plain answer, and the running app untouched."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from prodwise.cli import house
from prodwise.targets.local import procs
from prodwise.testing import apps
from tests.cli.conftest import Quick
from tests.cli.live import SETTINGS, Live, begin

NOTHING: dict[str, str] = {}
REFUSED = {
    "unknown key": (
        apps.GOOD, {"prodwise.toml": SETTINGS.replace("probe =", "prob =")},
        ("'services.web.prob'", "did you mean 'probe'?"),
    ),
    "no service": (apps.GOOD, {"prodwise.toml": "version = 1\n"}, ("has no service to run", "prodwise init")),
    "does not build": (
        apps.GOOD, {"prodwise.toml": SETTINGS.replace("shared", 'build = "echo no compiler here; exit 3"\nshared')},
        ("exit code 3", "no compiler here", "build.log"),
    ),
    "ends at once": (apps.CRASH, NOTHING, ("keeps ending", "this release cannot start", "web-b.log")),
    "never healthy": (apps.SICK, NOTHING, ("not healthy within 2 s", "status 500")),
    "never listens": (apps.DEAF, NOTHING, ("not healthy within 2 s", "connection refused")),
}  # fmt: skip


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    made = Live(apps.make_app(tmp_path_factory.mktemp("live"), "shop", settings=SETTINGS))
    said = made.run("up")
    assert said.code == 0, said
    apps.until(lambda: "passed" in made.api.get("status")["self_test"], 30, "the proof that it can undo")
    apps.until(lambda: all(len(pids) == 1 for pids in made.state()[2].values()), 10, "what the proof started ends")
    yield made
    said = made.run("down", "-y")
    assert said.code == 0, said
    assert made.left() == []
    assert "Nothing was running" in made.run("down", "-y").out


@pytest.mark.parametrize("kind", REFUSED)
def test_a_release_that_cannot_run_is_refused_and_nothing_changes(live: Live, kind: str) -> None:
    variant, files, words = REFUSED[kind]
    with live.untouched():
        said = live.deploy(variant, files)
    assert said.code == 7, said
    for word in ("no user saw it", "fix it, commit it", *words):
        assert word in said.out + said.err, said
    assert "/src" not in said.out, "a path of ours tells a person nothing"


def test_what_does_not_exist_is_said_so(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(live.dir)
    quick = Quick(live.dir)
    lines = (
        "deploy nope", "deploy nope --dry-run", "rollback nope -y", "rollback nope --dry-run", "restart nope -y",
        "restart nope --dry-run", "undo nope -y", "undo nope --dry-run", "show nope", "why nope", "approve nope -y",
        "deny nope", "stage nope", "audit nope", "audit --incident nope", "drill run nope", "no-such-command",
    )  # fmt: skip
    with live.untouched():
        for line in lines:
            said = quick.run(*line.split())
            assert said.code == 2, (line, said)
            mark, _, hint = said.err.partition("\n")
            assert mark.startswith("▲ "), line
            assert "nope" in mark or "incident" in mark or "no-such-command" in mark, line
            assert hint.strip(), f"{line}: says nothing of what to do next"
            assert said.out == "", line


def test_a_reader_that_leaves_is_no_failure(live: Live) -> None:
    for line in ("releases", "audit --json", "status", "config"):
        command = " ".join(live.terminal.command(*line.split()))
        done = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {command} | head -c 1"], cwd=live.dir, env=live.terminal.environment(),
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, ""), line


def test_lines_that_are_no_requests_do_not_end_the_healer(live: Live) -> None:
    healer, before = procs.read_pid(live.layout.pid("healer")).pid, _per_second(live)
    with live.layout.access_log.open("ab") as log:
        log.write(
            b"not json {{{\n" + os.urandom(2_000).replace(b"\n", b"") + b"\n" + b'{"a":' * 5_000 + b"\n\n{}\n[]\n"
        )
    for _ in range(150):
        assert apps.get(live.address).status == 200
    apps.until(lambda: _per_second(live) > before + 0.5, 10, "requests are counted on")
    assert procs.read_pid(live.layout.pid("healer")).pid == healer


def _per_second(live: Live) -> float:
    shown = next(line["rate"] for line in live.api.get("status")["services"] if line["id"] == "web")
    return float(shown.partition("/")[0]) if "/s" in shown else 0.0


def test_two_more_ups_at_once_change_nothing(live: Live) -> None:
    with live.untouched():
        both = [begin(live.dir, "up", "--json") for _ in range(2)]
        said = [(one.wait(60), *one.communicate()) for one in both]
    assert {code for code, _, _ in said} <= {0, 1}
    assert any(code == 0 for code, _, _ in said), said
    for code, _, err in said:
        assert code == 0 or "another `prodwise up`" in err, said


def test_a_half_done_edit_does_not_cost_the_healer(live: Live) -> None:
    """It dies while prodwise.toml is broken: the next one goes on with the configuration before, and says so."""
    file = live.dir / "prodwise.toml"
    healer, text = procs.read_pid(live.layout.pid("healer")).pid, file.read_text()
    file.write_text(text + "[half")
    try:
        said = live.run("up")
        assert said.code == 2, said
        assert "prodwise.toml is not valid TOML" in said.err
        with live.untouched():
            os.kill(healer, signal.SIGKILL)
            again = lambda: procs.read_pid(live.layout.pid("healer")).pid not in (0, healer) and _answers(live)  # noqa: E731
            apps.until(again, 20, "the next healer")
        assert "the one before is kept" in live.run("audit").out
        assert live.run("stop").code == live.run("start").code == live.run("releases").code == 0
    finally:
        file.write_text(text)


def _answers(live: Live) -> bool:
    try:
        return bool(live.api.get("settings"))
    except Exception:  # noqa: BLE001 — whatever it is, it is not an answer
        return False


@pytest.mark.full
def test_a_deploy_during_a_rollout_waits_and_replaces_what_serves_then(live: Live) -> None:
    """Ctrl-C ends the following, not the rollout; the second begins when the first holds, and a bad one goes back to that."""
    apps.commit(live.dir)
    first = begin(live.dir, "deploy")
    assert first.stderr is not None
    _ = next(line for line in first.stderr if "of users have it" in line)
    with apps.load(live.address):
        os.killpg(first.pid, signal.SIGINT)
        _, told = first.communicate(timeout=20)
        assert first.returncode == 130
        assert "goes on without this terminal" in told
        apps.commit(live.dir, apps.CRASH)
        said = live.run("deploy", "--timeout", "90")
    assert "queued behind" in said.err, said
    assert said.code == 7, said
    apps.git(live.dir, "reset", "-q", "--hard", "HEAD~1")
    refused, held = (r["release"] for r in live.api.get("rollouts")["rollouts"][:2])
    assert live.rollout(held)["state"] == "verified_good"
    assert live.rollout(refused)["previous"] == held
    assert f"{held} serves" in said.out
    assert live.serving() == {held: "100 %"}


@pytest.mark.full
def test_up_takes_up_a_changed_configuration_while_users_are_served(live: Live) -> None:
    file = live.dir / "prodwise.toml"
    text, heard = file.read_text(), "nightly-backup"
    file.write_text(f'{text}\n[heartbeats.{heard}]\nevery = "1 day"\n')
    try:
        with live.untouched(), apps.load(live.address, "/pid") as seen:
            said = live.run("up")
        assert said.code == 0, said
        assert "prodwise.toml has changed" in said.out + said.err
        assert heard in live.run("hooks").out
    finally:
        file.write_text(text)
        again = live.run("up")
    assert set(seen.statuses) == {200}
    assert "prodwise.toml has changed" in again.out + again.err
    assert heard not in live.run("hooks").out
    assert "has changed" not in live.run("up").out


@pytest.mark.full
def test_a_moved_dashboard_is_told(live: Live) -> None:
    file = live.dir / "prodwise.toml"
    text, taken = file.read_text(), live.api.get("status")["address"].rpartition(":")[2]
    assert live.run("down", "-y").code == 0
    file.write_text(text.replace('dashboard = "127.0.0.1:0"', f'dashboard = "127.0.0.1:{taken}"'))
    said = live.run("up")
    file.write_text(text)
    assert said.code == 0, said
    assert f"port {taken} is taken: the dashboard moved" in said.out


HELD = {
    "looking at the app": ('version = 1\nbuild = "sleep 30"', apps.GOOD),
    "building release": ('version = 1\nbuild = "sleep 30"', apps.GOOD),
    "starting web": ("version = 1", apps.DEAF),
    "starting the healer": ("version = 1", apps.GOOD),
}
"""What `up` says it is at → how it is held there, so that the interruption comes neither before it nor after. A healer is slow."""


@pytest.mark.full
@pytest.mark.parametrize("at", HELD)
def test_an_interrupted_up_leaves_nothing_half_done(tmp_path: Path, at: str) -> None:
    first, variant = HELD[at]
    settings = SETTINGS.replace("version = 1", first).replace("start_seconds = 2", "start_seconds = 20")
    made = Live(apps.make_app(tmp_path, "shop", settings=settings))
    apps.commit(made.dir, variant)
    going = begin(made.dir, "up")
    assert going.stderr is not None
    assert any(at in line for line in going.stderr), "it ended before"
    os.killpg(going.pid, signal.SIGINT)
    os.killpg(going.pid, signal.SIGINT)
    out, err = going.communicate(timeout=60)
    assert going.returncode in (130, -signal.SIGINT), err  # a shell says 130 for both
    assert "Next:" not in out
    assert at == "looking at the app" or "what this had started has been ended again" in err
    assert made.left() == []
    apps.commit(made.dir, apps.GOOD, {"prodwise.toml": SETTINGS})
    assert made.run("up").code == 0
    assert apps.get(made.address).status == 200
    assert made.run("down", "-y").code == 0


def test_who_interrupts_once_the_app_is_up_is_told_that_it_runs_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    made = Live(apps.make_app(tmp_path, "shop", settings=SETTINGS))
    monkeypatch.setattr(house, "_ask_healer", interrupted)
    monkeypatch.setattr(house, "_bring_up", lambda desk, with_healer: {})
    said = Quick(made.dir).run("up")
    assert said.code == 130
    assert "interrupted: the app is up, and runs on; `prodwise down` ends it" in said.err


@pytest.mark.full
def test_a_first_up_that_fails_is_tried_anew_with_the_fix(tmp_path: Path) -> None:
    """The healer, which starts meanwhile, must not take the release that is being tried for one that was good."""
    made = Live(apps.make_app(tmp_path, "shop", settings=SETTINGS.replace("start_seconds = 2", "start_seconds = 6")))
    for variant in (apps.CRASH, apps.SICK):
        apps.commit(made.dir, variant)
        said = made.run("up")
        assert said.code == 7, said
        assert "does not become well" in said.err
        assert "fix it and commit, then `prodwise up`" in said.err
        assert made.left() == []
        assert made.run("status").code == 1
    apps.commit(made.dir)
    try:
        said = made.run("up")
        assert said.code == 0, said
        assert apps.get(made.address).text in said.out
    finally:
        assert made.run("down", "-y").code == 0
    again = made.run("up")
    assert again.code == 0
    assert apps.get(made.address).text in again.out
    assert made.run("down", "-y").code == 0
