"""docs/signals.md: every configuration in it is valid, and every command in it works."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from prodwise.config import validate
from tests.server.running_server import CONFIG, start_world

PAGE = (Path(__file__).parents[2] / "docs" / "signals.md").read_text()
WAYS = {**CONFIG, "hooks": {"deploy": {}}, "heartbeats": {"nightly-backup": {"every": "1 day"}}}
KAMAL = {"KAMAL_VERSION": "v43", "KAMAL_PERFORMER": "ana", "KAMAL_RECORDED_AT": "2026-01-02T10:00:00Z"}


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)


def test_configurations_are_valid() -> None:
    assert len(blocks("toml")) >= 5
    for block in blocks("toml"):
        validate(tomllib.loads(block), "docs/signals.md")


@pytest.mark.skipif(shutil.which("curl") is None, reason="not run: no curl")
def test_commands_work(tmp_path: Path) -> None:
    world = start_world(tmp_path, WAYS)
    try:
        beat = world.parts.outsiders.beats()[0]
        key = (tmp_path / "secrets" / "deploy").read_text().strip()
        given = {**os.environ, **KAMAL, "PRODWISE": world.url, "KEY": key, "ID": beat["id"]}
        lines = [line for block in blocks("sh") for line in block.splitlines() if "curl" in line]
        assert len(lines) == 6
        for line in lines:
            done = subprocess.run(
                ["bash", "-c", line], env=given, capture_output=True, text=True, timeout=30, check=False
            )
            assert done.returncode == 0, (line, done.stderr)
        assert (world.parts.outsiders.beats()[0]["state"], world.parts.outsiders.beats()[0]["count"]) == ("well", 4)
        assert [change.after for change in world.store.changes.since(0)] == ["v42", "v43"]
    finally:
        world.close()
