"""Options and the long run: a healer beside the app, new services, another user, TLS, logs that grow."""

from __future__ import annotations

import http.client
import json
import os
import pwd
import signal
import ssl
import sys
import urllib.request
from collections import deque
from pathlib import Path

import pytest

from prodwise.config import load
from prodwise.model.service import SlotName
from prodwise.model.signal import ProbeSeen, ProcessState
from prodwise.model.target import Switch
from prodwise.signals.probes import ProbeRunner
from prodwise.targets.local import end_all, install, local_control, procs
from prodwise.targets.local.records import read_places
from prodwise.testing import apps
from prodwise.wiring.healer import probe_targets

from .conftest import LocalApp, Up


def test_the_healer_is_started_beside_the_app_and_its_death_touches_nothing(
    bring_up: Up, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = bring_up()
    code = (
        "import http.server as h, pathlib, sys; s = h.HTTPServer(('127.0.0.1', 0), h.SimpleHTTPRequestHandler)\n"
        "pathlib.Path(sys.argv[1]).write_text('http://127.0.0.1:%d' % s.server_port); s.serve_forever()"
    )
    monkeypatch.setattr(install, "healer", lambda layout: (sys.executable, "-c", code, str(layout.dashboard)))
    result = local_control.up(app.dir, load(app.dir), with_healer=True)
    assert apps.get(result.dashboard).status == 200
    healer = procs.read_pid(app.target.layout.pid("healer"))
    assert healer.alive
    with apps.load(app.address) as seen:
        os.kill(healer.pid, signal.SIGKILL)
        apps.until(lambda: procs.read_pid(app.target.layout.pid("healer")).pid not in (0, healer.pid))
        enough = seen.total + 20
        apps.until(lambda: seen.total > enough)
    assert seen.failed == 0
    assert local_control.up(app.dir, load(app.dir), with_healer=True).started is False


def test_a_release_may_bring_a_new_service(local_app: LocalApp) -> None:
    settings = apps.SETTINGS + "\n[services.pay]\ncommand = 'python3 web.py'\nprobe = '/healthz'\n"
    idle = http.client.HTTPConnection(*local_app.address.split(":"), timeout=10)
    with apps.load(local_app.address) as seen:
        assert _asked(idle) == 200
        link = idle.sock
        release = local_app.release(apps.GOOD, {"prodwise.toml": settings + apps.WITH_WORKER})
        assert [service.service for service in local_app.target.observe().services] == ["pay", "web", "worker"]
        local_app.start("a", release, "pay")
        apps.until(lambda: local_app.well("a", "pay"))
        local_app.switch("a", service="pay")
        local_app.start("b", release)
        apps.until(lambda: local_app.well("b"))
        local_app.switch("b")
        assert (_asked(idle), idle.sock) == (200, link)
    idle.close()
    assert seen.failed == 0, seen.statuses
    url = apps.environment_of(local_app.address)["PAY_URL"]
    places = read_places(local_app.target.layout)
    place = places.place("pay") if places is not None else None
    assert place is not None
    assert url == f"http://127.0.0.1:{place.proxy}"
    assert apps.get(url.removeprefix("http://")).text == release
    log = local_app.target.layout.access_log
    apps.until(lambda: '"service":"pay"' in log.read_text(), what="the new service's line in the log")


def _asked(connection: http.client.HTTPConnection) -> int:
    connection.request("GET", "/")
    answer = connection.getresponse()
    answer.read()
    return answer.status


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_the_app_runs_as_the_named_user(bring_up: Up, tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(folder.stat().st_mode | 0o011)
    line = "version = 1\nuser = 'nobody'\nrelease = 'id -u > beats'"
    settings = apps.SETTINGS.replace("version = 1", line).replace('["beats"]', '["beats", "data/"]')
    app = apps.make_app(tmp_path, settings=settings, files={"variant": "good"})
    (app / "beats").touch()
    os.chown(app / "beats", pwd.getpwnam("nobody").pw_uid, -1)
    running = bring_up(app)
    nobody = pwd.getpwnam("nobody")
    assert json.loads(apps.get(running.address, "/env").text)["uid"] == nobody.pw_uid
    assert (app / "beats").read_text().strip() == str(nobody.pw_uid)
    assert (app / "data").stat().st_uid == nobody.pw_uid
    assert (app / ".prodwise/run").stat().st_mode & 0o777 == 0o700
    os.kill(running.process().pid, signal.SIGKILL)
    apps.until(lambda: running.process().restarts == 1 and running.well("a"))
    assert json.loads(apps.get(running.address, "/env").text)["uid"] == nobody.pw_uid


def test_a_command_that_asks_is_told_what_its_service_is_told(bring_up: Up, tmp_path: Path) -> None:
    """At `up`, by the healer, and by a guard that replaces what its supervisor left behind."""
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(folder.stat().st_mode | 0o011)
    root = os.getuid() == 0
    uid = pwd.getpwnam("nobody").pw_uid if root else os.getuid()
    asks = f'test "$TOKEN" = "a b" -a "$MODE" = live -a "$(id -u)" = {uid} -a "$(id -G)" = "$(id -g)" -a -z "$OURS"'
    top = "version = 1\nenv_file = 'app.env'\n" + ("user = 'nobody'\n" if root else "")
    settings = apps.SETTINGS.replace("version = 1", top)
    settings = settings.replace('"/healthz"', f"'command: {asks}'") + "env = { MODE = 'live' }\n"
    app = apps.make_app(tmp_path, settings=settings)
    (app / "app.env").write_text("TOKEN='a b'\n")
    local = bring_up(app)
    layout, inventory = local.target.layout, {one.id: one for one in load(app).inventory()}
    (asked,) = probe_targets(local.target.observe(), inventory, layout)
    runner = ProbeRunner(lambda _: [asked])
    runner.start()
    runner.see(local.target.observe())
    answers = deque[ProbeSeen](maxlen=5)

    def answered() -> bool:
        answers.extend(runner.results())
        return bool(answers)

    apps.until(answered, 10, "an answer")
    runner.close()
    assert [(one.ok, one.detail) for one in answers] == [(True, "exit code 0")]
    supervisor = end_all.supervisor_of(layout)
    os.kill(supervisor, signal.SIGKILL)
    apps.until(lambda: local.seen().switch == Switch(SlotName.B, 0.0), 30, "the new guard's replacement")
    (app / "app.env").write_text("TOKEN\n")
    assert probe_targets(local.target.observe(), inventory, layout) == [], "unknown, not sick"


def test_tls_is_served_on_an_address(bring_up: Up) -> None:
    app = bring_up(settings=apps.SETTINGS.replace("version = 1", "version = 1\ntls = true"))
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust))

    def secure() -> bool:
        try:
            with opener.open(f"https://{app.address}/", timeout=2) as answer:
                return "Secure" in answer.headers["Set-Cookie"]
        except OSError:
            return False

    apps.until(secure, what="the certificate")


def test_the_access_log_is_rotated_and_bounded(bring_up: Up, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRODWISE_ACCESS_LOG_MB", "1")
    app = bring_up()
    log = app.target.layout.log
    path = "/" + "x" * 6000
    with apps.load(app.address, path, clients=4):
        apps.until(lambda: len(list(log.glob("access*.log"))) > 1, 30, "the rotation")
    assert sum(file.stat().st_size for file in log.glob("access*.log")) < 5 * 1024 * 1024
    assert app.process().state is ProcessState.RUNNING


def test_secrets_in_queries_and_headers_are_not_logged(local_app: LocalApp) -> None:
    apps.get(local_app.address, "/?token=hidden-thing", lane="hidden-lane")
    log = local_app.target.layout.access_log
    apps.until(lambda: log.exists() and '"uri":"/"' in log.read_text())
    assert "hidden" not in log.read_text()
