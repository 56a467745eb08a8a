"""The command as a person runs it: a real process, against a real server on the app's own socket."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import pty
import signal
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from prodwise.cli.main import run
from tests.server.running_server import World, start_world


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


@dataclass
class Terminal:
    """Runs `prodwise ...` in a folder."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "prodwise", *arguments]

    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("PRODWISE_")}
        return {**kept, "COLUMNS": "120", **self.env}

    def run(self, *arguments: str, stdin: str = "") -> Said:
        done = subprocess.run(
            self.command(*arguments), cwd=self.folder, env=self.environment(), input=stdin,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return Said(done.returncode, done.stdout, done.stderr)

    def type(self, answer: str, *arguments: str, columns: int = 120) -> str:
        """Runs it on a pseudo-terminal, types `answer` when it asks, and returns all that was shown."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        process = subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment() | {"COLUMNS": str(columns)},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        shown = b""
        with os.fdopen(ours, "r+b", buffering=0) as screen, contextlib.suppress(OSError):
            while more := screen.read(4096):
                shown += more
                if b"[y/N]" in more:
                    screen.write(f"{answer}\n".encode())
        process.wait(timeout=30)
        return shown.decode()

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*arguments), cwd=self.folder, env=self.environment() | {"PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )  # fmt: skip


class Quick(Terminal):
    """The same without a process of its own for what ends by itself: six times faster. Streams are separate."""

    def run(self, *arguments: str, stdin: str = "") -> Said:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.chdir(self.folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            before, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")
            try:
                code = run(list(arguments))
            finally:
                sys.stdin = before
        return Said(code, out.getvalue(), err.getvalue())


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


@pytest.fixture
def app_dir() -> Iterator[Path]:
    """An app's folder with a configuration and one commit, on a path short enough for a socket beneath it."""
    with tempfile.TemporaryDirectory(prefix="pw-") as made:
        folder = Path(made) / "teashop"
        folder.mkdir()
        _fill(folder)
        yield folder


def _fill(folder: Path) -> None:
    (folder / "prodwise.toml").write_text('version = 1\n[services.web]\ncommand = "serve"\nprobe = "/healthz"\n')
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "Serve tea")


def git(folder: Path, *arguments: str) -> None:
    names = ["-c", "user.name=Ana", "-c", "user.email=ana@example.invalid"]
    subprocess.run(["git", *names, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def world(app_dir: Path) -> Iterator[World]:
    """A running server whose local socket lies where the command looks for it."""
    state = app_dir / ".prodwise"
    (state / "run").mkdir(parents=True)
    made = start_world(state)
    (state / "run" / "api.sock").symlink_to(made.socket)
    yield made
    made.close()


@pytest.fixture
def shop(world: World, app_dir: Path) -> Terminal:
    """The terminal in the folder of an app that runs."""
    return Quick(app_dir)
