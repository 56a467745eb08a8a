"""Releases: built once, from the commit alone, with their own environment."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

import pytest

from prodwise.config import load
from prodwise.model.errors import BuildFailed, UsageError
from prodwise.targets.local import environment, git
from prodwise.targets.local.builder import Builder
from prodwise.targets.local.layout import Layout
from prodwise.targets.local.records import read_release
from prodwise.testing import apps


def builder(app: Path) -> Builder:
    layout = Layout(app, app / ".prodwise")
    layout.make()
    return Builder(layout, load(app))


def build(app: Path) -> tuple[Builder, str]:
    made = builder(app)
    commit = made.resolve("HEAD")
    release = made.next_id(commit)
    made.build(release, commit)
    return made, release


def wheel(folder: Path) -> str:
    """A tiny package as a wheel file, so that nothing needs a network. Returns its file name."""
    name = "greeting-1.2-py3-none-any.whl"
    with zipfile.ZipFile(folder / name, "w") as archive:
        archive.writestr("greeting.py", "TEXT = 'hello'\n")
        archive.writestr("greeting-1.2.dist-info/METADATA", "Metadata-Version: 2.1\nName: greeting\nVersion: 1.2\n")
        archive.writestr(
            "greeting-1.2.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("greeting-1.2.dist-info/RECORD", "")
    return name


def test_a_release_is_built_once_from_the_commit_alone(tmp_path: Path) -> None:
    app = apps.make_app(tmp_path)
    (app / "web.py").write_text("not committed")
    made, release = build(app)
    place = app / ".prodwise/releases" / release
    assert (place / "src/web.py").read_text() == apps.WEB
    assert release == f"1-{made.resolve('HEAD')[:7]}"
    (place / "marker").touch()
    first = made.build(release, made.resolve("HEAD"))
    assert made.build(release, made.resolve("HEAD")) == first
    assert (place / "marker").exists()
    assert (first.title, first.author) == ("make it good", "Test")
    assert [service.id for service in first.services] == ["web"]
    commit = apps.commit(app, apps.BAD, {"web.py": apps.WEB})
    with pytest.raises(BuildFailed, match="was built from"):
        made.build(release, commit)
    assert made.build(made.next_id(commit), commit).digest != first.digest


def test_the_same_content_has_the_same_digest(tmp_path: Path) -> None:
    app = apps.make_app(tmp_path)
    made, release = build(app)
    first = made.build(release, made.resolve("HEAD"))
    commit = apps.commit(app)
    assert commit != first.commit
    assert made.build(made.next_id(commit), commit).digest == first.digest


def test_an_interrupted_build_is_made_again(tmp_path: Path) -> None:
    app = apps.make_app(tmp_path)
    made = builder(app)
    commit = made.resolve("HEAD")
    place = app / ".prodwise/releases" / f"1-{commit[:7]}"
    git.check_out(app, commit, place / "src")
    (place / "src/web.py").unlink()
    (place / "venv").mkdir()
    made.build(place.name, commit)
    assert (place / "src/web.py").exists()


def test_requirements_are_installed_beside_the_source(tmp_path: Path) -> None:
    app = apps.make_app(tmp_path)
    name = wheel(app)
    apps.commit(app, apps.GOOD, {"requirements.txt": f"./{name}\n"})
    _, release = build(app)
    place = app / ".prodwise/releases" / release
    code = "import greeting, os, sys; print(greeting.TEXT, os.path.realpath(sys.prefix))"
    said = subprocess.run(
        [place / "src/.venv/bin/python", "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert said.split() == ["hello", str(place / "venv")]
    assert environment.installed(place / "venv") == ["greeting-1.2"]
    apps.commit(app, apps.GOOD, {"requirements.txt": "./not-there-1.0-py3-none-any.whl\n"})
    with pytest.raises(BuildFailed, match="not-there"):
        build(app)


def test_a_build_line_runs_in_the_release_and_sees_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "secret")
    monkeypatch.setenv("PRODWISE_TOKEN", "secret")
    settings = apps.SETTINGS.replace("version = 1", "version = 1\nbuild = 'env > built.txt'")
    made, release = build(apps.make_app(tmp_path, settings=settings))
    src = tmp_path / "app/.prodwise/releases" / release / "src"
    assert "secret" not in (src / "built.txt").read_text()
    assert made.ids() == [release]


def test_names_that_only_the_shell_knows_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://somewhere")
    monkeypatch.setenv("KNOWN_TO_BOTH", "x")
    settings = apps.SETTINGS.replace("version = 1", 'version = 1\nenv_file = "app.env"')
    reads = "import os\nos.environ['DATABASE_URL']\nos.getenv('KNOWN_TO_BOTH')\nos.environ.get('NOT_SET_ANYWHERE')\n"
    app = apps.make_app(tmp_path, settings=settings, files={"settings.py": reads})
    (app / "app.env").write_text("KNOWN_TO_BOTH=1\n")
    made, release = build(app)
    layout = Layout(app, app / ".prodwise")
    record = read_release(layout, release)
    assert record is not None
    assert [warning.split()[0] for warning in record.warnings] == ["DATABASE_URL"]
    assert record.env_names == ("KNOWN_TO_BOTH",)
    before = made.build(release, made.resolve("HEAD")).env_digest
    (app / "app.env").write_text("KNOWN_TO_BOTH=2\n")
    commit = apps.commit(app)
    assert before
    assert made.build(made.next_id(commit), commit).env_digest not in ("", before)


def test_shared_paths_are_the_same_for_all_releases(tmp_path: Path) -> None:
    settings = apps.SETTINGS.replace('["beats"]', '["app.db", "uploads/", "seed.txt"]')
    app = apps.make_app(tmp_path, settings=settings, files={"seed.txt": "tracked"})
    made, first = build(app)
    apps.commit(app)
    made, second = build(app)
    one, two = (app / ".prodwise/releases" / release / "src" for release in (first, second))
    (one / "app.db").write_text("rows")
    (one / "uploads/a.png").write_text("picture")
    assert (two / "app.db").read_text() == "rows"
    assert (two / "uploads/a.png").read_text() == "picture"
    assert (app / "uploads/a.png").exists()
    record = read_release(Layout(app, app / ".prodwise"), second)
    assert record is not None
    assert ["seed.txt" in warning for warning in record.warnings] == [True]
    made.remove(first)
    assert (app / "uploads/a.png").exists()
    assert (two / "app.db").read_text() == "rows"


def test_the_release_line_runs_once_and_again_after_a_failure(tmp_path: Path) -> None:
    settings = apps.SETTINGS.replace(
        "version = 1", "version = 1\nrelease = 'echo $PRODWISE_RELEASE >> beats; test ! -e block'"
    )
    settings = settings.replace('["beats"]', '["beats", "block"]')
    app = apps.make_app(tmp_path, settings=settings)
    (app / "block").touch()
    made, release = build(app)
    with pytest.raises(BuildFailed, match="exit code 1"):
        made.run_release_line(release)
    (app / "block").unlink()
    for _ in range(3):
        made.run_release_line(release)
    assert (app / "beats").read_text().split() == [release, release]
    with pytest.raises(BuildFailed, match="not built"):
        made.run_release_line("9-0000000")


def test_only_so_many_releases_are_kept_and_never_one_that_is_needed(tmp_path: Path) -> None:
    app = apps.make_app(tmp_path, settings=apps.SETTINGS.replace("version = 1", "version = 1\nkeep_releases = 2"))
    releases = []
    for _ in range(4):
        apps.commit(app)
        made, release = build(app)
        releases.append(release)
    assert made.prune({releases[0]}) == [releases[1], releases[2]]
    assert made.ids() == [releases[0], releases[3]]
    made.remove(releases[1])
    assert len(apps.git(app, "worktree", "list").splitlines()) == 3
    with pytest.raises(UsageError):
        made.remove("../../etc")
    assert made.next_id("f" * 40) == "5-fffffff"


def test_hooks_do_not_run_and_symlinks_stay_links(tmp_path: Path) -> None:
    app = apps.make_app(tmp_path)
    hook = app / ".git/hooks/post-checkout"
    hook.write_text("#!/bin/sh\ntouch ../../../hooked\n")
    hook.chmod(0o755)
    (app / "escape").symlink_to("/etc/passwd")
    apps.commit(app)
    _, release = build(app)
    assert not list(tmp_path.rglob("hooked"))
    assert (app / ".prodwise/releases" / release / "src/escape").is_symlink()
