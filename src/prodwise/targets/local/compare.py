"""What a release brought against the one before it, asked of the app's repository. Nothing of what it holds is run."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from prodwise.clock import monotonic
from prodwise.config import FILE_NAME, PROCFILE
from prodwise.config.environment import state_dir
from prodwise.loop.changes import compare, locks, touched
from prodwise.model.delta import Commit, Delta, Named, Package
from prodwise.model.errors import ProdwiseError
from prodwise.model.release import Release
from prodwise.targets.local import environment, git
from prodwise.targets.local.layout import Layout

COMMITS_MAX, PACKAGES_MAX, MIGRATIONS_MAX, LOCKS_MAX = 20, 200, 100, 10
LOCK_BYTES_MAX, SETTINGS_BYTES_MAX = 2 * 1024 * 1024, 256 * 1024
TITLE_MAX, NAME_MAX = 200, 100
ASK_S, ALL_S = 5.0, 15.0
_COMMIT: Final = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


class TooLong(ProdwiseError):
    """It is longer than may be read."""


@dataclass
class _Look:
    """One comparison under way. parts: what was found out, by the delta's fields; unknown: what was not."""

    repo: Path
    since: str
    until: str
    ends: float
    parts: dict[str, Any] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    def git(self, *arguments: str) -> str:
        left = self.ends - monotonic()
        if left <= 0:
            raise git.GitFailed(f"comparing took more than {ALL_S:.0f} s")
        return git.git(self.repo, *arguments, timeout_s=min(ASK_S, left))

    def text(self, commit: str, path: str, longest: int) -> str:
        """A file at a commit; "" where there is none. Raises TooLong."""
        if not self.git("ls-tree", "--name-only", "-z", commit, "--", path):
            return ""
        if int(self.git("cat-file", "-s", f"{commit}:{path}")) > longest:
            raise TooLong(f"it is longer than {longest // 1024} KiB")
        return self.git("cat-file", "blob", f"{commit}:{path}")

    def part(self, what: str, work: Callable[[], dict[str, Any]]) -> None:
        """One part of the comparison; that it fails costs that part only, and is said."""
        try:
            self.parts |= work()
        except ProdwiseError as error:
            self.unknown.append(f"{what}: {error.message}")
        except Exception as error:  # noqa: BLE001 — whatever a repository holds, a deploy does not fail over this
            self.unknown.append(f"{what}: {type(error).__name__}: {str(error)[:200]}")


class LocalCompare:
    """Implements ports.Compares for one app on this machine."""

    def __init__(self, app_dir: Path) -> None:
        app = app_dir.resolve()
        self._layout = Layout(app, state_dir(app).resolve())

    def delta(self, older: Release, newer: Release) -> Delta:
        look = _Look(self._layout.app, older.commit, newer.commit, monotonic() + ALL_S)
        if not _COMMIT.fullmatch(older.commit) or not _COMMIT.fullmatch(newer.commit):
            return Delta(older.id, older.commit, newer.commit, unknown=("all of it: a commit's id is not known",))
        look.part("commits", lambda: _commits(look))
        look.part("files", lambda: {"paths": _paths(look)})
        paths: list[str] | None = look.parts.pop("paths", None)
        if paths is not None:
            look.part("packages", lambda: _packages(look, paths))
            look.part("migrations", lambda: {"migrations": compare.migrations(paths)[:MIGRATIONS_MAX]})
        look.part("settings", lambda: _settings_and_services(look))
        own: dict[str, tuple[str, ...]] = look.parts.pop("own", {})
        look.part("environment", lambda: {"environment": self._environment(older.id, newer.id)})
        reached = touched.touched(paths or (), own, _elsewhere(look, paths))
        return Delta(
            older.id, older.commit, newer.commit, unknown=tuple(look.unknown), touched=reached, **look.parts
        )  # fmt: skip

    def _environment(self, older: str, newer: str) -> Named:
        return compare.names(*(self._digests(release) for release in (older, newer)))

    def _digests(self, release: str) -> dict[str, str]:
        path = self._layout.release(release) / environment.NAMES_FILE
        if not path.exists():
            raise ValueError(f"what {release} was told is not known any more")
        found = json.loads(path.read_text())
        return {str(name): str(mark) for name, mark in found.items()}


def _elsewhere(look: _Look, paths: list[str] | None) -> str:
    """What may reach every service besides the files that it has for itself."""
    named = look.parts.get("environment")
    if paths is None:
        return "which files differ is not known"
    if named is None or named != Named():
        return "variables in the env_file differ" if named is not None else "whether variables differ is not known"
    return "it brought migrations of the data" if look.parts.get("migrations") else ""


def _ends(look: _Look) -> tuple[str, str]:
    return look.since, look.until


def _commits(look: _Look) -> dict[str, Any]:
    ahead, behind = (f"{look.since}..{look.until}", f"{look.until}..{look.since}")
    listed = look.git("log", f"--max-count={COMMITS_MAX}", "--no-show-signature", "--format=%H%x00%s%x00%an%x01", ahead)
    rows = [row.strip("\n").split("\0") for row in listed.split("\x01") if row.strip()]
    return {
        "commits": tuple(Commit(one, title[:TITLE_MAX], author[:NAME_MAX]) for one, title, author in rows),
        "commit_count": int(look.git("rev-list", "--count", ahead)),
        "backwards": int(look.git("rev-list", "--count", behind)),
    }


def _paths(look: _Look) -> list[str]:
    """Of files that were added or changed, and of those that went."""
    said = look.git("diff-tree", "-r", "-z", "--name-only", "--no-renames", "--no-ext-diff", look.since, look.until)
    return [path for path in said.split("\0") if path]


def _packages(look: _Look, paths: list[str]) -> dict[str, Any]:
    found: list[Package] = []
    for path, problem in _read_locks(look, [path for path in paths if locks.is_lock(path)], found):
        look.unknown.append(f"packages of {path[:200]}: {problem}")
    return {"packages": tuple(found[:PACKAGES_MAX]), "package_count": len(found)}


def _read_locks(look: _Look, paths: list[str], found: list[Package]) -> Iterator[tuple[str, str]]:
    """Adds what differs to `found`; yields (path, why it could not be told)."""
    for path in paths[:LOCKS_MAX]:
        try:
            found += locks.difference(path, *(look.text(at, path, LOCK_BYTES_MAX) for at in _ends(look)))
        except ProdwiseError as error:
            yield path, error.message
        except ValueError as error:
            yield path, str(error)[:200]
    if len(paths) > LOCKS_MAX:
        yield f"{len(paths) - LOCKS_MAX} more lock files", f"only {LOCKS_MAX} are read"


def _settings_and_services(look: _Look) -> dict[str, Any]:
    before, after = (_settings(look, at) for at in _ends(look))
    return {"settings": compare.settings(before, after), "own": touched.declared(after)}


def _settings(look: _Look, at: str) -> dict[str, Any]:
    """prodwise.toml as that commit has it, with the Procfile's commands. Raises ValueError for one that is no TOML."""
    data = tomllib.loads(look.text(at, FILE_NAME, SETTINGS_BYTES_MAX))
    lines = look.text(at, PROCFILE, SETTINGS_BYTES_MAX).splitlines()
    named = {name.strip()[:100]: text.strip() for name, colon, text in (line.partition(":") for line in lines) if colon}
    return {**data, **({PROCFILE: named} if named else {})}
