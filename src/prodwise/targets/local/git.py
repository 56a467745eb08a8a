"""The app's repository, asked with git itself. Hooks are never run: they are for people's checkouts."""

from __future__ import annotations

import difflib
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from prodwise.model.errors import TargetError, UsageError

TIMEOUT_S = 300.0
NEAR_MAX = 4


class GitFailed(TargetError):
    """git said no."""


@dataclass(frozen=True)
class Commit:
    """tree: id of its content, the same for the same files."""

    id: str
    tree: str
    title: str
    author: str


@dataclass(frozen=True)
class Changed:
    """A path that differs between two commits. status: A, D, M or T; modes and blobs: zeros where there is none."""

    path: str
    status: str
    old_mode: str
    mode: str
    old_blob: str
    blob: str


def git(repo: Path, *arguments: str, timeout_s: float = TIMEOUT_S) -> str:
    """Runs git on the repository, without hooks and prompts. Raises GitFailed with what it said."""
    return raw(repo, *arguments, timeout_s=timeout_s).decode(errors="replace")


def raw(repo: Path, *arguments: str, given: bytes = b"", timeout_s: float = TIMEOUT_S) -> bytes:
    """The same in bytes. given: what it reads."""
    argv = ["git", "-c", "core.hooksPath=/dev/null", "-c", "safe.directory=*", "-C", str(repo), *arguments]
    try:
        done = subprocess.run(argv, capture_output=True, input=given, timeout=timeout_s, check=False)
    except FileNotFoundError:
        raise GitFailed("git is not installed", "install git") from None
    except subprocess.TimeoutExpired:
        raise GitFailed(f"git {arguments[0]} did not finish within {timeout_s:.0f} s") from None
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()[-500:]
        raise GitFailed(f"git {arguments[0]}: {said or f'exit code {done.returncode}'}")
    return done.stdout


def changed(repo: Path, older: str, newer: str, timeout_s: float) -> list[Changed]:
    """What differs between two commits (full ids), without renames and without anybody's drivers for diffs."""
    options = ("-r", "-z", "--raw", "--no-renames", "--no-abbrev", "--no-ext-diff", "--no-textconv")
    fields = raw(repo, "diff-tree", *options, older, newer, timeout_s=timeout_s).split(b"\0")[:-1]
    found = []
    for facts, path in zip(fields[::2], fields[1::2], strict=True):
        old_mode, mode, old_blob, blob, status = facts.decode().lstrip(":").split(" ")
        found.append(Changed(path.decode(errors="replace"), status[:1], old_mode, mode, old_blob, blob))
    return found


def blobs(repo: Path, ids: Sequence[str], each_max: int, all_max: int, timeout_s: float) -> list[bytes | None]:
    """Their contents in this order; None for one longer than each_max bytes. Raises GitFailed beyond all_max, or if one is missing."""
    if not ids:
        return []
    asked = "".join(f"{one}\n" for one in ids).encode()
    sizes = [
        line.split() for line in raw(repo, "cat-file", "--batch-check", given=asked, timeout_s=timeout_s).splitlines()
    ]
    if len(sizes) != len(ids) or any(len(one) != 3 or one[1] != b"blob" for one in sizes):
        raise GitFailed("git cat-file: a file's content is missing")
    short = [one for one, size in zip(ids, sizes, strict=True) if int(size[2]) <= each_max]
    if sum(int(size[2]) for size in sizes if int(size[2]) <= each_max) > all_max:
        raise GitFailed(f"more than {all_max // 1024**2} MiB changed")
    contents = iter(
        _batch(
            raw(repo, "cat-file", "--batch", given="".join(f"{one}\n" for one in short).encode(), timeout_s=timeout_s)
        )
    )
    return [next(contents) if int(size[2]) <= each_max else None for size in sizes]


def _batch(answer: bytes) -> list[bytes]:
    """`<id> blob <size>`, newline, content, newline; again."""
    found, at = [], 0
    while at < len(answer):
        end = answer.index(b"\n", at)
        size = int(answer[at:end].split()[2])
        found.append(answer[end + 1 : end + 1 + size])
        at = end + 1 + size + 1
    return found


def require_repository(app: Path) -> None:
    """Raises UsageError unless `app` is the top of a git repository with at least one commit."""
    try:
        top = Path(git(app, "rev-parse", "--show-toplevel").strip()).resolve()
    except GitFailed as error:
        if "not installed" in error.message:
            raise
        raise UsageError(f"{app} is not a git repository", "run `git init`, and commit the app") from None
    if top != app.resolve():
        raise UsageError(
            f"{app} lies inside the git repository {top}", "run it from there, or give the app a repository"
        )
    try:
        git(app, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    except GitFailed:
        raise UsageError(
            f"{app} has no commit yet: there is nothing to release", "run `git add` and `git commit`"
        ) from None


def resolve(repo: Path, ref: str) -> str:
    """The full commit id. Raises UsageError naming near refs."""
    if ref.strip() and "\x00" not in ref:
        try:
            return git(repo, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}").strip()
        except GitFailed:
            pass
    near = near_refs(repo, ref)
    raise UsageError(
        f"there is no commit {ref!r} in {repo.name}",
        f"did you mean {' or '.join(near)}?"
        if near
        else "`git log --oneline` lists commits, `git fetch` gets new ones",
    )


def near_refs(repo: Path, ref: str) -> list[str]:
    """Branches, tags and recent commits that look like it."""
    try:
        names = git(repo, "for-each-ref", "--format=%(refname:short)", "--count=500").split()
        commits = git(repo, "log", "--all", "--format=%h", "-n", "200").split()
    except GitFailed:
        return []
    alike = difflib.get_close_matches(ref, names, n=NEAR_MAX, cutoff=0.5)
    if re.fullmatch(r"[0-9a-fA-F]{4,40}", ref):
        alike += difflib.get_close_matches(ref[:7].lower(), commits, n=2, cutoff=0.6)
    return alike or names[:NEAR_MAX]


def commit(repo: Path, commit_id: str) -> Commit:
    fields = git(repo, "show", "-s", "--format=%H%x00%T%x00%s%x00%an", commit_id).rstrip("\n").split("\0")
    return Commit(*fields)


def check_out(repo: Path, commit_id: str, place: Path) -> None:
    """A worktree of its own at the commit, submodules included."""
    git(repo, "worktree", "prune")
    git(repo, "worktree", "add", "--force", "--detach", str(place), commit_id)
    if (place / ".gitmodules").exists():
        git(place, "submodule", "update", "--init", "--recursive")


def drop(repo: Path, place: Path) -> None:
    """Removes a worktree and forgets it; a missing one is a no-op."""
    if place.exists():
        try:
            git(repo, "worktree", "remove", "--force", "--force", str(place))
        except GitFailed:
            import shutil

            shutil.rmtree(place, ignore_errors=True)
    git(repo, "worktree", "prune")


def tracked(repo: Path, commit_id: str, path: str) -> bool:
    return bool(git(repo, "ls-tree", "-r", "--name-only", commit_id, "--", path.rstrip("/")).strip())


def exclude(repo: Path, pattern: str) -> None:
    """Keeps our own directory out of `git status`, without touching a tracked file."""
    found = Path(git(repo, "rev-parse", "--git-path", "info/exclude").strip())
    file = found if found.is_absolute() else repo / found
    known = file.read_text() if file.exists() else ""
    if pattern not in known.splitlines():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(known + ("" if not known or known.endswith("\n") else "\n") + pattern + "\n")
