"""`prodwise hooks` against a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Quick, Terminal
from tests.server.running_server import CONFIG, World, start_world

DECLARED = {**CONFIG, "heartbeats": {"nightly-backup": {"every": "1 day"}}, "hooks": {"alertmanager": {}, "github": {}}}


@pytest.fixture
def declared(app_dir: Path) -> Iterator[World]:
    state = app_dir / ".prodwise"
    (state / "run").mkdir(parents=True)
    made = start_world(state, DECLARED)
    (state / "run" / "api.sock").symlink_to(made.socket)
    yield made
    made.close()


def test_it_shows_addresses_what_came_and_what_was_refused_and_no_secret(declared: World, app_dir: Path) -> None:
    shell = Quick(app_dir)
    listed = json.loads(shell.run("hooks", "--json").out)
    assert listed["schema_version"] == 1
    beat = listed["heartbeats"][0]
    with declared.stranger() as client:
        assert client.get(beat["url"].replace("localhost", "127.0.0.1")).text == "OK"
        assert client.post("/hooks/github", json={}).status_code == 401
    said = shell.run("hooks")
    assert said.code == 0
    for part in (
        beat["url"],
        "well",
        "/hooks/alertmanager",
        "0 taken",
        "refused: 1 not signed",
        ".prodwise/secrets/github",
    ):
        assert part in said.out, part
    for path in (app_dir / ".prodwise" / "secrets").iterdir():
        assert path.read_text().strip() not in said.out


def test_with_nothing_declared_it_says_what_to_write(shop: Terminal) -> None:
    assert "[heartbeats.NAME]" in shop.run("hooks").out
