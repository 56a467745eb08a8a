"""Drills with real processes and traffic, healed by nobody or by stock supervisord."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from prodwise.drill.faults import send
from prodwise.drill.git import git
from prodwise.drill.healers.base import NotRun, make_healer
from prodwise.drill.healers.monit import binary
from prodwise.drill.narrate import Line
from prodwise.drill.processes import age_s
from prodwise.drill.run import run_scenarios
from prodwise.model.errors import ConfigError, TargetError, UsageError
from tests.drill.running_shop import poll


def short(folder: Path, name: str, *changes: tuple[str, str]) -> str:
    """A built-in scenario, cut short for a test."""
    text = (Path(run_scenarios.__code__.co_filename).parent / "scenarios" / f"{name}.toml").read_text()
    for old, new in (("at = 5.0", "at = 1.5"), *changes):
        assert old in text
        text = text.replace(old, new)
    path = folder / f"{name}.toml"
    path.write_text(text)
    return str(path)


def leftovers(mark: str) -> list[str]:
    """Processes that run in a drill's folder."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd"]):
        words = " ".join([*(process.info["cmdline"] or []), process.info["cwd"] or ""])
        if mark in words:
            found.append(words)
    return found


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@pytest.mark.full
def test_nobody_heals_a_crash(tmp_path: Path) -> None:
    result = run_scenarios([short(tmp_path, "crash", ("seconds = 40", "seconds = 5"))], "none", on_event=lambda _: None)
    one = result.scenarios[0]
    assert (one.outcome, one.passed, one.actions) == ("unhealed", False, ())
    assert one.requests_failed > 30
    assert one.seconds_to_recover is None
    assert result.exit_code == 1
    assert leftovers(str(tmp_path / "prodwise-drill-")) == []
    assert list(tmp_path.glob("prodwise-drill-*")) == []


@pytest.mark.full
def test_supervisor_heals_a_crash_and_is_timed(tmp_path: Path) -> None:
    told: list[Line] = []
    path = short(tmp_path, "crash", ("max_failed = 10", "max_failed = 200"))
    result = run_scenarios([path], "supervisor", str(tmp_path / "out.json"), on_event=told.append)
    one = result.scenarios[0]
    assert (one.outcome, one.passed) == ("healed", True), one.notes
    assert [(action.kind, action.target) for action in one.actions] == [("restart", "web")]
    assert one.seconds_to_recover is not None
    assert 0 < one.seconds_to_recover < 10
    assert (tmp_path / "out.json").is_file()
    assert [line.kind for line in told] == ["scenario", "fault", "event", "result"]
    assert leftovers(str(tmp_path)) == []


@pytest.mark.full
def test_nobody_stops_a_release_that_does_not_boot(tmp_path: Path) -> None:
    path = short(tmp_path, "boot-release", ("seconds = 60", "seconds = 7"))
    one = run_scenarios([path], "none", on_event=lambda _: None).scenarios[0]
    assert (one.outcome, one.passed) == ("unhealed", False)


def test_an_app_from_a_path_is_copied_and_left_alone(tmp_path: Path) -> None:
    app = tmp_path / "my-app"
    app.mkdir()
    git(app, "init", "-q", "-b", "main")
    (app / "Procfile").write_text("web: python3 -m http.server --bind 127.0.0.1 $PORT\n")
    git(app, "add", "-A")
    git(app, "commit", "-q", "-m", "Begin")
    scenario = tmp_path / "mine.toml"
    scenario.write_text('name = "mine"\napp = "my-app"\nseconds = 2\n[expect]\noutcome = "quiet"\nmax_failed = 0\n')
    result = run_scenarios([str(scenario)], "none", on_event=lambda _: None)
    assert result.scenarios[0].passed, result.scenarios[0].notes
    assert sorted(path.name for path in app.iterdir()) == [".git", "Procfile"]
    assert git(app, "worktree", "list").count("\n") == 1


APP = """
import http.server, os
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *words):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Page).serve_forever()
"""
WORKER = "import time\nwhile True:\n    time.sleep(0.2)\n"


def make_app(folder: Path, procfile: str) -> Path:
    """A repository with a page, a worker and a Procfile, and bad.diff beside it: half of all pages fail."""
    app = folder / "my-app"
    app.mkdir()
    git(app, "init", "-q", "-b", "main")
    for name, text in (("app.py", APP), ("worker.py", WORKER), ("Procfile", procfile)):
        (app / name).write_text(text)
    git(app, "add", "-A")
    git(app, "commit", "-q", "-m", "Begin")
    bad = APP.replace("    def do_GET", "    count = 0\n    def do_GET").replace(
        "self.send_response(200)", "Page.count += 1\n        self.send_response(500 if Page.count % 2 else 200)"
    )
    (app / "app.py").write_text(bad)
    (folder / "bad.diff").write_text(git(app, "diff"))
    git(app, "checkout", "-q", "app.py")
    return app


