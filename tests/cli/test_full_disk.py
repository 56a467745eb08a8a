"""A disk that is really full, to the last byte: said so, nothing half-applied, and what keeps users served still works."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from prodwise.testing import apps
from tests.cli.live import SETTINGS, Live

SIZE = "48m"
WEB_ONLY = SETTINGS.partition("\n[services.worker]")[
    0
]  # the worker writes to the disk itself, and ends when that fails


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own. Not run where this user may not mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", place], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def fill(disk: Path) -> Path:
    """Takes every byte that is left."""
    path = disk / "everything"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT)
    for size in (1 << 20, 1 << 12, 1):
        with contextlib.suppress(OSError):
            while os.write(handle, b"x" * size):
                pass
    os.close(handle)
    return path


@pytest.mark.full
def test_a_full_disk_is_told_and_does_not_take_the_app_down(disk: Path) -> None:
    made = Live(apps.make_app(disk, "shop", settings=WEB_ONLY))
    try:
        assert made.run("up").code == 0
        apps.until(lambda: "passed" in made.api.get("status")["self_test"], 30, "the proof that it can undo")
        apps.commit(made.dir)
        with apps.load(made.address):
            said = made.run("deploy", "--timeout", "90")
        assert said.code == 0, said
        apps.commit(made.dir)
        _while_full(made, fill(disk))
        assert made.run("stop").code == made.run("start").code == 0
        apps.until(lambda: made.run("freeze", "--for", "1m").code == 0, 20, "the ledger is written again")
        assert made.run("audit", "verify").code == 0
    finally:
        assert made.run("down", "-y").code == 0


def _while_full(made: Live, everything: Path) -> None:
    with made.untouched():
        for line in ("deploy", "freeze", "login"):
            said = made.run(*line.split())
            assert said.code == 1, (line, said)
            assert "the disk is full" in said.err, line
            assert "make room" in said.err, line
        assert made.run("releases").code == 0
        said = made.run("up")
        assert said.code == 1, said
        assert "No space left on device" in said.err
    web = made.state()[2]["web"][0]
    os.kill(web, signal.SIGKILL)
    apps.until(lambda: apps.get(made.address, "/pid").text not in ("", str(web)), 10, "the app is back after a crash")
    first = next(iter(made.serving()))
    said = made.run("rollback", "-y")
    assert said.code == 0, said
    assert "going back without the healer" in said.err
    assert first not in said.out.split("→")[1]
    assert apps.get(made.address).status == 200
    assert made.run("stop").code == 0
    assert made.layout.stop_file.exists()
    everything.unlink()
