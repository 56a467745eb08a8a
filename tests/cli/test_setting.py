"""`prodwise setting` as a person runs it, on real repositories."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Quick, Terminal
from tests.repair.repos import commit, git, new

BEGIN = {
    "app.toml": "# how long people wait\n[checkout]\ntimeout = 30  # seconds\nmost = 20\n[login]\npassword_length = 12\n",
    "config/dev.json": '{"new_cart": false, "limit": 5}\n',
    "config/prod.json": '{"new_cart": false}\n',
}


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Quick(tmp_path)


@pytest.fixture
def repo(terminal: Terminal) -> Path:
    made = new(terminal.folder / "app")
    commit(made, BEGIN, "Begin")
    changed = BEGIN["app.toml"].replace("timeout = 30", "timeout = 3").replace("length = 12", "length = 4")
    commit(made, {"app.toml": changed}, "Wait less")
    commit(made, {name: BEGIN[name].replace("false", "true") for name in BEGIN if name.endswith("json")}, "New cart")
    return made


def test_a_dry_run_prints_a_diff_that_git_takes_and_changes_nothing(terminal: Terminal, repo: Path) -> None:
    said = terminal.run("setting", "timeout", "--repo", "app", "--dry-run")
    assert said.code == 0
    assert "put checkout.timeout in app.toml back to 30: " in said.err
    assert "'Wait less' made it 3" in said.err
    assert git(repo, "status", "--porcelain") == ""
    (terminal.folder / "back.diff").write_text(said.out)
    git(repo, "apply", str(terminal.folder / "back.diff"))
    assert "timeout = 30  # seconds\n" in (repo / "app.toml").read_text()


def test_one_setting_goes_back_and_all_else_stays(terminal: Terminal, repo: Path) -> None:
    before = (repo / "app.toml").read_text()
    said = terminal.run("setting", "checkout.timeout", "--repo", "app", "-y", "--json")
    assert (said.code, said.err) == (0, "")
    told = json.loads(said.out)
    assert {name: told[name] for name in ("key", "file", "now", "before", "files", "done")} == {
        "key": "checkout.timeout", "file": "app.toml", "now": "3", "before": "30", "files": ["app.toml"], "done": True,
    }  # fmt: skip
    assert (repo / "app.toml").read_text() == before.replace("timeout = 3 ", "timeout = 30 ")
    assert git(repo, "status", "--porcelain") == "M app.toml", "nothing is committed"


def test_one_that_is_in_several_files_is_told_apart_by_its_file(terminal: Terminal, repo: Path) -> None:
    said = terminal.run("setting", "new_cart", "--repo", "app", "-y")
    assert (said.code, "new_cart in config/prod.json" in said.err) == (2, True)
    assert terminal.run("setting", "new_cart", "--file", "config/prod.json", "--repo", "app", "-y").code == 0
    assert [json.loads((repo / f"config/{name}.json").read_text())["new_cart"] for name in ("dev", "prod")] == [
        True,
        False,
    ]


def test_to_what_it_was_at_a_commit(terminal: Terminal, repo: Path) -> None:
    begin = git(repo, "rev-list", "--max-parents=0", "HEAD")
    commit(repo, {"app.toml": BEGIN["app.toml"].replace("timeout = 30", "timeout = 1")}, "Wait even less")
    for since, was in ((), "3"), (("--since", begin[:9]), "30"):
        said = terminal.run("setting", "timeout", *since, "--repo", "app", "--dry-run", "--json")
        assert json.loads(said.out)["before"] == was


def test_what_changed_lately_and_what_is_a_persons(terminal: Terminal, repo: Path) -> None:
    listed = terminal.run("setting", "--list", "--repo", "app").out
    assert "checkout.timeout in app.toml  30 → 3" in listed
    assert "login.password_length is left to a person" in listed
    told = json.loads(terminal.run("setting", "--list", "--file", "app.toml", "--repo", "app", "--json").out)
    assert [one["key"] for one in told["changes"]] == ["checkout.timeout"]
    assert [one["key"] for one in told["left"]] == ["login.password_length"]


@pytest.mark.parametrize(
    ("asked", "code", "words"),
    [
        (["checkout.timout"], 2, "did you mean checkout.timeout?"),
        (["tiemout"], 2, "did you mean checkout.timeout?"),
        (["most"], 2, "no setting 'most' changed lately"),
        (["timeout", "--file", "config/dev.json"], 2, "changed lately in config/dev.json"),
        (["password_length"], 6, "left to a person: it speaks of login"),
        (["timeout", "--no-input"], 2, "Put checkout.timeout back? Nobody is here to answer"),
        (["timeout", "--since", "nope"], 2, "nope"),
        (["timeout", "--list"], 2, "name a setting, or say --list"),
        ([], 2, "name a setting, or say --list"),
    ],
)
def test_what_cannot_be_done_is_said(terminal: Terminal, repo: Path, asked: list[str], code: int, words: str) -> None:
    said = terminal.run("setting", *asked, "--repo", "app")
    assert (said.code, said.out) == (code, "")
    assert words in said.err


def test_a_file_with_changes_is_not_written_over(terminal: Terminal, repo: Path) -> None:
    (repo / "app.toml").write_text((repo / "app.toml").read_text() + "\n")
    said = terminal.run("setting", "timeout", "--repo", "app", "-y")
    assert (said.code, said.out) == (6, "")
    assert "app.toml has changes that are not committed" in said.err
