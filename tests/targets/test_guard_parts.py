"""The guard's parts without a running app: state, launcher, proxy configuration, logs, full disks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from prodwise.model.access import BadRecord, share_of
from prodwise.model.errors import ConfigError
from prodwise.targets.local import guard_state, install, launch, procs, proxy, supervision
from prodwise.targets.local.guard_state import Denied, Done, GuardState, Lease, ServiceState
from prodwise.targets.local.guard_watch import bound_log
from prodwise.targets.local.layout import Layout, make_private, write_atomically
from prodwise.targets.local.proxy import Front, Upstream
from prodwise.testing import apps

SRC = str(Path(guard_state.__file__).parents[3])


def layout_in(path: Path) -> Layout:
    layout = Layout(path / "app", path / "app/.prodwise")
    layout.make()
    return layout


def test_state_survives_writing_and_reading(tmp_path: Path) -> None:
    layout = layout_in(tmp_path)
    state = GuardState(lease=Lease("h", 3, 99.5, "boot"))
    state = state.with_service("web", ServiceState().with_slot("a", "1-aaaaaaa").remembering("1-aaaaaaa"))
    state = state.with_effect("k", Done("restart", 1, 12, 345)).with_lapse(guard_state.Lapse(1.0, "web", 0.5, "h"))
    guard_state.write(layout, state)
    assert guard_state.read(layout) == state
    layout.guard_state.write_text('{"half')
    with pytest.raises(Denied, match="cannot be read"):
        guard_state.read(layout)


def reboot(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same files under another boot id, and a clock that begins again."""
    monkeypatch.setattr(launch, "_boot", ["another-boot"])
    monkeypatch.setattr(guard_state, "uptime", lambda: 5.0)


def test_a_lease_does_not_outlive_a_reboot(monkeypatch: pytest.MonkeyPatch) -> None:
    state = GuardState(lease=guard_state.lease_after(GuardState(), "healer-1", 60.0))
    guard_state.check(state, 1, stopped=False)
    with pytest.raises(Denied, match="holds the lease"):
        guard_state.lease_after(state, "healer-2", 60.0)
    reboot(monkeypatch)
    with pytest.raises(Denied, match="has lapsed"):
        guard_state.check(state, 1, stopped=False)
    assert guard_state.lease_after(state, "healer-1", 60.0).token == 2, "its old orders are fenced off"
    assert guard_state.lease_after(state, "healer-2", 60.0).token == 2


def test_a_lease_does_not_look_at_the_wall_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    state = GuardState(lease=guard_state.lease_after(GuardState(), "healer-1", 60.0))
    for wall in (0.0, 4e9):
        monkeypatch.setattr(time, "time", lambda wall=wall: wall)
        guard_state.check(state, 1, stopped=False)


