"""What changed lately in settings files, from real repositories: how far back, since which release, and what is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from prodwise.model.patch import Fault, Proposal
from prodwise.repair.scratch import scratch
from prodwise.repair.settings.lately import COMMITS, lately
from prodwise.repair.settings.repairer import SettingsRepairer
from tests.repair.repos import commit, git, new
from tests.repair.test_pin import NoWorkshop


def changes(repo: Path, since: str = "") -> list[tuple[str, str, str | None]]:
    """(file, setting, what it was)."""
    with scratch(repo) as made:
        return [(one.path, one.name, one.before) for one in lately(made, made.head, since).changes]


def left(repo: Path) -> dict[str, str]:
    with scratch(repo) as made:
        return {one.path: one.why for one in lately(made, made.head).left}


def proposed(repo: Path, told: list[str] | None = None, **fault: object) -> list[Proposal]:
    heard = told if told is not None else []
    with scratch(repo) as made:
        asked = Fault(("true",), **fault)  # type: ignore[arg-type]
        return list(SettingsRepairer(repo, heard.append).propose(asked, NoWorkshop(), made.head, 60.0))  # type: ignore[arg-type]


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    made = new(tmp_path / "app")
    commit(
        made,
        {"app.toml": "wait = 30\nmost = 20\n", "config/flags.json": '{"new_cart": false}\n', "main.py": "x = 1\n"},
        "Begin",
    )
    return made


def test_the_last_change_of_each_setting_goes_back_the_newest_first(repo: Path) -> None:
    commit(repo, {"app.toml": "wait = 3\nmost = 20\n"}, "Wait less")
    commit(repo, {"app.toml": "wait = 2\nmost = 20\n"}, "Wait even less")
    by = commit(repo, {"config/flags.json": '{"new_cart": true}\n'}, "Show the new cart")
    assert changes(repo) == [("config/flags.json", "new_cart", "false"), ("app.toml", "wait", "3")]
    first, second, both = proposed(repo)
    assert first.why == (
        f"put new_cart in config/flags.json back to false: {by[:7]} 'Show the new cart' made it true; undo: set it to true"
    )
    assert [one.rank for one in (first, second, both)] == [0.0, 0.0, 2.0]


def test_of_a_release_what_the_release_before_had_comes_back(repo: Path) -> None:
    """Whatever it was in between; what was changed before that is left alone."""
    commit(repo, {"config/flags.json": '{"new_cart": true}\n'})
    before = git(repo, "rev-parse", "HEAD")
    commit(repo, {"app.toml": "wait = 3\nmost = 20\n"})
    commit(repo, {"app.toml": "wait = 2\nmost = 20\n"})
    assert changes(repo, before) == [("app.toml", "wait", "30")]
    assert [one.diff.count("+wait = 30") for one in proposed(repo, since=before)] == [1]
    assert changes(repo, "f" * 40) == [("app.toml", "wait", "3"), ("config/flags.json", "new_cart", "false")]


def test_a_change_that_a_merge_brought_counts(repo: Path) -> None:
    git(repo, "checkout", "-q", "-b", "topic")
    commit(repo, {"app.toml": "wait = 3\nmost = 20\n"})
    git(repo, "checkout", "-q", "main")
    commit(repo, {"main.py": "x = 2\n"})
    git(repo, "merge", "-q", "--no-ff", "-m", "Merge topic", "topic")
    assert changes(repo) == [("app.toml", "wait", "30")]


def test_it_is_looked_back_so_far_and_no_further(repo: Path) -> None:
    commit(repo, {"app.toml": "wait = 3\nmost = 20\n"})
    for number in range(COMMITS):
        commit(repo, {"main.py": f"x = {number}\n"})
    assert changes(repo) == []
    assert proposed(repo) == []


def test_what_is_left_alone_is_named(repo: Path) -> None:
    first = {
        "app.toml": "wait = 30\nmost = 20\napi_key = 'one-two-three-4'\n", "pytest.ini": "[pytest]\na = 1\n", "odd.toml": "a = 1\n",
        "prodwise.toml": "a = 1\n", "tests/config.json": '{"a": 1}\n', "pyproject.toml": "[tool.x]\na = 1\n", "fly.toml": "a = 1\n",
    }  # fmt: skip
    commit(repo, first)
    then = {path: text.replace("1", "2").replace("three", "four") for path, text in first.items()}
    commit(repo, then | {"odd.toml": "a = \n"})
    told = left(repo)
    assert told["app.toml"] == "its value looks like a secret"
    assert told["odd.toml"].startswith("it is no TOML")
    assert told["pytest.ini"] == "it belongs to test configuration"
    assert told["prodwise.toml"] == "it belongs to Prodwise's own configuration"
    assert told["tests/config.json"] == "it belongs to the tests"
    assert told["pyproject.toml"] == "it says which dependencies are installed"
    assert told["fly.toml"] == "it belongs to container and deploy manifests"
    heard: list[str] = []
    assert proposed(repo, heard) == []
    assert sum("alone: it " in line for line in heard) == 5
    assert "two" not in " ".join(heard)


def test_a_secret_beside_a_setting_is_not_shown(repo: Path) -> None:
    """Fewer lines are shown about it; where even the next ones would be one, it is left alone."""
    apart = "most = 20\n\nwait = 30\n\n# of the till\ntoken = 'one-two-three-4'\n"
    commit(repo, {"app.toml": apart})
    commit(repo, {"app.toml": apart.replace("30", "3")})
    (one,) = proposed(repo)
    assert "three" not in one.diff
    beside = "most = 20\nwait = 30\ntoken = 'one-two-three-4'\n"
    commit(repo, {"app.toml": beside})
    commit(repo, {"app.toml": beside.replace("30", "3")})
    heard: list[str] = []
    assert all("three" not in one.diff for one in proposed(repo, heard))
    assert any("app.toml, wait alone" in line for line in heard)


def test_a_file_that_came_or_went_is_no_change_of_settings(repo: Path) -> None:
    commit(repo, {"more.toml": "a = 1\n", "app.toml": None})
    assert changes(repo) == []


def test_a_diff_is_one_that_git_takes(repo: Path) -> None:
    """Line ends and a missing last one stay as they are."""
    (repo / "app.ini").write_bytes(b"[a]\r\nwait = 30\r\nmost = 1")
    commit(repo, {})
    (repo / "app.ini").write_bytes(b"[a]\r\nwait = 3\r\nmost = 1")
    commit(repo, {})
    (one,) = proposed(repo)
    (repo / "back.diff").write_bytes(one.diff.encode())
    git(repo, "apply", "back.diff")
    assert (repo / "app.ini").read_bytes() == b"[a]\r\nwait = 30\r\nmost = 1"
