"""The app's history, asked with git itself. Nothing of the repository runs: no hook, filter, external diff, pager or signer."""

from __future__ import annotations

import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from prodwise import quiet_git
from prodwise.clock import monotonic
from prodwise.model.commit import Commit, FileChange
from prodwise.quiet_git import PLAIN
from prodwise.targets.local.diff_text import changes_in
from prodwise.targets.local.git import GitFailed

COMMITS_MAX: Final = 200
PARENTS_MAX: Final = 8
HELD_MAX: Final = 500
DIFF_BYTES: Final = 2_000_000
LIST_BYTES: Final = 4_000_000
FILE_BYTES: Final = 400_000
TEXTS_BYTES: Final = 8_000_000
TREE_MAX: Final = 50_000
COMMAND_S: Final = 20.0
ALL_S: Final = 60.0
ALL_BYTES: Final = 16_000_000
"""For all commits of one question; those that are left then, the oldest, are given without their changes."""

_DIFF: Final = (
    *PLAIN, "--unified=0", "--inter-hunk-context=0", "--find-renames=50%", "-l400", "--diff-algorithm=histogram",
    "--submodule=short", "--ignore-submodules=all",
)  # fmt: skip


@dataclass(slots=True)
class _Reading:
    """What one question may still take: until when, and how many bytes."""

    until: float
    left: int


class GitHistory:
    """One repository's. It is never written to, and nothing is fetched for it."""

    def __init__(self, repo: Path) -> None:
        self._repo = repo
        self._held: dict[tuple[str, str, str], bool] = {}

    def commits(self, good: str, bad: str) -> Sequence[Commit]:
        """Raises GitFailed for what is no commit here."""
        told, _ = self._ask("log", "--topo-order", f"--max-count={COMMITS_MAX}", "--no-mailmap", "--encoding=UTF-8", "--no-color",
                            "--no-show-signature", "-z", "--format=%H%x01%P%x01%ct%x01%an%x01%s", "--end-of-options",
                            f"{self._known(good)}..{self._known(bad)}", most=LIST_BYTES)  # fmt: skip
        reading = _Reading(monotonic() + ALL_S, ALL_BYTES)
        return tuple(self._commit(one, reading) for one in told.split("\0") if one.count("\1") >= 4)

    def _commit(self, told: str, reading: _Reading) -> Commit:
        sha, parents, at, author, title = told.strip("\n").split("\1", 4)
        mothers = tuple(parents.split())
        found = [self._changes(sha, mother, reading) for mother in (mothers or ("",))[:PARENTS_MAX]]
        whole = all(one_whole for _, one_whole in found) and len(mothers) <= PARENTS_MAX
        others = tuple(files for files, _ in found[1:])
        return Commit(sha, _line(title), _line(author), float(at), mothers, found[0][0], others, whole)

    def _changes(self, sha: str, parent: str, reading: _Reading) -> tuple[tuple[FileChange, ...], bool]:
        """(what changed against the parent, whether that is all of it)."""
        if monotonic() > reading.until or reading.left <= 0:
            return (), False
        between = ("--root", sha) if not parent else (parent, sha)
        try:
            asked = ("diff-tree", "-r", "-p", "--no-commit-id", *_DIFF, *between)
            text, whole = self._ask(*asked, most=min(DIFF_BYTES, reading.left))
        except GitFailed:
            return (), False
        reading.left -= len(text)
        files, all_read = changes_in(text)
        return files, whole and all_read

    def tree(self, commit: str) -> Sequence[str]:
        told, _ = self._ask("ls-tree", "-r", "-z", "--name-only", "--full-tree", self._known(commit), most=LIST_BYTES)
        return tuple(told.split("\0")[:-1][:TREE_MAX])

    def texts(self, commit: str, paths: Sequence[str]) -> Mapping[str, str]:
        sha, found, left = self._known(commit), dict[str, str](), TEXTS_BYTES
        for path in paths:
            try:
                text, whole = self._ask("cat-file", "blob", f"{sha}:{path}", most=min(FILE_BYTES, left))
            except GitFailed:
                continue
            if whole and "\0" not in text:
                found[path] = text
                left -= len(text)
        return found

    def holds(self, commit: str, fix: str, trailer: str) -> bool:
        asked = (commit, fix, trailer)
        if asked not in self._held:  # a commit's history stays as it is
            if len(self._held) >= HELD_MAX:
                self._held.clear()
            self._held[asked] = self._holds(self._known(commit), fix, trailer)
        return self._held[asked]

    def _holds(self, sha: str, fix: str, trailer: str) -> bool:
        try:
            self._ask("merge-base", "--is-ancestor", self._known(fix), sha, most=200)
        except GitFailed:
            told, _ = self._ask(
                "log", f"--max-count={HELD_MAX}", "--no-color", "--format=%B", "--end-of-options", sha, most=LIST_BYTES
            )
            return trailer in told.splitlines()
        return True

    def _known(self, ref: str) -> str:
        """A ref's full commit id: what is no ref never reaches another command's arguments."""
        if not ref.strip() or "\0" in ref:
            raise GitFailed("no commit was named")
        told, _ = self._ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}", most=200)
        return told.strip()

    def _ask(self, *arguments: str, most: int) -> tuple[str, bool]:
        """(what git printed, up to `most` bytes; whether that is all of it). Raises GitFailed with what it said."""
        argv = [*quiet_git.command(), "--literal-pathspecs", "-C", str(self._repo), *arguments]
        with tempfile.TemporaryFile() as said:
            try:
                env = quiet_git.environment()
                asked = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, env=env)
            except FileNotFoundError:
                raise GitFailed("git is not installed", "install git") from None
            with asked:
                late = threading.Timer(COMMAND_S, asked.kill)
                late.start()
                try:
                    printed = asked.stdout.read(most + 1) if asked.stdout else b""
                    if len(printed) > most:
                        asked.kill()
                    code = asked.wait()
                finally:
                    late.cancel()
                    asked.kill()
            if code != 0 and len(printed) <= most:
                raise GitFailed(f"git {arguments[0]}: {_last(said) or f'exit code {code}'}")
        return printed[:most].decode(errors="replace"), len(printed) <= most


def _last(said: IO[bytes]) -> str:
    said.seek(0)
    return quiet_git.last(said.read(4_000))


def _line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text[:300]).strip()
