"""up, down, rollback and the errors of bad input, each with the running app untouched."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from pathlib import Path

import pytest

from prodwise.config import load
from prodwise.model.errors import BuildFailed, ConfigError, GateFailed, ProdwiseError, TargetError, UsageError
from prodwise.model.service import SlotName
from prodwise.model.signal import ProcessState
from prodwise.model.target import Switch
from prodwise.targets.local import end_all, local_control, procs
from prodwise.targets.local.target import LocalTarget
from prodwise.testing import apps

from .conftest import LocalApp, Up


def test_up_again_changes_nothing(local_app: LocalApp) -> None:
    before = local_app.target.observe()
    again = local_control.up(local_app.dir, load(local_app.dir), with_healer=False)
    assert (again.address, again.started, again.release) == (local_app.address, False, local_app.process().release)
    assert local_app.target.observe().revision == before.revision
    assert apps.git(local_app.dir, "status", "--porcelain") == ""


def test_down_leaves_nothing_and_up_takes_up_where_it_was(bring_up: Up) -> None:
    app = bring_up(worker=True)
    release = app.process().release
    pids = [app.process().pid, app.process(service="worker").pid]
    ended = local_control.down(app.dir)
    assert set(pids) < set(ended)
    assert not any(procs.start_ticks(pid) for pid in ended)
    assert end_all.strays_of(app.target.layout) == []
    assert apps.get(app.address, timeout_s=1).status == 0
    assert local_control.down(app.dir) == []
    assert local_control.status_offline(app.dir).seen is None
    again = bring_up(app.dir)
    assert (again.address, again.process().release) == (app.address, release)
    apps.until(lambda: apps.get(again.address).text == release)


def test_a_forked_stray_is_ended_too(bring_up: Up, tmp_path: Path) -> None:
    settings = apps.SETTINGS.replace('"python3 web.py"', '"setsid sleep 300 & exec python3 web.py"')
    app = bring_up(settings=settings)
    strays = [pid for pid in end_all.strays_of(app.target.layout) if b"sleep" in _line(pid)]
    assert len(strays) == 1
    local_control.down(app.dir)
    assert not _line(strays[0])


def _line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_a_taken_port_is_named_with_its_holder_and_nothing_is_left(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        app = apps.make_app(tmp_path, settings=apps.SETTINGS.replace("127.0.0.1:0", f"127.0.0.1:{port}"))
        with pytest.raises(TargetError) as error:
            local_control.up(app, load(app), with_healer=False)
    assert str(port) in error.value.message
    assert str(os.getpid()) in error.value.message
    assert local_control.down(app) == []


def test_a_second_up_at_the_same_time_is_told_so(local_app: LocalApp) -> None:
    with (local_app.target.layout.run / "up.lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(TargetError, match="another `prodwise up`"):
            local_control.up(local_app.dir, load(local_app.dir), with_healer=False)
    assert apps.get(local_app.address).status == 200


def test_a_missing_ref_names_near_ones(local_app: LocalApp) -> None:
    apps.git(local_app.dir, "branch", "checkout-fix")
    with pytest.raises(UsageError) as error:
        local_app.target.resolve("chekout-fix")
    assert "checkout-fix" in error.value.hint
    for ref in ("", "--help", "no such thing", "a\x00b"):
        with pytest.raises(UsageError):
            local_app.target.resolve(ref)
    assert local_app.target.resolve("main") == apps.git(local_app.dir, "rev-parse", "HEAD")


@pytest.mark.parametrize("empty_repository", [True, False])
def test_a_folder_without_a_commit_cannot_be_brought_up(tmp_path: Path, empty_repository: bool) -> None:
    app = tmp_path / "app"
    app.mkdir()
    if empty_repository:
        apps.git(app, "init", "-q")
    (app / "Procfile").write_text("web: python3 web.py\n")
    with pytest.raises(UsageError, match="no commit" if empty_repository else "not a git repository"):
        local_control.up(app, load(app), with_healer=False)
    assert not (app / ".prodwise").exists()


def test_an_unknown_user_is_refused_before_anything_starts(tmp_path: Path) -> None:
    settings = apps.SETTINGS.replace("version = 1", 'version = 1\nuser = "nobody-of-that-name"')
    app = apps.make_app(tmp_path, settings=settings)
    with pytest.raises(ConfigError, match="nobody-of-that-name"):
        local_control.up(app, load(app), with_healer=False)
    assert not (app / ".prodwise").exists()


@pytest.mark.parametrize(
    "variant", [apps.CRASH, *(pytest.param(one, marks=pytest.mark.full) for one in (apps.SICK, apps.DEAF))]
)
def test_a_first_release_that_is_never_well_is_refused_and_nothing_is_left(tmp_path: Path, variant: str) -> None:
    app = apps.make_app(tmp_path, settings=apps.SETTINGS.replace("start_seconds = 5", "start_seconds = 1.5"))
    apps.commit(app, variant)
    with pytest.raises(GateFailed, match="does not become well") as error:
        local_control.up(app, load(app), with_healer=False)
    if variant == apps.CRASH:
        assert "this release cannot start" in error.value.message
    layout = local_control.layout_of(app)
    assert not [seen for path in layout.run.glob("*.pid*") if (seen := procs.read_pid(path)).alive]
    assert end_all.strays_of(layout) == []
    apps.commit(app, apps.GOOD)
    result = local_control.up(app, load(app), with_healer=False)
    try:
        assert apps.get(result.address).text == result.release
    finally:
        local_control.down(app)


def test_a_release_that_does_not_build_leaves_the_app_alone(local_app: LocalApp) -> None:
    before = local_app.target.observe().revision
    commit = apps.commit(
        local_app.dir, apps.GOOD, {"prodwise.toml": "build = 'echo no compiler; exit 3'\n" + apps.SETTINGS}
    )
    release = local_app.target.next_id(commit)
    with pytest.raises(BuildFailed, match="no compiler") as error:
        local_app.target.build(release, commit)
    assert "exit code 3" in error.value.message
    with pytest.raises(TargetError, match="was not built"):
        local_app.start("b", release)
    with pytest.raises(BuildFailed):
        local_app.target.run_release_line(release)
    bad = apps.commit(local_app.dir, apps.GOOD, {"prodwise.toml": "verson = 1\n"})
    with pytest.raises(BuildFailed, match="unknown key 'verson'"):
        local_app.target.build(local_app.target.next_id(bad), bad)
    assert local_app.target.observe().revision == before
    assert apps.get(local_app.address).status == 200


def test_rollback_takes_back_a_running_ramp(local_app: LocalApp) -> None:
    stable, canary = local_app.process().release, local_app.ramped(apps.BAD, 1.0)
    local_control.stop_all(local_app.dir)
    late = local_app.token
    done = local_control.rollback_now(local_app.dir)
    assert [(entry.before, entry.after) for entry in done] == [(canary, stable)]
    assert {apps.get(local_app.address).text for _ in range(5)} == {stable}
    assert local_app.process("b").state is ProcessState.STOPPED
    local_control.start_again(local_app.dir)
    with pytest.raises(ProdwiseError, match="token"):
        local_app.target.switch(local_app.order(late), "web", Switch(SlotName.A, 1.0))
    journal = [json.loads(line) for line in local_app.target.layout.journal.read_text().splitlines()]
    assert [entry["action"] for entry in journal] == ["stop", "rollback", "start"]


def test_rollback_after_promotion_starts_the_release_before(bring_up: Up) -> None:
    app = bring_up(worker=True)
    first = app.process().release
    second = app.ramped(apps.GOOD, 1.0)
    app.switch("b")
    app.target.stop(app.order(), "web", SlotName.A, 0.0)
    app.target.stop(app.order(), "worker", SlotName.A, 0.0)
    app.start("b", second, "worker")
    with apps.load(app.address) as seen:
        done = local_control.rollback_now(app.dir)
    assert {(entry.service, entry.after) for entry in done} == {("web", first), ("worker", first)}
    assert seen.failed == 0
    assert apps.get(app.address).text == first
    assert [slot.release for slot in app.seen("worker").slots if slot.pid] == [first]
    with pytest.raises(TargetError, match="no earlier release"):
        local_control.rollback_now(app.dir)
    assert apps.get(app.address).text == first


def test_status_and_stop_work_with_everything_dead(bring_up: Up) -> None:
    app = bring_up()
    local_control.down(app.dir)
    local_control.stop_all(app.dir)
    status = local_control.status_offline(app.dir)
    assert (status.stopped, status.guard, status.supervisor, status.proxy) == (True, False, 0, 0)
    again = bring_up(app.dir)
    assert again.target.observe().stopped
    assert "ExecStart=" in local_control.unit_text(app.dir)
    assert str(app.dir) in local_control.unit_text(app.dir)


def test_up_brings_back_a_supervisor_that_died_with_its_guard(local_app: LocalApp) -> None:
    layout = local_app.target.layout
    guard = procs.read_pid(layout.pid("guard"))
    os.kill(guard.pid, 19)
    os.kill(end_all.supervisor_of(layout), 9)
    os.kill(guard.pid, 9)
    apps.until(lambda: not guard.alive and not end_all.supervisor_of(layout))
    assert apps.get(local_app.address).status == 200
    local_control.up(local_app.dir, load(local_app.dir), with_healer=False)
    assert LocalTarget(local_app.dir, load(local_app.dir)).observe().service("web")
    apps.until(lambda: local_app.seen().switch == Switch(SlotName.B, 0.0), 20, "the orphan's replacement")
