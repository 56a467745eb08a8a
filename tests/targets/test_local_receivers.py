"""Receivers under the supervisor: up gives a DSN that works, a killed one comes back, changes are taken up, down ends them."""

from __future__ import annotations

import json
import os
import signal
import sys
import uuid
from pathlib import Path

import pytest

from prodwise.config import load
from prodwise.model.errors import TargetError
from prodwise.targets.local import install, local_control, procs, receivers, signals_file
from prodwise.targets.local.layout import Layout
from prodwise.testing import apps
from prodwise.wiring import reports

from .conftest import Up

PAGES = (
    "import http.server as h, pathlib, sys; s = h.HTTPServer(('127.0.0.1', 0), h.SimpleHTTPRequestHandler)\n"
    "pathlib.Path(sys.argv[1]).write_text('http://127.0.0.1:%d' % s.server_port); s.serve_forever()"
)


def report(dsn: str) -> tuple[int, str]:
    """(status, id) of one event sent with it; 0 without an answer."""
    import http.client
    from urllib.parse import urlsplit

    url, name = urlsplit(dsn), uuid.uuid4().hex
    link = http.client.HTTPConnection(url.hostname or "", url.port or 0, timeout=10)
    try:
        body = json.dumps({"event_id": name, "message": "no tea"})
        link.request("POST", f"/api{url.path}/store/?sentry_key={url.username}", body)
        return link.getresponse().status, name
    except OSError:
        return 0, name
    finally:
        link.close()


def test_receivers_are_there_come_back_and_go(bring_up: Up, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "healer", lambda layout: (sys.executable, "-c", PAGES, str(layout.dashboard)))
    monkeypatch.setenv("PRODWISE_SIGNALS_ADDRESS", "127.0.0.1:0")
    app = bring_up()
    file = app.dir / "prodwise.toml"
    file.write_text(file.read_text() + "\n[signals]\nreceivers = 2\n")
    up = local_control.up(app.dir, load(app.dir), with_healer=True)
    layout: Layout = app.target.layout
    status, name = report(up.dsn)
    assert status == 200
    assert len(local_control.status_offline(app.dir).receivers) == 2
    assert layout.signals.stat().st_mode & 0o077 == 0
    assert reports.listening(app.dir)
    pid = procs.read_pid(layout.pid("receiver-0")).pid
    os.kill(pid, signal.SIGKILL)
    apps.until(lambda: procs.read_pid(layout.pid("receiver-0")).pid not in (0, pid))
    apps.until(lambda: report(up.dsn)[0] == 200)
    _with_another_project(app.dir)
    again = local_control.up(app.dir, load(app.dir), with_healer=True)
    assert (again.started, again.dsn) == (False, up.dsn), "keys and address stay"
    jobs = reports.projects(app.dir, load(app.dir))[1]
    apps.until(lambda: report(jobs.dsn(reports.address(app.dir)))[0] == 200)
    apps.until(lambda: len(local_control.status_offline(app.dir).receivers) == 1, what="one receiver instead of two")
    pids = local_control.status_offline(app.dir).receivers
    local_control.down(app.dir)
    assert not any(procs.start_ticks(pid) for pid in pids)
    assert report(up.dsn)[0] == 0
    assert not reports.listening(app.dir)
    kept = reports.archive(app.dir).event(name)
    assert kept is not None
    assert kept.detail is not None


def _with_another_project(folder: Path) -> None:
    file = folder / "prodwise.toml"
    changed = file.read_text().replace("receivers = 2", "receivers = 1")
    file.write_text(f"{changed}\n[signals.projects.jobs]\nservice = 'web'\n")


def test_the_default_port_moves_when_it_is_taken_and_a_configured_one_is_refused(tmp_path: Path) -> None:
    import socket

    layout = local_control.layout_of(tmp_path)
    layout.make()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        (tmp_path / "prodwise.toml").write_text(
            f'version = 1\n[services.web]\ncommand = "x"\n[signals]\naddress = "127.0.0.1:{port}"\n'
        )
        config = load(tmp_path)
        with pytest.raises(TargetError, match="taken"):
            receivers.give_address(layout, config)
        unsaid = config.model_copy(update={"signals": config.signals.model_copy()})
        unsaid.signals.model_fields_set.discard("address")
        receivers.give_address(layout, unsaid)
    moved = signals_file.read(layout).address
    assert moved.startswith("127.0.0.1:")
    assert moved != f"127.0.0.1:{port}"
    receivers.give_address(layout, unsaid)
    assert signals_file.read(layout).address == moved, "once given it stays"


def test_keys_stay_when_the_app_is_renamed_and_projects_come_and_go(tmp_path: Path) -> None:
    layout = local_control.layout_of(tmp_path)
    layout.make()

    def given(name: str, *projects: str) -> dict[str, tuple[int, str]]:
        text = f'version = 1\nname = "{name}"\n[services.web]\ncommand = "x"\n'
        (tmp_path / "prodwise.toml").write_text(text + "".join(f"[signals.projects.{one}]\n" for one in projects))
        config = load(tmp_path)
        made = signals_file.settle(layout, config, "127.0.0.1:7374")
        return {one.name: (one.id, one.key) for one in signals_file.projects(config, made)}

    first = given("shop", "jobs")
    without = given("store")
    again = given("store", "mail", "jobs")
    assert without == {"store": first["shop"]}
    assert again["jobs"] == first["jobs"]
    assert again["mail"][0] == 3
    assert len({key for _, key in again.values()}) == 3
