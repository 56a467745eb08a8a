"""Scenario files: what is accepted, and what is refused with which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from prodwise.drill.git import git
from prodwise.drill.scenario import LATER_KINDS, Scenario, find, list_scenarios, load
from prodwise.model.errors import ConfigError

CONTRACT = """
name = "bad-release"
app = "shop"
seconds = 60
traffic = { rate = 40, paths = ["/", "/cart"], probe = "/healthz" }
[[fault]]
at = 8.0
kind = "release"
patch = "bad.diff"
[expect]
outcome = "healed"
actions = ["rollback"]
max_failed = 60
"""


def write(folder: Path, text: str) -> Path:
    (folder / "bad.diff").write_text("")
    path = folder / "scenario.toml"
    path.write_text(text)
    return path


def changed(folder: Path, old: str, new: str) -> Scenario:
    assert old in CONTRACT
    return load(write(folder, CONTRACT.replace(old, new)))


def test_the_contract_is_read(tmp_path: Path) -> None:
    scenario = load(write(tmp_path, CONTRACT))
    assert (scenario.name, scenario.app, scenario.seconds) == ("bad-release", "shop", 60)
    assert scenario.traffic.paths == ("/", "/cart")
    assert scenario.fault[0].patch == str(tmp_path / "bad.diff"), "relative to the scenario file"
    assert (scenario.expect.outcome, scenario.expect.actions, scenario.expect.max_failed) == (
        "healed",
        ("rollback",),
        60,
    )


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("seconds = 60", "second = 60", "did you mean 'seconds'"),
        ("rate = 40", "rat = 40", "did you mean 'rate'"),
        ("at = 8.0", "at = 8.0\nsevice = 'web'", "did you mean 'service'"),
        ("max_failed", "max_fail", "did you mean 'max_failed'"),
        ('kind = "release"', 'kind = "relese"', "did you mean 'release'"),
        ('["rollback"]', '["rolback"]', "did you mean 'rollback'"),
        ('outcome = "healed"', 'outcome = "fine"', "outcome"),
        ("at = 8.0", "at = 80.0", "after the end"),
        ("at = 8.0", "at = -1", "fault.1.at"),
        ("rate = 40", "rate = 99999", "traffic.rate"),
        ("rate = 40", "rate = 0", "traffic.rate"),
        ("rate = 40", 'rate = "40"', "traffic.rate is not a number"),
        ("seconds = 60", "seconds = true", "seconds is not a number"),
        ("max_failed = 60", "max_failed = 0.5", "expect.max_failed"),
        ('paths = ["/", "/cart"]', 'paths = "/"', "traffic.paths is not a list"),
        ('kind = "release"', "kind = 7", "fault.1.kind is not a text"),
        (
            'traffic = { rate = 40, paths = ["/", "/cart"], probe = "/healthz" }',
            "traffic = 40",
            "traffic is not a table",
        ),
        ('"/cart"', '"cart"', "starts with /"),
        ('"/cart"', '"/a b"', "no blanks"),
        ('patch = "bad.diff"', 'patch = "missing.diff"', "there is no patch"),
        ('patch = "bad.diff"', "", "either patch or ref"),
        ('patch = "bad.diff"', 'patch = "bad.diff"\nref = "v1"', "either patch or ref"),
        ('patch = "bad.diff"', 'ref = "--upload-pack=x"', "not a ref"),
        ('kind = "release"', 'kind = "config"', "KEY=VALUE"),
        ('kind = "release"', 'kind = "dependency"\nref = "v1"', "either patch or ref"),
        ('kind = "release"', 'kind = "slow"\nsize = 3.0', "between 0 and 1"),
        ('outcome = "healed"', 'outcome = "quiet"', "nothing is done"),
        ('app = "shop"', 'app = "nowhere"', "is not an app"),
        ("[[fault]]", "[[fault", "not valid TOML"),
        ('name = "bad-release"', 'name = "../x"', "name"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(tmp_path: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        changed(tmp_path, old, new)
    said = f"{refused.value.message} {refused.value.hint}"
    assert words in said
    assert "scenario.toml" in said


@pytest.mark.parametrize("kind", LATER_KINDS)
def test_faults_that_cannot_be_made_yet_are_refused_at_load(tmp_path: Path, kind: str) -> None:
    with pytest.raises(ConfigError, match="not available yet"):
        changed(tmp_path, 'kind = "release"', f'kind = "{kind}"')


def test_faults_strike_in_the_order_of_time_and_keep_their_number_in_the_file(tmp_path: Path) -> None:
    scenario = changed(tmp_path, "[expect]", '[[fault]]\nat = 2\nkind = "kill"\n[expect]')
    assert [(number, fault.kind) for number, fault in scenario.numbered()] == [(2, "kill"), (1, "release")]


@pytest.mark.parametrize("action", ["restart", "flag_off", "rollback", "pin", "setting", "revert", "patch"])
def test_whatever_can_be_done_can_be_expected(tmp_path: Path, action: str) -> None:
    scenario = changed(tmp_path, '["rollback"]', f'["rollback", "{action}"]')
    assert scenario.expect.actions == ("rollback", action)
    assert f"`{action}`" in (Path(__file__).parents[2] / "docs" / "drill.md").read_text()


@pytest.mark.parametrize("not_done", ["deploy", "promote", "handover"])
def test_what_changes_nothing_or_ships_is_no_action(tmp_path: Path, not_done: str) -> None:
    with pytest.raises(ConfigError, match="unknown action"):
        changed(tmp_path, '["rollback"]', f'["{not_done}"]')


def test_a_name_may_be_written_as_people_write_names(tmp_path: Path) -> None:
    assert changed(tmp_path, 'name = "bad-release"', 'name = "Bad_release 2.0"').name == "Bad_release 2.0"


def test_an_app_is_looked_for_beside_the_file_and_then_where_the_command_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, files = tmp_path / "here" / "app", tmp_path / "files"
    for folder in (app, files):
        folder.mkdir(parents=True)
    git(app, "init", "-q")
    (app / "Procfile").write_text("web: true\n")
    monkeypatch.chdir(tmp_path / "here")
    assert changed(files, 'app = "shop"', 'app = "app"').app == str(app)


def test_built_in_scenarios_are_found_by_name_and_near_names_are_offered() -> None:
    names = {scenario.name for scenario in list_scenarios()}
    assert names >= {
        "crash", "hang", "bad-release", "late-release", "quiet", "crash-loop", "overload", "upstream-down", "slow",
        "config", "noisy", "ramp-up", "idle", "good-release", "double-kill",
    }  # fmt: skip
    assert find("late-release").fault[0].ref == "bad-late"
    with pytest.raises(ConfigError) as refused:
        find("late-relese")
    assert "did you mean 'late-release'?" in refused.value.hint


def test_the_demo_s_fix_has_the_time_of_a_release_however_late_it_is_proposed() -> None:
    scene = find("demo-fix")
    (merge,) = scene.fault
    assert scene.seconds - merge.at - merge.lasts >= find("demo-late-release").seconds


def test_a_missing_file_is_an_error_of_words(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        find(str(tmp_path / "none.toml"))


def test_an_app_is_a_git_repository_that_can_be_run(tmp_path: Path) -> None:
    app = tmp_path / "app"
    app.mkdir()
    git(app, "init", "-q")
    with pytest.raises(ConfigError, match="is not an app"):
        changed(tmp_path, 'app = "shop"', 'app = "app"')
    (app / "Procfile").write_text("web: python3 -m http.server $PORT\n")
    assert changed(tmp_path, 'app = "shop"', 'app = "app"').app == str(app)
