"""What a release brought, asked of real repositories."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from prodwise.config import load
from prodwise.model.delta import Delta, Named, Package, Setting, Touched
from prodwise.model.release import Release, ReleaseState
from prodwise.targets.local import compare, git
from prodwise.targets.local.builder import Builder
from prodwise.targets.local.compare import LocalCompare
from prodwise.targets.local.layout import Layout
from prodwise.testing import apps

LOCK = '[[package]]\nname = "flask"\nversion = "{}"\n'


def release(number: int, commit: str) -> Release:
    return Release(f"{number}-{commit[:7]}", number, commit, "", 0.0, ReleaseState.READY)


def between(app: Path, older: str, newer: str) -> Delta:
    return LocalCompare(app).delta(release(1, older), release(2, newer))


def head(app: Path) -> str:
    return git.resolve(app, "HEAD")


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return apps.make_app(tmp_path)


def test_commits_packages_settings_and_migrations_of_a_release(app: Path) -> None:
    settings = (app / "prodwise.toml").read_text()
    (app / "migrations").mkdir()
    first = apps.commit(app, files={"api/uv.lock": LOCK.format("3.0.3"), "gone/requirements.txt": "a==1\n"})
    apps.commit(app, files={"api/uv.lock": LOCK.format("3.1.0"), "migrations/1.sql": "CREATE TABLE t (a int);"})
    second = apps.commit(
        app, files={"prodwise.toml": settings + "\n[heal]\nwatch_seconds = 7\n", "Procfile": "web: x --token=T0P\n"}
    )
    found = between(app, first, second)
    assert [one.id for one in found.commits] == [second, git.resolve(app, "HEAD~1")]
    assert (found.commit_count, found.backwards) == (2, 0)
    assert found.packages == (Package("api/uv.lock", "flask", "3.0.3", "3.1.0"),)
    assert found.package_count == 1
    assert Setting("heal.watch_seconds", "added", "", "7") in found.settings
    assert "T0P" not in str(found)
    assert found.migrations == ("migrations/1.sql",)
    assert [one for one in found.unknown if not one.startswith("environment")] == []
    back = between(app, second, first)
    assert (back.commit_count, back.backwards) == (0, 2)
    assert back.packages == (Package("api/uv.lock", "flask", "3.1.0", "3.0.3"),)


def test_lists_are_bounded_and_say_how_many_there_are(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare, "COMMITS_MAX", 2)
    monkeypatch.setattr(compare, "PACKAGES_MAX", 3)
    first = head(app)
    for number in range(3):
        apps.commit(app, files={"n.txt": str(number)})
    last = apps.commit(app, files={"uv.lock": "".join(LOCK.format(1).replace("flask", f"p{n}") for n in range(9))})
    found = between(app, first, last)
    assert (len(found.commits), found.commit_count) == (2, 4)
    assert (len(found.packages), found.package_count) == (3, 9)


def test_what_cannot_be_told_is_said_and_costs_nothing_else(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare, "LOCK_BYTES_MAX", 4096)
    first = head(app)
    last = apps.commit(
        app, files={"uv.lock": "x" * 5000, "poetry.lock": "[[broken", "Gemfile.lock": "GEM\n  specs:\n    rack (3.0.9)\n"}
    )  # fmt: skip
    found = between(app, first, last)
    assert found.packages == (Package("Gemfile.lock", "rack", "", "3.0.9"),)
    assert any("uv.lock" in one and "longer than 4 KiB" in one for one in found.unknown)
    assert any("poetry.lock" in one and "cannot be read" in one for one in found.unknown)
    for wrong in ("0" * 40, "--output=/tmp/x", ""):
        lost = between(app, wrong, last)
        assert lost.unknown, wrong
        assert lost.commits == lost.packages == ()


def test_it_ends_in_time_whatever_the_repository_is(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare, "ALL_S", -1.0)
    found = between(app, head(app), head(app))
    assert found.commits == ()
    assert all("took more than" in one or "not known any more" in one for one in found.unknown)
    assert len(found.unknown) == 4


def test_nothing_of_the_repository_is_run(app: Path, tmp_path: Path) -> None:
    """A filter or a driver for diffs would be a program of whoever may commit or configure it."""
    touched = tmp_path / "ran"
    for name in ("diff.evil.textconv", "diff.evil.command", "filter.evil.smudge"):
        subprocess.run(["git", "-C", str(app), "config", name, f"touch {touched}; cat"], check=True)
    first = apps.commit(app, files={".gitattributes": "* diff=evil\n", "uv.lock": LOCK.format("1")})
    found = between(app, first, apps.commit(app, files={"uv.lock": LOCK.format("2")}))
    assert found.packages == (Package("uv.lock", "flask", "1", "2"),)
    assert not touched.exists()


def test_the_environment_by_name_from_build_to_build(tmp_path: Path) -> None:
    app = apps.make_app(tmp_path, settings=apps.SETTINGS.replace("version = 1", 'version = 1\nenv_file = "app.env"'))
    layout = Layout(app, app / ".prodwise")
    layout.make()
    builds = []
    for number, told in enumerate(("A=1\nTOKEN=hunter2\nOLD=x\n", "A=1\nTOKEN=hunter3\nNEW=y\n"), 1):
        (app / "app.env").write_text(told)
        commit = apps.commit(app, files={"n.txt": str(number)})
        builds.append(Builder(layout, load(app)).build(f"{number}-{commit[:7]}", commit))
    found = between(app, builds[0].commit, builds[1].commit)
    assert found.environment == Named(("NEW",), ("OLD",), ("TOKEN",))
    kept = "".join(path.read_text() for path in (app / ".prodwise/releases").glob("*/environment.json"))
    assert "hunter" not in kept
    assert "TOKEN" in kept


APART = """version = 1
[services.web]
command = "x"
paths = ["web/", "shared/"]
[services.worker]
command = "x"
paths = ["worker", "shared"]
[services.pay]
command = "x"
upstream = true
"""


def told_nothing(app: Path, releases: tuple[str, ...]) -> None:
    """The names in the environment that a build writes down: none."""
    for release in releases:
        place = app / ".prodwise" / "releases" / release
        place.mkdir(parents=True, exist_ok=True)
        (place / "environment.json").write_text("{}")


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"worker/jobs.py": "1"}, Touched(("worker",), ("worker",))),
        ({"worker/jobs.py": "1", "worker/uv.lock": LOCK.format("2")}, Touched(("worker",), ("worker",))),
        ({"worker": "a file"}, Touched(("worker",), ("worker",))),
        ({"shared/money.py": "1"}, Touched(whole="something of each was changed")),
        ({"web/page.py": "1", "worker/jobs.py": "1"}, Touched(whole="something of each was changed")),
        ({"web/page.py": "1", "uv.lock": LOCK.format("2")}, Touched(whole="uv.lock belongs to no service alone")),
        ({"workers/x.py": "1"}, Touched(whole="workers/x.py belongs to no service alone")),
        ({"worker/migrations/1.sql": "DROP TABLE t;"}, Touched(whole="it brought migrations of the data")),
    ],
)
def test_which_services_a_release_changed(app: Path, files: dict[str, str], found: Touched) -> None:
    first = apps.commit(app, files={"prodwise.toml": APART})
    second = apps.commit(app, files=files)
    told_nothing(app, (release(1, first).id, release(2, second).id))
    brought = between(app, first, second)
    assert brought.touched == found
    assert Delta.from_json(brought.to_json()) == brought
    assert between(app, second, first).touched == Touched(whole="whether variables differ is not known")


def test_what_is_not_known_counts_as_all_services(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    undeclared = between(app, head(app), apps.commit(app, files={"worker/jobs.py": "1"}))
    assert undeclared.touched == Touched()
    first = apps.commit(app, files={"prodwise.toml": APART.replace('paths = ["web/", "shared/"]', "")})
    second = apps.commit(app, files={"worker/jobs.py": "2"})
    told_nothing(app, (release(1, first).id, release(2, second).id))
    assert between(app, first, second).touched.services == (), "web may be anything"
    told_nothing(app, (release(2, first).id,))
    assert between(app, first, first).touched.services == (), "no file differs"
    first = apps.commit(app, files={"prodwise.toml": APART})
    third = apps.commit(app, files={"worker/jobs.py": "3"})
    told_nothing(app, (release(1, first).id,))
    place = app / ".prodwise" / "releases" / release(2, third).id
    place.mkdir(parents=True)
    (place / "environment.json").write_text('{"KEY": "1"}')
    assert between(app, first, third).touched.whole == "variables in the env_file differ"
    monkeypatch.setattr(compare, "ALL_S", -1.0)
    assert between(app, first, third).touched.services == ()


def test_what_was_kept_before_services_were_told_can_still_be_read() -> None:
    old = Delta("1-a", "a", "b").to_json()
    del old["touched"]
    assert Delta.from_json(old) == Delta("1-a", "a", "b")
