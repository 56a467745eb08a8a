"""A workshop without a sandbox, for tests of repairers: checkouts by git, commands as plain processes that are all our own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from prodwise import clock
from prodwise.model.errors import GateFailed
from prodwise.ports.repair import DOOR, Limits, Ran

_ENV = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/nowhere", "PYTHONDONTWRITEBYTECODE": "1"}


class BareTree:
    """One checkout. runs: every argv that was run in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.runs: list[tuple[str, ...]] = []

    def apply(self, diff: str) -> None:
        done = subprocess.run(
            ["git", "apply", "-"], cwd=self.root, input=diff, text=True, capture_output=True, check=False
        )
        if done.returncode:
            raise GateFailed(done.stderr)

    def diff(self) -> str:
        git(self.root, "add", "--all", "--intent-to-add")
        return git(self.root, "diff", "--binary", "--no-ext-diff")

    def run(
        self, command: Sequence[str], limits: Limits, env: Mapping[str, str] | None = None, door: Path | None = None
    ) -> Ran:
        self.runs.append(tuple(command))
        command, env = _through(door, command, env or {})
        began = clock.monotonic()
        process = subprocess.Popen(
            command, cwd=self.root, env={**_ENV, **env}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        ended = ""
        try:
            output, _ = process.communicate(timeout=limits.seconds)
        except subprocess.TimeoutExpired:
            ended = "time"
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # and what it left behind
        if ended:
            output, _ = process.communicate()
        code = None if ended else process.returncode
        return Ran(code, _text(output, limits), clock.monotonic() - began, ended)


class BareWorkshop:
    """trees: all that were made; every one is gone again."""

    def __init__(self, repository: Path) -> None:
        self._repository = repository
        self.trees: list[BareTree] = []

    @contextmanager
    def fresh(self, commit: str) -> Iterator[BareTree]:
        with tempfile.TemporaryDirectory(prefix="prodwise-bare-") as folder:
            root = Path(folder, "tree")
            git(self._repository, "clone", "--quiet", "--no-hardlinks", str(self._repository), str(root))
            git(root, "checkout", "--quiet", "--detach", commit)
            tree = BareTree(root)
            self.trees.append(tree)
            yield tree

    def history(self, path: str, most: int) -> Sequence[tuple[str, str]]:
        commits = git(self._repository, "log", f"--max-count={most}", "--format=%H", "--", path).split()
        return [(commit, git(self._repository, "show", f"{commit}:{path}")) for commit in commits]


def git(folder: Path, *words: str) -> str:
    """git, with nobody's settings."""
    who = ["-c", "user.name=Test", "-c", "user.email=test@localhost", "-c", "core.hooksPath=/dev/null"]
    return subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, text=True, check=True).stdout


def _text(output: bytes, limits: Limits) -> str:
    return output[-limits.output :].decode(errors="replace")


def _through(door: Path | None, command: Sequence[str], env: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """Without mounts, the door is where it is."""
    place = str(door or DOOR)
    return [word.replace(str(DOOR), place) for word in command], {
        k: v.replace(str(DOOR), place) for k, v in env.items()
    }
