"""A bare repository of ours that borrows the objects of the user's: everything may be asked and made in it, nothing of theirs is
written, and nothing that their configuration names (hooks, filters, drivers, remotes) is ever run.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prodwise import quiet_git
from prodwise.model.errors import TargetError, UsageError
from prodwise.quiet_git import PLAIN

COMMAND_S: Final = 60.0
FILE_BYTES_MAX: Final = 8 * 2**20
OUTPUT_BYTES_MAX: Final = 32 * 2**20
_SETTINGS: Final = (
    "commit.gpgSign=false", "user.name=prodwise", "user.email=prodwise@localhost", "merge.renames=true", "diff.renames=true",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scratch:
    """top: the user's working tree; place: our bare repository; head: what is checked out there, a full id."""

    top: Path
    place: Path
    head: str

    def git(self, *arguments: str, given: str = "") -> str:
        """Raises TargetError with what git said."""
        return _git(self.place, *arguments, given=given)[1]

    def tried(self, *arguments: str) -> tuple[int, str]:
        """(exit code, what git printed)."""
        return _git(self.place, *arguments, fails=True)

    def commit(self, ref: str) -> str:
        """A full id. Names (branches, tags) are the user's, and are asked there. Raises UsageError."""
        return _commit(self.top, ref)

    def files(self, commit: str) -> tuple[str, ...]:
        """Paths of plain files."""
        told = self.git("ls-tree", "-r", "-z", "--full-tree", commit)
        rows = (row.partition("\t") for row in told.split("\0") if row)
        return tuple(path for facts, _, path in rows if facts.startswith("100"))

    def text(self, commit: str, path: str) -> str | None:
        """None where there is no such file, or a large or binary one."""
        code, told = self.tried("cat-file", "-s", f"{commit}:{path}")
        if code or int(told) > FILE_BYTES_MAX:
            return None
        text = self.git("cat-file", "blob", f"{commit}:{path}")
        return None if "\0" in text or "\ufffd" in text else text

    def history(self, path: str, most: int, at: str = "HEAD") -> Sequence[tuple[str, str]]:
        """(commit, text) of one file at the commits that changed it, newest first; a merge counts as what it brought."""
        ids = self.git(
            "log", "--first-parent", "--no-renames", f"--max-count={most}", "--format=%H",
            self.head if at == "HEAD" else at, "--", path,
        ).split()  # fmt: skip
        found = ((one, self.text(one, path)) for one in ids)
        return [(commit, text) for commit, text in found if text is not None]

    def tree_with(self, commit: str, texts: Mapping[str, str | None]) -> str:
        """The id of a commit's (or tree's) tree with these files in the place of its own; None: without that file."""
        index = self.place / "index.scratch"
        index.unlink(missing_ok=True)
        try:
            _git(self.place, "read-tree", commit, index=index)
            for path, text in texts.items():
                if text is None:
                    gone = f"0 {'0' * len(self.head)}\t{path}\0"
                    _git(self.place, "update-index", "-z", "--index-info", given=gone, index=index)
                    continue
                blob = self.git("hash-object", "-w", "--stdin", given=text).strip()
                mode = self.git("ls-tree", "--full-tree", commit, "--", path)[:6] or "100644"
                _git(self.place, "update-index", "--add", "--cacheinfo", f"{mode},{blob},{path}", index=index)
            return _git(self.place, "write-tree", index=index)[1].strip()
        finally:
            index.unlink(missing_ok=True)

    def tree_as(self, tree: str, other: str, paths: Sequence[str]) -> str:
        """The id of a tree in which these files are, or are not, what they are in the other one."""
        index, lines = self.place / "index.scratch", list[str]()
        for path in paths:
            there = self.git("--literal-pathspecs", "ls-tree", "-z", "--full-tree", other, "--", path)
            lines.append(there or f"0 {'0' * len(self.head)}\t{path}\0")
        try:
            _git(self.place, "read-tree", tree, index=index)
            _git(self.place, "update-index", "-z", "--index-info", given="".join(lines), index=index)
            return _git(self.place, "write-tree", index=index)[1].strip()
        finally:
            index.unlink(missing_ok=True)

    def diff(self, older: str, newer: str, around: int = 3) -> str:
        """around: lines that are shown about each change. Raises TargetError where it would hold text that is not UTF-8: written
        back, it would be another text."""
        told = self.git(
            "diff", "--no-renames", "--full-index", "--binary", f"--unified={around}", *PLAIN, older, newer, "--"
        )
        if "\ufffd" in told:
            raise TargetError(
                "the change holds text that is not UTF-8", "git itself takes it back: git revert --no-commit"
            )
        return told

    def check_out(self, commit: str, into: Path) -> None:
        """Its files, without a repository around them. Raises TargetError."""
        index = self.place / "index.checkout"
        try:
            _git(self.place, "read-tree", commit, index=index)
            _git(self.place, "--work-tree", str(into), "checkout-index", "--all", "--force", index=index)
        finally:
            index.unlink(missing_ok=True)

    def taken(self, root: Path) -> str:
        """A commit, on top of head, of the files that lie in a folder. It is known here only."""
        index = self.place / "index.taken"
        try:
            _git(self.place, "--work-tree", str(root), "add", "--all", "--force", ".", index=index, cwd=root)
            tree = _git(self.place, "write-tree", index=index)[1].strip()
        finally:
            index.unlink(missing_ok=True)
        return self.git("commit-tree", "-p", self.head, "-m", "taken", tree).strip()