def scenario_of(folder: Path, seconds: float, fault: str, expect: str, rate: float = 40.0) -> str:
    path = folder / "mine.toml"
    path.write_text(
        f'name = "mine"\napp = "my-app"\nseconds = {seconds}\ntraffic = {{ rate = {rate} }}\n[[fault]]\n{fault}\n[expect]\n{expect}\n'
    )
    return str(path)


def test_a_patch_is_committed_and_deployed_to_the_copy(tmp_path: Path) -> None:
    app = make_app(tmp_path, "web: python3 app.py\n")
    path = scenario_of(tmp_path, 5, 'at = 1.5\nkind = "release"\npatch = "bad.diff"', 'outcome = "healed"')
    one = run_scenarios([path], "none", on_event=lambda _: None).scenarios[0]
    assert (one.outcome, one.passed, one.seconds_to_recover) == ("unhealed", False, None)
    assert one.requests_failed > 10
    assert git(app, "status", "--porcelain") == ""
    assert git(app, "rev-list", "--count", "HEAD").strip() == "1"


@pytest.mark.full
def test_an_app_of_workers_only_is_drilled_without_traffic(tmp_path: Path) -> None:
    make_app(tmp_path, "worker: python3 worker.py\n")
    path = scenario_of(tmp_path, 20, 'at = 1.5\nkind = "kill"', 'outcome = "healed"\nactions = ["restart"]')
    one = run_scenarios([path], "supervisor", on_event=lambda _: None).scenarios[0]
    assert (one.outcome, one.passed, one.requests) == ("healed", True, 0), one.notes
    assert one.seconds_to_recover is not None
    assert 0 < one.seconds_to_recover < 5


@pytest.mark.full
def test_a_freeze_with_an_end_of_its_own_ends(tmp_path: Path) -> None:
    make_app(tmp_path, "web: python3 app.py\n")
    path = scenario_of(tmp_path, 6, 'at = 1.5\nkind = "hang"\nseconds = 1.5', 'outcome = "healed"')
    one = run_scenarios([path], "none", on_event=lambda _: None).scenarios[0]
    assert one.outcome == "unhealed", "nobody did anything"
    assert one.seconds_to_recover == pytest.approx(1.5, abs=0.6)


@pytest.mark.full
@pytest.mark.timeout(400)
def test_prodwise_heals_a_procfile_app_from_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", None)  # its processes look for their sockets there too
    make_app(tmp_path, "web: python3 app.py\nworker: python3 worker.py\n")
    faults = (
        'at = 4\nkind = "kill"\n[[fault]]\nat = 12\nkind = "release"\npatch = "bad.diff"\n'
        '[[fault]]\nat = 40\nkind = "hang"\nservice = "worker"'
    )
    path = scenario_of(
        tmp_path, 150, faults, 'outcome = "healed"\nactions = ["restart", "rollback", "restart"]\nmax_failed = 40'
    )
    one = run_scenarios([path], on_event=lambda _: None).scenarios[0]
    assert one.passed, one.notes
    assert (one.outcome, one.wrong_actions, one.repeats) == ("healed", 0, 0)


def test_unknown_healer_and_scenario_are_named_before_anything_starts() -> None:
    with pytest.raises(UsageError, match="no healer 'systemd'"):
        run_scenarios(["quiet"], "systemd")
    with pytest.raises(ConfigError, match="no scenario 'crush'"):
        run_scenarios(["quiet", "crush"], "none")


def test_a_drill_that_is_told_to_end_leaves_nothing_running(tmp_path: Path) -> None:
    code = "from prodwise.drill.run import run_scenarios; run_scenarios(['quiet'], 'supervisor')"
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    process = subprocess.Popen([sys.executable, "-c", code], env=env, stdout=subprocess.DEVNULL)
    try:
        assert poll(lambda: any("requests.ndjson" in words for words in leftovers(str(tmp_path))), 30)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 143
    finally:
        process.kill()
    assert poll(lambda: leftovers(str(tmp_path)) == [], 5), leftovers(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_faults_never_touch_ourselves_or_our_parents() -> None:
    for pid in (0, 1, os.getpid(), os.getppid()):
        with pytest.raises(TargetError, match="not the app's"):
            send(pid, signal.SIGCONT)


def test_age_of_a_process_is_fine_grained() -> None:
    with subprocess.Popen(["sleep", "5"]) as process:
        try:
            assert poll(lambda: age_s(process.pid) > 0.15, 2)
            assert age_s(process.pid) < 2
        finally:
            process.kill()
    assert age_s(process.pid) == 0.0


@pytest.mark.full
@pytest.mark.timeout(400)
def test_monit_heals_a_crash_in_its_own_time(tmp_path: Path) -> None:
    try:
        binary()
    except NotRun as missing:
        pytest.skip(f"not run: {missing.message}")
    path = short(tmp_path, "crash", ("seconds = 40", "seconds = 300"), ("max_failed = 10", "max_failed = 6000"))
    one = run_scenarios([path], "monit", on_event=lambda _: None).scenarios[0]
    assert one.outcome == "healed", one.notes
    assert make_healer("monit").name == "monit"
