"""Every attempt to leave the sandbox is really made inside, by the user that commands run as, and none succeeds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from prodwise.ports.repair import Limits
from tests.sandbox import probes
from tests.sandbox.conftest import HERE, Site
from tests.sandbox.probes import MARK

SCRIPT = (HERE / "probes.py").read_text()
NOBODY = 65_534
ENGINES = ("DOCKER_HOST", "CONTAINERS_CONF", "CONTAINERS_STORAGE_CONF")
WITHOUT_SANDBOX = (
    "environment_of_the_launcher", "environments_of_all_processes", "processes_of_the_host",
    "more_processes_than_ours", "host_file", "host_file_by_a_link_in_the_repository",
    "settings_of_the_repository", "settings_that_are_tracked", "ignored_key_of_the_repository",
    "database_of_the_app", "key_that_nobody_ignores", "database_of_the_healer", "git_of_the_repository", "settings_copied_by_a_build",
    "accounts", "sockets_and_services_of_the_host", "signal_to_the_host", "loopback_of_the_host",
    "udp_to_the_host", "socket_file_of_the_host", "abstract_socket_of_the_host", "shared_memory_of_the_host",
    "shared_file_of_the_host", "new_privileges", "host_file_by_dots",
)  # fmt: skip
"""Harmless to try outside, where each must succeed: else a probe would be held by its own mistake."""


def ask(site: Site, command: list[str], *prefix: str, python: str = sys.executable) -> dict[str, str]:
    """What the probes say when a workshop runs them, itself in a process of its own with a secret in its environment."""
    packages = os.pathsep.join(
        [str(HERE.parents[1]), *(one for one in sys.path if one.endswith(("site-packages", "src")))]
    )
    env = {"PATH": "/usr/bin:/bin", "TOKEN": MARK, "PYTHONPATH": packages, "HOME": os.path.expanduser("~")}
    env |= {name: os.environ[name] for name in ENGINES if name in os.environ}
    argv = [*prefix, python, str(HERE / "asked.py"), str(site.app), json.dumps(site.facts), *command]
    done = subprocess.run(argv, env=env, input="input", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3_000:]
    said = json.loads(done.stdout)
    assert said["code"] == 0, said
    found: dict[str, str] = json.loads(said["output"].strip().splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def as_we_are(site: Site) -> dict[str, str]:
    (site.app / "probes.py").write_text(SCRIPT)
    return ask(site, ["python3", "probes.py", "facts.json"])


@pytest.fixture(scope="module")
def as_an_ordinary_user(site: Site) -> dict[str, str]:
    (site.app / "probes.py").write_text(SCRIPT)
    return ask_as_an_ordinary_user(site, "probes.py", "facts.json")


def ask_as_an_ordinary_user(site: Site, *command: str, mapped: bool = True) -> dict[str, str]:
    if os.geteuid() != 0:
        pytest.skip("not run: the other tests are this one already")
    if not Path("/usr/bin/python3").exists() or not shutil.which("setpriv"):
        pytest.skip("not run: no Python that all users may run")
    plain = Site(site.app, {**site.facts, "user_namespace": mapped})
    prefix = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    return ask(plain, ["/usr/bin/python3", *command], *prefix, python="/usr/bin/python3")


@pytest.mark.parametrize("name", sorted(probes.PROBES))
def test_held(name: str, as_we_are: dict[str, str]) -> None:
    assert as_we_are[name] == ""


@pytest.mark.parametrize("name", sorted(probes.PROBES))
def test_held_for_an_ordinary_user(name: str, as_an_ordinary_user: dict[str, str]) -> None:
    assert as_an_ordinary_user[name] == ""


def test_a_fork_bomb_of_an_ordinary_user_stops_at_its_limit(site: Site) -> None:
    code = """
import os, time
made = 0
try:
    for _ in range(500):
        if os.fork() == 0:
            time.sleep(60); os._exit(0)
        made += 1
except BlockingIOError:
    print('{"made": "%d"}' % made, flush=True)
os._exit(0)
"""
    assert 100 < int(ask_as_an_ordinary_user(site, "-c", code)["made"]) < Limits().processes


@pytest.fixture(scope="module")
def outside(site: Site) -> dict[str, str]:
    facts = site.app / "facts.json"
    facts.write_text(json.dumps({**site.facts, "other_tree": str(site.app)}))
    try:
        argv = [sys.executable, str(HERE / "probes.py"), "facts.json", *WITHOUT_SANDBOX]
        done = subprocess.run(argv, cwd=site.app, env={"TOKEN": MARK}, capture_output=True, text=True, check=True)
    finally:
        facts.unlink()
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", WITHOUT_SANDBOX)
def test_succeeds_without_a_sandbox(name: str, outside: dict[str, str]) -> None:
    assert outside[name] not in ("",)
    assert "broken" not in outside[name]