@contextmanager
def scratch(repo: Path) -> Iterator[Scratch]:
    """Raises UsageError when `repo` lies in no repository with a commit."""
    try:
        top = Path(_git(repo, "rev-parse", "--show-toplevel")[1].strip())
        shared = Path(repo, _git(repo, "rev-parse", "--git-common-dir")[1].strip()).resolve()
    except TargetError as error:
        raise UsageError(f"{repo} is not in a git repository", error.message) from None
    head, kind = _commit(top, "HEAD"), _git(top, "rev-parse", "--show-object-format")[1].strip()
    with tempfile.TemporaryDirectory(prefix="prodwise-scratch-") as folder:
        place = Path(folder, "repo.git")
        _git(Path(folder), "init", "--quiet", "--bare", "--template=", f"--object-format={kind}", str(place))
        (place / "objects" / "info").mkdir(parents=True, exist_ok=True)
        (place / "objects" / "info" / "alternates").write_text(f"{shared / 'objects'}\n")
        if (shared / "shallow").exists():
            shutil.copy(shared / "shallow", place / "shallow")
        yield Scratch(top, place, head)


def put(made: Scratch, diff: str) -> None:
    """Applies a diff to the user's working tree, whole or not at all. Raises TargetError; ask `unsaved` before."""
    _git(made.top, "apply", "--whitespace=nowarn", "-", given=diff)


def unsaved(made: Scratch, paths: Sequence[str]) -> list[str]:
    """Which of these differ in the working tree or index from what is committed, new files included."""
    if not paths:
        return []
    told = _git(
        made.top, "--literal-pathspecs", "status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames",
        "--ignored=matching", "--", *paths,
    )[1]  # fmt: skip
    return sorted({row[3:] for row in told.split("\0") if row})


def _commit(top: Path, ref: str) -> str:
    if ref.strip() and "\0" not in ref:
        code, told = _git(top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}", fails=True)
        if code == 0:
            return told.strip()
    raise UsageError(f"there is no commit {ref!r} in {top.name}", "`git log --oneline` lists them")


def _git(
    where: Path, *arguments: str, given: str = "", fails: bool = False, index: Path | None = None, cwd: Path | None = None
) -> tuple[int, str]:  # fmt: skip
    env = {"GIT_DIR": str(where)} if where.suffix == ".git" else {}
    if index is not None:
        env["GIT_INDEX_FILE"] = str(index)
    code, printed, said = quiet_git.run(
        arguments, cwd or where, COMMAND_S, settings=_SETTINGS, env=env, given=given.encode()
    )
    if code and not fails:
        raise TargetError(f"git {arguments[0]}: {said or f'exit code {code}'}")
    if len(printed) > OUTPUT_BYTES_MAX:
        raise TargetError(f"git {arguments[0]} printed more than {OUTPUT_BYTES_MAX >> 20} MiB")
    return code, printed.decode(errors="replace")
