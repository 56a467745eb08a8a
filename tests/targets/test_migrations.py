"""Which migrations lie between releases: from real git repositories, and releases as they lie on disk."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from prodwise.loop.choose import schema
from prodwise.model.release import Release, ReleaseState
from prodwise.model.schema import Crossing, FileChange
from prodwise.targets.local import migrations
from prodwise.targets.local.migrations import LocalMigrations
from prodwise.testing import apps

CREATE, DROP = "CREATE TABLE a (id int);\n", "ALTER TABLE users\n  DROP COLUMN mail;\n"


class Repo:
    """An app whose commits become releases; `lines` are their `release:` lines."""

    def __init__(self, parent: Path) -> None:
        self.dir = apps.make_app(parent, files={"migrations/0001.sql": CREATE})
        self.releases = [self._release(apps.git(self.dir, "rev-parse", "HEAD"))]

    def _release(self, commit: str) -> Release:
        number = len(getattr(self, "releases", [])) + 1
        return Release(f"{number}-{commit[:7]}", number, commit, "", 0.0, ReleaseState.READY)

    def commit(self, files: dict[str, str], line: str = "") -> Release:
        release = self._release(apps.commit(self.dir, files=files))
        self.releases.append(release)
        self.built(release, line)
        return release

    def built(self, release: Release, line: str, packages: tuple[str, ...] = ()) -> None:
        place = self.dir / ".prodwise" / "releases" / release.id
        for name in packages:
            (place / "venv/lib/python3.12/site-packages" / f"{name}.dist-info").mkdir(parents=True)
        place.mkdir(parents=True, exist_ok=True)
        facts = {"id": release.id, "commit": release.commit, "digest": "", "title": "", "author": "", "services": []}
        (place / "release.json").write_text(
            json.dumps({**facts, "release_line": line, "env_names": [], "warnings": []})
        )

    def across(self, older: int = 0) -> Crossing:
        found = self.releases[older]
        return LocalMigrations(self.dir).across(found, [one for one in self.releases if one.number > found.number])

    def asks(self, older: int = 0) -> str:
        return schema.asks(schema.read(self.across(older)))


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path)


def test_new_migrations_are_found_with_file_and_line(repo: Repo) -> None:
    repo.commit({"migrations/0002.sql": DROP, "web.py": "# another\n", "docs/migrations.md": "x"})
    assert [(one.path, one.change) for one in repo.across().files] == [("migrations/0002.sql", FileChange.ADDED)]
    assert "migrations/0002.sql:2 drops from users: mail" in repo.asks()


def test_what_only_adds_asks_nobody(repo: Repo) -> None:
    repo.commit({"migrations/0002.sql": "CREATE TABLE b (id int);\n"}, "dbmate up")
    assert repo.asks() == ""


def test_a_release_without_migrations_asks_nobody_whatever_its_known_line(repo: Repo) -> None:
    repo.commit({"web.py": apps.WEB + "\n"}, "alembic upgrade head")
    assert repo.across().files == ()
    assert repo.asks() == ""
    repo.commit({"web.py": apps.WEB}, "./seed.sh")
    assert "what it does to the data is not known" in repo.asks()


def test_a_withdrawn_release_in_between_counts(repo: Repo) -> None:
    """Its migration ran; that a later release does not hold it takes nothing back."""
    repo.commit({"migrations/0002.sql": DROP})
    apps.git(repo.dir, "rm", "-q", "migrations/0002.sql")
    repo.commit({"web.py": apps.WEB + "\n"})
    assert "migrations/0002.sql:2" in repo.asks()
    assert "is in the older release only" in repo.asks(1)


def test_a_changed_one_is_unknown(repo: Repo) -> None:
    repo.commit({"migrations/0001.sql": CREATE + "-- more\n"})
    assert "is in both releases, and differs" in repo.asks()


def test_migrations_in_odd_places_are_known_by_their_text(repo: Repo) -> None:
    repo.commit(
        {"odd/place.rb": "class A < ActiveRecord::Migration[7.1]\n  def change\n    drop_table :a\n  end\nend\n"}
    )
    assert "odd/place.rb:3 drop_table a" in repo.asks()


def test_links_binaries_and_long_files_among_migrations_are_unknown(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.symlink("/etc/passwd", repo.dir / "migrations" / "0002.sql")
    (repo.dir / "migrations" / "0003.sql").write_bytes(b"\xff\xfe\x00")
    repo.commit(
        {"migrations/0004.sql": CREATE + " " * migrations.BLOB_MAX, "long.py": "#" * migrations.BLOB_MAX + "\n"}
    )
    found = {one.path: one.problem for one in repo.across().files}
    assert found == {
        "migrations/0002.sql": "it is no plain file",
        "migrations/0003.sql": "it is no text",
        "migrations/0004.sql": "it is too long",
    }
    assert "and 0 more" not in repo.asks()


def test_names_of_paths_and_hostile_settings_of_the_repository_do_nothing(repo: Repo, tmp_path: Path) -> None:
    """Its own drivers for diffs and filters would run programs."""
    ran = tmp_path / "ran"
    apps.git(repo.dir, "config", "diff.evil.command", f"touch {ran}")
    apps.git(repo.dir, "config", "diff.evil.textconv", f"touch {ran}; cat")
    apps.git(repo.dir, "config", "diff.external", f"touch {ran}")
    repo.commit(
        {".gitattributes": "*.sql diff=evil\n", "migrations/0002 \n-x.sql": DROP, "migrations/--0003.sql": DROP}
    )
    assert len(repo.across().files) == 2
    assert repo.asks().count(".sql:2 drops") == 2
    assert repo.asks().isprintable()
    assert not ran.exists()


def test_what_cannot_be_read_is_unknown_and_never_raises(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = repo.commit({"web.py": apps.WEB + "\n"})
    cases: list[tuple[Callable[[], object], str]] = [
        (lambda: monkeypatch.setattr(migrations, "FILES_MAX", 0), "more than 0 files changed"),
        (lambda: monkeypatch.setattr(migrations, "FILES_MAX", 9), ""),
        (lambda: monkeypatch.setattr(migrations, "BLOBS_MAX", 1), "MiB changed"),
        (lambda: monkeypatch.setattr(migrations, "RELEASES_MAX", 0), "more than 0 releases"),
    ]
    for change, says in cases:
        change()
        migrations._between.cache_clear()
        assert says in repo.asks(), says
        assert bool(says) is bool(repo.asks()), says
    for commit in ("0" * 40, "--output=x", "HEAD", ""):
        gone = Release("9-0", 9, commit, "", 0.0, ReleaseState.READY)
        assert "were not all read" in schema.asks(schema.read(LocalMigrations(repo.dir).across(newer, [gone]))), commit


def test_the_line_of_a_release_that_is_gone_is_not_known_and_of_one_that_was_not_built_did_not_run(repo: Repo) -> None:
    release = repo.commit({"web.py": apps.WEB + "\n"}, "alembic upgrade head")
    place = repo.dir / ".prodwise" / "releases" / release.id
    (place / "release.json").unlink()
    assert repo.asks() == ""
    place.rmdir()
    assert "no longer on this machine" in repo.asks()


def test_django_runs_the_migrations_of_packages_too(repo: Repo) -> None:
    release = repo.commit({"web.py": apps.WEB + "\n"}, "python manage.py migrate")
    assert "packages differ" in repo.asks()
    repo.built(repo.releases[0], "", ("django-5.2",))
    repo.built(release, "python manage.py migrate", ("django-5.2",))
    assert repo.asks() == ""
    repo.built(release, "python manage.py migrate", ("django_allauth-65.0",))
    assert "packages differ" in repo.asks()


def test_releases_are_known_from_disk_alone(repo: Repo) -> None:
    repo.built(repo.releases[0], "")
    repo.commit({"migrations/0002.sql": DROP})
    found = LocalMigrations(repo.dir).on_disk()
    assert [(one.id, one.commit) for one in found] == [(one.id, one.commit) for one in reversed(repo.releases)]
