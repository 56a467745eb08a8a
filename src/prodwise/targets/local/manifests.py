"""What the last commits of a repository changed in its lock files and manifests. Reads only, and only objects: no hook, filter,
helper or remote that the repository's own configuration names is run.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from prodwise.loop.diagnose.logs.manifests import ecosystem_of, moved
from prodwise.model.breakage import Moved
from prodwise.quiet_git import NEVER
from prodwise.targets.local.git import GitFailed, git

COMMITS_MAX: Final = 20
CHANGING_MAX: Final = 3  # commits that changed a manifest
FILES_MAX: Final = 40
FILE_BYTES_MAX: Final = 8 * 2**20
_SAFE: Final = tuple(part for one in NEVER for part in ("-c", one))


def recently_moved(repo: Path) -> list[Moved]:
    """Newest change of each package, what is not committed yet first. Raises GitFailed if it is no repository with a commit."""
    found: dict[tuple[str, str], Moved] = {}
    for one in [*_uncommitted(repo), *_committed(repo)]:
        found.setdefault((one.ecosystem, one.name), one)
    return list(found.values())


def _committed(repo: Path) -> Iterator[Moved]:
    changing = 0
    for commit, paths in _commits(repo):
        mine = [path for path in paths if ecosystem_of(path)][:FILES_MAX]
        if not mine:
            continue
        changing += 1
        for path in sorted(mine, key=_locks_first):
            before, after = _blob(repo, f"{commit}^", path), _blob(repo, commit, path)
            if before is not None and after is not None:
                yield from moved(path, before, after, f"{path} in {commit[:8]}")
        if changing >= CHANGING_MAX:
            return


def _commits(repo: Path) -> list[tuple[str, list[str]]]:
    """(id, changed files) of the last commits; a merge counts as what it brought."""
    said = git(
        repo, *_SAFE, "log", "-n", str(COMMITS_MAX), "--no-ext-diff", "--no-textconv", "--no-show-signature", "--first-parent",
        "--diff-merges=first-parent", "--no-renames", "--name-only", "-z", "--format=%x01%H", "HEAD", "--",
    )  # fmt: skip
    found = []
    for block in said.split("\x01")[1:]:
        commit, _, rest = block.partition("\0")
        found.append((commit.strip(), [path.strip("\n") for path in rest.split("\0") if path.strip("\n")]))
    return found


def _uncommitted(repo: Path) -> Iterator[Moved]:
    """Files as they lie there beside the last commit's: read as files, so that no filter runs."""
    top = Path(git(repo, *_SAFE, "rev-parse", "--show-toplevel").strip())
    tracked = git(repo, *_SAFE, "ls-tree", "-r", "-z", "--name-only", "--full-tree", "HEAD").split("\0")
    for path in [path for path in tracked if ecosystem_of(path)][:FILES_MAX]:
        file = top / path
        try:
            if file.is_symlink() or not file.is_file() or file.stat().st_size > FILE_BYTES_MAX:
                continue
            now = file.read_text(errors="replace")
        except OSError:
            continue
        before = _blob(repo, "HEAD", path)
        if before is not None and before != now:
            yield from moved(path, before, now, f"{path}, not committed")


def _blob(repo: Path, commit: str, path: str) -> str | None:
    """A file as it was; None if it was not there, or is too large."""
    try:
        size = int(git(repo, *_SAFE, "cat-file", "-s", f"{commit}:{path}").strip())
        return git(repo, *_SAFE, "cat-file", "blob", f"{commit}:{path}") if size <= FILE_BYTES_MAX else None
    except (GitFailed, ValueError):
        return None


def _locks_first(path: str) -> tuple[bool, str]:
    """Lock files name exact versions; manifests may name ranges."""
    return ("lock" not in path.lower() and not path.endswith(("go.mod", "pom.xml"))), path