def test_numbers_of_an_earlier_boot_name_no_process_of_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pid and start time may be the same again after a reboot: here they are."""
    layout = layout_in(tmp_path)
    with subprocess.Popen(["sleep", "60"]) as child:
        facts = {"pid": child.pid, "ticks": launch.start_ticks(child.pid), "boot": launch.boot_id(), "generation": 1}
        path = layout.pid("web-a")
        launch.write_json(str(path), facts)
        assert procs.read_pid(path).alive
        reboot(monkeypatch)
        launch.write_json(str(path), facts)
        assert not procs.read_pid(path).alive
        launch.settle_orphan({"orphan": "end", "pid_file": str(path)}, facts)
        assert child.poll() is None
        assert launch.starts_so_far({"generation": 1}, facts) == ([], 0)
        child.kill()


def test_what_the_guard_remembers_is_bounded() -> None:
    state, service = GuardState(), ServiceState()
    for number in range(guard_state.EFFECTS_MAX + 100):
        state = state.with_effect(f"k{number}", Done("switch", 1))
        service = service.remembering(f"{number}-aaaaaaa")
    assert len(state.effects) == guard_state.EFFECTS_MAX
    assert "k100" in state.effects
    assert "k99" not in state.effects
    assert len(service.history) == guard_state.HISTORY_MAX


def test_going_back_forgets_what_was_newer() -> None:
    service = ServiceState().remembering("1").remembering("2").remembering("3").remembering("2")
    assert service.history == ("1", "2")


@pytest.mark.parametrize("share", [0.0, 0.01, 0.05, 0.25, 0.999, 1.0])
def test_the_switch_line_reads_back(share: float) -> None:
    slot, read = share_of(ServiceState(stable="b", share=share).line)
    assert slot == "b"
    assert read == pytest.approx(share, abs=1e-9)
    with pytest.raises(BadRecord):
        share_of("c0")


def test_a_lease_of_an_earlier_boot_has_lapsed() -> None:
    lease = Lease("h", 3, launch.uptime() + 1000, launch.boot_id())
    assert lease.live(launch.uptime(), launch.boot_id())
    assert not lease.live(launch.uptime(), "another boot")
    assert not lease.live(launch.uptime() + 1001, launch.boot_id())


def test_a_full_disk_changes_nothing_and_says_so(tmp_path: Path) -> None:
    """The child may write no file beyond 100 bytes, as if the disk were full."""
    layout = layout_in(tmp_path)
    guard_state.write(layout, GuardState())
    before = layout.guard_state.read_text()
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from prodwise.targets.local import guard_state as g; from prodwise.targets.local.layout import Layout\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "try: g.write(Layout(Path(sys.argv[1]), Path(sys.argv[2])), g.GuardState(services={'web': g.ServiceState()}))\n"
        "except g.Denied as no: print(no.kind, no, no.hint)\n"
    )
    argv = [sys.executable, "-B", "-c", code, str(layout.app), str(layout.state)]
    said = subprocess.run(argv, capture_output=True, text=True, check=True, env={"PYTHONPATH": SRC}).stdout
    assert said.startswith("target the guard cannot write its state")
    assert "make room" in said
    assert layout.guard_state.read_text() == before
    assert [path.name for path in layout.run.iterdir()] == ["guard.json"]


def test_the_guard_uses_the_standard_library_only() -> None:
    code = (
        f"import sys; sys.path.insert(0, {SRC!r}); from prodwise.targets.local import guard\n"
        "import json; print(json.dumps([name for name in sys.modules if name.partition('.')[0] not in sys.stdlib_module_names]))"
    )
    said = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True).stdout
    names = [name for name in json.loads(said) if name != "__main__"]
    assert names
    assert {name.partition(".")[0] for name in names} == {"prodwise"}


@pytest.mark.parametrize(
    ("command", "argv"),
    [
        ("python3 web.py --port=1", ["python3", "web.py", "--port=1"]),
        ("gunicorn -b 127.0.0.1:$PORT app:app", ["/bin/sh", "-c", "exec gunicorn -b 127.0.0.1:$PORT app:app"]),
        ("cd api && node x.js", ["/bin/sh", "-c", "cd api && node x.js"]),
        ("MODE=live node x.js", ["/bin/sh", "-c", "exec env MODE=live node x.js"]),
        ("A=1 b; c", ["/bin/sh", "-c", "A=1 b; c"]),
        ("say 'a b'", ["/bin/sh", "-c", "exec say 'a b'"]),
    ],
)
def test_a_command_becomes_an_argument_list(command: str, argv: list[str]) -> None:
    assert launch.argv_of(command) == argv


def test_a_crash_loop_is_slowed_down_step_by_step() -> None:
    def after(count: int, lived: float, now: float = 1000.0) -> float:
        starts, at = [], now
        for _ in range(count):
            starts.insert(0, [at - lived, at - lived])
            at -= lived
        return launch.pause(starts, now)

    assert [after(count, 0.1) for count in range(8)] == [0, 0, 0, 0.5, 1, 2, 4, 8]
    assert after(40, 0.1) == launch.PAUSE_MAX_S
    assert [after(count, 2.0) for count in (1, 4, 7)] == [0, 0, 0]
    assert after(9, 2.0) > 0
    assert after(30, 5.0) == 0


def test_an_env_file_is_read_as_the_configuration_reads_it(tmp_path: Path) -> None:
    from prodwise.config.environment import read_env_file

    file = tmp_path / "app.env"
    file.write_text("# c\n\nA=1\nexport B='x y'\nC=\"q\"\nD=a=b\nE=\n")
    assert (
        launch.read_env_file(str(file)) == read_env_file(file) == {"A": "1", "B": "x y", "C": "q", "D": "a=b", "E": ""}
    )
    file.write_text("A=1\nnot a pair\n")
    with pytest.raises(ValueError, match=":2:"):
        launch.read_env_file(str(file))


def test_only_the_very_process_is_ended() -> None:
    child = subprocess.Popen(["sleep", "60"], start_new_session=True)
    ticks = procs.start_ticks(child.pid)
    assert not procs.kill_group(child.pid, ticks + 1)
    procs.end(child.pid, ticks + 1, 1.0)
    assert child.poll() is None
    assert not procs.frozen(child.pid)
    child.send_signal(signal.SIGSTOP)
    apps.until(lambda: procs.frozen(child.pid))
    assert procs.kill_group(child.pid, ticks)
    apps.until(lambda: procs.exit_status(child.pid) is not None)
    assert procs.exit_status(child.pid) == -signal.SIGKILL
    assert procs.start_ticks(child.pid) == 0
    child.wait()


def test_what_a_dead_leader_leaves_behind_is_ended() -> None:
    leader = subprocess.Popen(
        ["sh", "-c", "sleep 60 & echo $!; exit 7"], start_new_session=True, stdout=subprocess.PIPE, text=True
    )
    assert leader.stdout is not None
    left = int(leader.stdout.readline())
    apps.until(lambda: procs.exit_status(leader.pid) is not None)
    assert procs.exit_status(leader.pid) == 7
    assert procs.start_ticks(left)
    procs.bury_group(leader.pid)
    apps.until(lambda: not procs.start_ticks(left))
    leader.wait()
    leader.stdout.close()


def test_a_process_tree_is_weighed_as_a_whole() -> None:
    with subprocess.Popen(["sh", "-c", "sleep 60 & sleep 60 & wait"], start_new_session=True) as leader:
        apps.until(lambda: len(procs.tree(leader.pid)) == 3)
        pids = procs.tree(leader.pid)
        assert procs.memory_bytes(pids) > procs.memory_bytes([leader.pid]) > 0
        assert procs.open_files(pids) >= 3
        os.killpg(leader.pid, signal.SIGKILL)


def test_a_log_is_bounded_while_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "web-a.log"
    with log.open("a") as writer:
        writer.write("old\n" * 1000)
        writer.flush()
        bound_log(log, 10_000)
        assert log.stat().st_size == 4000
        bound_log(log, 1000)
        writer.write("new\n")
        writer.flush()
    assert log.read_text() == "new\n"
    assert (tmp_path / "web-a.log.1").read_text() == "old\n" * 1000


def test_a_long_path_gets_short_private_sockets(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    layout = layout_in(deep)
    layout.make_sockets()
    assert layout.sockets != layout.run
    assert len(str(layout.socket("supervisor"))) < 90
    assert layout.sockets.stat().st_mode & 0o777 == 0o700
    layout.sockets.chmod(0o755)
    with pytest.raises(PermissionError):
        make_private(layout.sockets)
    layout.sockets.rmdir()


def test_an_atomic_write_leaves_no_half_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, "one", sync=True)
    write_atomically(path, "two")
    assert path.read_text() == "two"
    with pytest.raises(OSError):
        write_atomically(tmp_path / "missing" / "file", "x")
    assert [found.name for found in tmp_path.iterdir()] == ["file"]


def test_the_supervisor_runs_launchers_and_starts_slots_by_order_only(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "100% app", tmp_path / "100% app/.prodwise")
    text = supervision.configuration(layout, ("web-a", "web-b"), ("/py", "launch.py"), beside=("healer",), root=False)
    assert text.count("[program:") == 5
    assert "100%% app" in text
    slot = text.partition("[program:web-a]")[2].partition("[program:")[0]
    assert "autostart = false" in slot
    assert "autorestart = true" in slot
    with pytest.raises(ConfigError):
        supervision.configuration(Layout(Path("/a;b"), Path("/a ;b/x")), (), ("/py",), beside=(), root=False)


def test_stable_lists_no_second_upstream_and_a_canary_does(tmp_path: Path) -> None:
    layout = Layout(tmp_path, tmp_path / ".prodwise")
    made = proxy.configuration(
        layout, (Upstream("web", 1, 2, 3), Upstream("pay", 4, 5, 6)), Front("web", "127.0.0.1:7")
    )
    servers = made["apps"]["http"]["servers"]
    assert {name: server["listen"] for name, server in servers.items()} == {
        "inside-web": ["127.0.0.1:1"],
        "inside-pay": ["127.0.0.1:4"],
        "front": ["127.0.0.1:7"],
    }
    arms = [route["handle"][-1] for route in servers["front"]["routes"] if "terminal" in route]
    assert [[upstream["dial"] for upstream in arm["upstreams"]] for arm in arms] == [
        ["127.0.0.1:3", "127.0.0.1:2"],
        ["127.0.0.1:2"],
        ["127.0.0.1:2", "127.0.0.1:3"],
        ["127.0.0.1:3"],
    ]
    assert [("health_checks" in arm) for arm in arms] == [True, False, True, False]
    assert all(server["automatic_https"] == {"disable": True} for server in servers.values())


def test_a_reload_is_needed_only_for_what_the_proxy_does_not_serve_yet(tmp_path: Path) -> None:
    layout = Layout(tmp_path, tmp_path / ".prodwise")
    web, spare, next_spare = Upstream("web", 1, 2, 3), Upstream("", 4, 5, 6), Upstream("", 7, 8, 9)
    front = Front("web", "127.0.0.1:10")

    def made(*upstreams: Upstream, front: Front = front) -> proxy.Json:
        return proxy.configuration(layout, upstreams, front)

    running = made(web, spare)
    assert proxy.covers(running, made(web, Upstream("pay", 4, 5, 6), next_spare))
    assert not proxy.covers(running, made(web, Upstream("pay", 7, 8, 9), spare))
    assert not proxy.covers(running, made(web, spare, front=Front("web", "127.0.0.1:11")))
    assert not proxy.covers(running, {**made(web, spare), "logging": {}})
    assert proxy.covers(running, running)


@pytest.mark.parametrize(
    "front",
    [
        Front("web", "127.0.0.1:18443", tls=True),
        Front("web", "shop.example.com:18443", tls=True, trusted_proxies=("10.0.0.0/8",)),
        Front("web", "[::1]:18443"),
        Front("web", "0.0.0.0:18080", trusted_proxies=("192.168.0.0/16", "fd00::/8")),
    ],
    ids=["tls-address", "tls-name", "ipv6", "public"],
)
def test_the_proxy_accepts_every_kind_of_front(tmp_path: Path, front: Front) -> None:
    layout = layout_in(tmp_path)
    config = layout.run / "try.json"
    config.write_text(json.dumps(proxy.configuration(layout, (Upstream("web", 18001, 18002, 18003),), front)))
    env = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    argv = [install.caddy(), "validate", "--config", str(config)]
    done = subprocess.run(argv, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr[-800:]


def test_a_dead_holder_is_not_waited_for_and_its_token_is_not_reused() -> None:
    with subprocess.Popen(["sleep", "60"]) as holder:
        state = GuardState(lease=guard_state.lease_after(GuardState(), "first", 60.0, holder.pid))
        with pytest.raises(Denied):
            guard_state.lease_after(state, "second", 60.0, os.getpid())
        holder.kill()
        holder.wait(10)
    taken = guard_state.lease_after(state, "second", 60.0, os.getpid())
    assert (taken.holder, taken.token) == ("second", state.lease.token + 1)
