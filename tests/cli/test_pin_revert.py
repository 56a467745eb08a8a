"""`prodwise pin` and `prodwise revert` as a person runs them, on real repositories."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Quick, Terminal
from tests.repair.repos import commit, git, new, pyproject, uv_lock


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Quick(tmp_path)


@pytest.fixture
def repo(terminal: Terminal) -> Path:
    place = new(terminal.folder / "app")
    for six in ("1.16.0", "1.17.0"):
        now = {"idna": "3.4", "six": six}
        commit(place, {"pyproject.toml": pyproject(now), "uv.lock": uv_lock(now)}, f"six {six}")
    return place


def test_a_dry_run_prints_a_diff_that_git_takes_and_changes_nothing(terminal: Terminal, repo: Path) -> None:
    said = terminal.run("pin", "six", "--repo", "app", "--dry-run")
    assert said.code == 0
    assert said.out.startswith("diff --git ")
    assert "six 1.17.0 → 1.16.0 (seen in " in said.err
    assert git(repo, "status", "--porcelain") == ""
    (terminal.folder / "pin.diff").write_text(said.out)
    git(repo, "apply", "--check", str(terminal.folder / "pin.diff"))


def test_pinned_listed_refused_and_released(terminal: Terminal, repo: Path) -> None:
    said = terminal.run("pin", "six", "--repo", "app", "-y", "--reason", "it broke", "--until", "2099-01-31")
    assert (said.code, "✓ changed" in said.out) == (0, True)
    assert set(git(repo, "status", "--porcelain", "-uall").split()[1::2]) == {
        "pyproject.toml",
        "uv.lock",
        ".prodwise-holds.toml",
    }
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "pin six")
    assert "held at 1.16.0 already" in terminal.run("pin", "six", "--repo", "app", "-y").out
    listed = json.loads(terminal.run("pin", "--list", "--repo", "app", "--json").out)
    assert [(one["package"], one["version"], one["reason"], one["expires"], one["due"]) for one in listed["holds"]] == [
        ("six", "1.16.0", "it broke", "2099-01-31", False)
    ]
    assert terminal.run("pin", "--release", "six", "--repo", "app", "-y").code == 0
    assert not (repo / ".prodwise-holds.toml").exists()


def test_files_with_changes_are_not_written_over(terminal: Terminal, repo: Path) -> None:
    (repo / "uv.lock").write_text((repo / "uv.lock").read_text() + "\n")
    said = terminal.run("pin", "six", "--repo", "app", "-y")
    assert (said.code, said.out) == (6, "")
    assert "uv.lock has changes that are not committed" in said.err


@pytest.mark.parametrize(
    ("asked", "code", "words"),
    [
        (["sixx"], 2, "did you mean six?"),
        (["six=="], 2, "names no version"),
        (["six", "--until", "soon"], 2, "is no date"),
        (["six", "--until", "2001-01-01"], 2, "in the past"),
        (["six", "--list"], 2, "name a package"),
        (["idna"], 6, "no older version of idna"),
        (["six", "--no-input"], 2, "Nobody is here to answer"),
        (["--release", "six"], 2, "six is not held"),
    ],
)
def test_what_cannot_be_done_is_said(terminal: Terminal, repo: Path, asked: list[str], code: int, words: str) -> None:
    said = terminal.run("pin", *asked, "--repo", "app")
    assert (said.code, said.out) == (code, "")
    assert words in said.err
    assert git(repo, "status", "--porcelain") == ""


def test_it_asks_first_and_no_is_the_default(terminal: Terminal, repo: Path) -> None:
    shown = terminal.type("\n", "pin", "six", "--repo", "app")
    assert "Pin six to 1.16.0?" in shown
    assert "[y/N]" in shown
    assert git(repo, "status", "--porcelain") == ""
    terminal.type("y\n", "pin", "six", "--repo", "app")
    assert "uv.lock" in git(repo, "status", "--porcelain")


def test_no_repository_is_said(terminal: Terminal) -> None:
    said = terminal.run("revert", "HEAD", "--json")
    assert said.code == 2
    assert "not in a git repository" in json.loads(said.err)["error"]


def test_a_commit_is_taken_back_or_the_clash_is_explained(terminal: Terminal, repo: Path) -> None:
    commit(repo, {"a.py": "1\n2\n3\n", "b.py": "1\n"})
    bad = commit(repo, {"a.py": "1\nbad\n3\n", "b.py": "bad\n"}, "break it")
    shown = json.loads(terminal.run("revert", bad[:8], "--repo", "app", "--dry-run", "--json").out)
    assert (shown["whole"], shown["files"], shown["dry_run"]) == (True, ["a.py", "b.py"], True)
    assert terminal.run("revert", bad, "--repo", "app", "-y").code == 0
    assert (repo / "a.py").read_text() == "1\n2\n3\n"
    git(repo, "checkout", "-q", ".")
    later = commit(repo, {"a.py": "1\nother\n3\n"}, "rework")
    said = terminal.run("revert", bad, "--repo", "app", "-y")
    assert (said.code, said.out) == (7, "")
    assert f"a.py, line 2: {later[:7]} 'rework' changed the same lines later" in said.err
    assert "add --part to take back what can go: b.py" in said.err
    assert terminal.run("revert", bad, "--repo", "app", "-y", "--part").code == 0
    assert ((repo / "a.py").read_text(), (repo / "b.py").read_text()) == ("1\nother\n3\n", "1\n")


def test_locks_and_migrations_need_a_word_more(terminal: Terminal, repo: Path) -> None:
    said = terminal.run("revert", "HEAD", "--repo", "app", "-y")
    assert said.code == 6
    assert "it changes what is installed (uv.lock)" in said.err
    assert git(repo, "status", "--porcelain") == ""
    assert terminal.run("revert", "HEAD", "--repo", "app", "-y", "--anyway").code == 0
    assert 'version = "1.16.0"' in (repo / "uv.lock").read_text()
