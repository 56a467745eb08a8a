"""Which migrations lie between releases, from the app's repository and the releases' records. Nothing of them is run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from prodwise.clock import monotonic
from prodwise.config import Config
from prodwise.config.environment import state_dir
from prodwise.loop.choose.schema import is_migration, is_source, lies_among_migrations
from prodwise.model.errors import ProdwiseError
from prodwise.model.release import Release, ReleaseState
from prodwise.model.schema import Crossing, FileChange, MigrationFile, RanLine
from prodwise.targets.local import environment, git
from prodwise.targets.local.builder import Builder, number_of
from prodwise.targets.local.layout import Layout
from prodwise.targets.local.records import read_release

RELEASES_MAX: Final = 20
FILES_MAX: Final = 2000
"""Changed files that may be migrations; of more it is not told which are."""
BLOB_MAX, BLOBS_MAX = 512 * 1024, 16 * 1024 * 1024
TIMEOUT_S, ALL_S = 5.0, 10.0
_COMMIT = re.compile(r"^[0-9a-f]{40,64}$")
_CHANGES = {"A": FileChange.ADDED, "D": FileChange.REMOVED}
_PLAIN: Final = ("100644", "100755")
_SUBMODULE: Final = "160000"


class LocalMigrations:
    """Implements Migrations for one app on this machine."""

    def __init__(self, app_dir: Path) -> None:
        app = app_dir.resolve()
        self._layout = Layout(app, state_dir(app).resolve())

    def across(self, older: Release, newer: Sequence[Release]) -> Crossing:
        files: set[MigrationFile] = set()
        problems = [f"more than {RELEASES_MAX} releases came since"] if len(newer) > RELEASES_MAX else []
        ends = monotonic() + ALL_S
        for release in newer[:RELEASES_MAX]:
            try:
                if monotonic() > ends:
                    raise git.GitFailed(f"reading took more than {ALL_S:.0f} s")
                files |= set(_between(self._layout.app, older.commit, release.commit))
            except ProdwiseError as error:
                problems.append(f"{older.id} to {release.id}: {error.message}")
            except (OSError, ValueError) as error:
                problems.append(f"{older.id} to {release.id}: {error}")
        lines = tuple(self._line(older, release) for release in newer[:RELEASES_MAX])
        ordered = sorted(files, key=lambda one: (one.path, one.change.value, one.text, one.problem))
        return Crossing(tuple(ordered), lines, "; ".join(problems))

    def on_disk(self) -> tuple[Release, ...]:
        """Releases as their own records tell, newest first: for those who cannot ask the database."""
        ids = sorted(Builder(self._layout, Config()).ids(), key=number_of, reverse=True)
        records = {one: read_release(self._layout, one) for one in ids}
        return tuple(
            Release(one, number_of(one), record.commit if record else "", "", 0.0, ReleaseState.READY)
            for one, record in records.items()
        )

    def _line(self, older: Release, release: Release) -> RanLine:
        """A place without a record: its build failed, and its line did not run. No place: it may have run before it was removed."""
        record, place = read_release(self._layout, release.id), self._layout.release(release.id)
        if record is None:
            return RanLine(release.id, "" if place.exists() else None)
        before, after = self._layout.release(older.id) / "venv", place / "venv"
        same = environment.installed(before) == environment.installed(after) if before.exists() else None
        return RanLine(release.id, record.release_line, same)


@lru_cache(maxsize=64)
def _between(app: Path, older: str, newer: str) -> tuple[MigrationFile, ...]:
    """Of two commits, which never change. Raises GitFailed."""
    if not _COMMIT.match(older) or not _COMMIT.match(newer):
        raise git.GitFailed("its commit is not known")
    found: list[MigrationFile] = []
    texts: list[tuple[git.Changed, FileChange]] = []
    for changed in git.changed(app, older, newer, TIMEOUT_S):
        change = _CHANGES.get(changed.status, FileChange.CHANGED)
        mode = changed.old_mode if change is FileChange.REMOVED else changed.mode
        if mode == _SUBMODULE or changed.old_mode == _SUBMODULE:
            found.append(MigrationFile(changed.path, FileChange.ADDED, problem="what a submodule holds is not read"))
        elif mode not in _PLAIN:
            if lies_among_migrations(changed.path):
                found.append(MigrationFile(changed.path, change, problem="it is no plain file"))
        elif is_source(changed.path) or lies_among_migrations(changed.path):
            texts.append((changed, change))
    if len(texts) > FILES_MAX:
        raise git.GitFailed(f"more than {FILES_MAX} files changed")
    return (*found, *_read(app, texts))


def _read(app: Path, texts: Sequence[tuple[git.Changed, FileChange]]) -> Iterator[MigrationFile]:
    blobs = [one.old_blob if change is FileChange.REMOVED else one.blob for one, change in texts]
    bodies = git.blobs(app, blobs, BLOB_MAX, BLOBS_MAX, TIMEOUT_S)
    for (changed, change), body in zip(texts, bodies, strict=True):
        among = lies_among_migrations(changed.path)
        if body is None:  # a long file elsewhere is a program's, not a migration
            if among:
                yield MigrationFile(changed.path, change, problem="it is too long")
            continue
        try:
            text = body.decode()
        except UnicodeDecodeError:
            if among:
                yield MigrationFile(changed.path, change, problem="it is no text")
            continue
        if is_migration(changed.path, text):
            yield MigrationFile(changed.path, change, text)
