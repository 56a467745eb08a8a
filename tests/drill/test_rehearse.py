"""What is found before anything starts: on a copy of the app, with nothing running."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from prodwise.drill.clone import START, apply_patch, copy_app
from prodwise.drill.git import git
from prodwise.drill.rehearse import rehearse
from prodwise.drill.run import run_scenarios
from prodwise.drill.scenario import KINDS, LATER_KINDS, find, load, parse
from prodwise.model.errors import ConfigError, UsageError

PATCH = """--- a/app.py
+++ b/app.py
@@ -1,3 +1,3 @@
 one = 1
-two = 2
+two = {two}
 three = 3
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A repository with a web service, a worker and an env_file."""
    made = tmp_path / "app"
    made.mkdir()
    (made / "app.py").write_text("one = 1\ntwo = 2\nthree = 3\n")
    (made / "prodwise.toml").write_text(
        'version = 1\nenv_file = "app.env"\n[services.web]\ncommand = "true"\n'
        '[services.mailer]\nkind = "worker"\ncommand = "true"\n'
    )
    (made / "app.env").write_text("SIZE=20\n")
    git(made, "init", "-q", "-b", "main")
    git(made, "add", "app.py", "prodwise.toml")
    git(made, "commit", "-q", "-m", "Begin")
    return made


def rehearsed(app: Path, *faults: dict[str, object]) -> None:
    """Patches are written beside the app when a fault brings its text."""
    for number, fault in enumerate(faults):
        if "patch" in fault:
            path = app.parent / f"{number}.diff"
            path.write_text(str(fault["patch"]))
            fault["patch"] = path.name
    data = {"name": "mine", "app": "app", "fault": list(faults), "expect": {"outcome": "healed"}}
    rehearse([("mine.toml", parse(data, "mine.toml", app.parent))])


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kind": "kill", "service": "wep"}, "no service 'wep'"),
        ({"kind": "release", "ref": "v9"}, "no commit 'v9'"),
        ({"kind": "release", "patch": PATCH.replace("one = 1", "zero = 0")}, "does not fit"),
        ({"kind": "release", "patch": "this is no diff\n"}, "does not fit"),
        ({"kind": "upstream_down"}, "upstream_down needs service"),
    ],
)
def test_what_the_app_does_not_have_is_named_with_its_file_and_fault(
    app: Path, fault: dict[str, object], words: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        rehearsed(app, {"at": 1, "kind": "none"}, {"at": 2, **fault})
    assert words in refused.value.message
    assert refused.value.message.startswith("mine.toml: fault 2: ")


def test_what_fits_is_accepted_and_the_app_is_left_alone(app: Path) -> None:
    rehearsed(app, {"at": 1, "kind": "release", "patch": PATCH.format(two=3)}, {"at": 2, "kind": "config", "value": "SIZE=1"},
              {"at": 3, "kind": "hang", "service": "mailer"}, {"at": 4, "kind": "overload"})  # fmt: skip
    assert git(app, "status", "--porcelain").strip() == "?? app.env"
    assert git(app, "rev-list", "--count", "HEAD").strip() == "1"


def test_config_needs_an_env_file_and_overload_a_page(app: Path) -> None:
    (app / "app.env").unlink()
    with pytest.raises(ConfigError, match="needs an app with an env_file"):
        rehearsed(app, {"at": 1, "kind": "config", "value": "SIZE=1"})
    (app / "prodwise.toml").write_text('version = 1\n[services.mailer]\nkind = "worker"\ncommand = "true"\n')
    git(app, "commit", "-q", "-a", "-m", "Mail only")
    with pytest.raises(ConfigError, match="needs a web service"):
        rehearsed(app, {"at": 1, "kind": "overload"})
    rehearsed(app, {"at": 1, "kind": "kill"})


def test_an_app_that_is_not_committed_is_told_apart_from_one_that_is_wrong(app: Path) -> None:
    git(app, "rm", "-q", "--cached", "prodwise.toml")
    git(app, "commit", "-q", "-m", "Forget")
    with pytest.raises(ConfigError, match="no service to run") as refused:
        rehearsed(app)
    assert "not committed" in refused.value.hint


def test_nothing_starts_when_the_second_scenario_does_not_fit(tmp_path: Path, app: Path) -> None:
    files = []
    for name, ref in (("first", "main"), ("second", "nowhere")):
        files.append(str(tmp_path / f"{name}.toml"))
        Path(files[-1]).write_text(
            f'name = "{name}"\napp = "app"\n[[fault]]\nat = 1\nkind = "release"\nref = "{ref}"\n[expect]\noutcome = "healed"\n'
        )
    told: list[object] = []
    with pytest.raises(ConfigError, match=r"second.toml: fault 1: the app has no commit 'nowhere'"):
        run_scenarios(files, "none", on_event=told.append)
    assert told == []


def test_a_place_for_the_result_that_does_not_exist_is_told_before_anything_starts(tmp_path: Path) -> None:
    told: list[object] = []
    for place in (tmp_path / "nowhere" / "out.json", tmp_path):
        with pytest.raises(UsageError, match="cannot be written"):
            run_scenarios(["quiet"], "none", str(place), on_event=told.append)
    assert told == []


DOCS = (Path(__file__).parents[2] / "docs" / "drill.md").read_text()


def test_the_documented_scenarios_fit_their_apps(app: Path) -> None:
    app.rename(app.parent / "my-app")
    files = app.parent / "files"
    files.mkdir()
    (files / "bad.diff").write_text(PATCH.format(two=3))
    examples = re.findall(r"```toml\n(.*?)```", DOCS, re.DOTALL)
    assert len(examples) == 2
    for text in examples:
        (files / "example.toml").write_text(text)
        rehearse([("example.toml", load(files / "example.toml"))])


def test_every_kind_of_fault_is_documented() -> None:
    table = DOCS.partition("## Faults")[2].partition("## What is measured")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(KINDS)
    assert all(f"`{kind}`" in table for kind in LATER_KINDS)


def copied(app: Path) -> Path:
    copy_app(str(app), "", app.parent / "copy")
    return app.parent / "copy"


def written(app: Path, name: str, text: str) -> Path:
    path = app.parent / name
    path.write_text(text)
    return path


def test_patches_build_upon_one_another_or_on_what_ran_first(app: Path) -> None:
    copy = copied(app)
    three = written(app, "three.diff", PATCH.format(two=3))
    apply_patch(copy, three)
    apply_patch(copy, written(app, "four.diff", PATCH.format(two=4).replace("-two = 2", "-two = 3")))
    assert "two = 4" in (copy / "app.py").read_text()
    apply_patch(copy, three)
    assert "two = 3" in (copy / "app.py").read_text(), "it only fits the first release"
    assert git(copy, "rev-parse", "HEAD~1") == git(copy, "rev-parse", START)


@pytest.mark.parametrize(
    "text",
    [
        PATCH.format(two=3).replace("a/app.py", "app.py").replace("b/app.py", "app.py"),
        PATCH.format(two=3).replace("@@ -1,3 +1,3 @@", "@@ -1,9 +1,9 @@"),
    ],
)
def test_diffs_of_other_hands_are_understood(app: Path, text: str) -> None:
    copy = copied(app)
    apply_patch(copy, written(app, "by-hand.diff", text))
    assert "two = 3" in (copy / "app.py").read_text()


def test_a_patch_that_changes_nothing_is_a_release_of_its_own(app: Path) -> None:
    copy = copied(app)
    apply_patch(copy, written(app, "empty.diff", ""))
    assert git(copy, "rev-list", "--count", "HEAD").strip() == "2"
    assert git(copy, "diff", START, "HEAD") == ""


def test_a_patch_that_fits_nowhere_leaves_the_copy_as_it_was(app: Path) -> None:
    copy = copied(app)
    before = git(copy, "rev-parse", "HEAD")
    with pytest.raises(UsageError, match=r"app\.py"):
        apply_patch(copy, written(app, "bad.diff", PATCH.format(two=3).replace("-two = 2", "-two = 7")))
    assert git(copy, "rev-parse", "HEAD") == before
    assert git(copy, "status", "--porcelain", "--untracked-files=no") == ""


@pytest.mark.parametrize("name", ["demo-fix", "demo-dependency"])
def test_a_lasting_fix_needs_a_place_where_it_goes(name: str) -> None:
    with pytest.raises(ConfigError, match="does not say where fixes go") as refused:
        rehearse([(name, find(name))])
    assert "[forge]" in refused.value.hint
