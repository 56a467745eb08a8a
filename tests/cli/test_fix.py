"""`prodwise fix` as it is run: on a real repository, with what is asked of it wrong, and with what it says for programs."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Event

import pytest

from prodwise.cli.fix import not_silent
from prodwise.model.errors import Refused
from prodwise.sandbox import jail
from tests.cli.conftest import Quick
from tests.fixing.bench import everything, git, repository

CART = """def last(items):
    return items[len(items)]
"""
CHECK = "from cart import last\nassert last([1, 2]) == 2\nassert last('ab') == 'b'\nassert last([7]) == 7\n"
EMPTY = "--trace", "empty.txt"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    try:
        jail.require()
    except Refused as error:
        pytest.skip(f"not run: {error.message}")
    (tmp_path / "shop").mkdir()
    return repository(tmp_path / "shop", {"cart.py": CART, "check.py": CHECK, "empty.txt": "all is well\n"})


def test_a_failing_check_is_fixed_without_a_model(shop: Path, tmp_path: Path) -> None:
    before = everything(shop)
    said = Quick(tmp_path).run("fix", "--repo", "shop", "--test", "python3 check.py", "--json", "fix.json")
    found = json.loads((tmp_path / "fix.json").read_text())
    assert (said.code, found["status"], found["schema_version"]) == (0, "fixed", 1), said
    assert {one["verdict"] for one in found["gates"]} == {"pass"}
    assert (found["repairer"], found["seconds"] > 0) == ("search", True)
    assert "git -C shop apply" in said.err
    assert everything(shop) == before
    (tmp_path / "fix.diff").write_text(found["diff"])
    git(shop, "apply", str(tmp_path / "fix.diff"))
    assert "len(items)]" not in (shop / "cart.py").read_text()


def test_it_is_never_silent_for_long() -> None:
    told = Event()
    with not_silent(lambda line: told.set() if line == "still at it" else None, lambda: float("-inf"), 0.01):
        assert told.wait(20)


def test_what_cannot_be_a_check_is_refused(shop: Path) -> None:
    said = Quick(shop).run("fix", "--test", "true", "--json", "-")
    assert (said.code, json.loads(said.out)["status"]) == (6, "refused")
    assert "passes" in json.loads(said.out)["reason"]
    assert Quick(shop).run("fix", *EMPTY).code == 6


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("pythn3 check.py", "did you mean `python3"),
        ("./scripts/chekc.sh", "did you mean `scripts/check.sh`?"),
        ("zqxv", ""),
    ],
)
def test_of_a_mistyped_command_it_is_said_what_to_do(shop: Path, typed: str, meant: str) -> None:
    (shop / "scripts").mkdir()
    (shop / "scripts" / "check.sh").write_text("python3 check.py\n")
    said = Quick(shop).run("fix", "--test", typed)
    assert said.code == 6
    assert f"`{typed.split()[0]}` was not found: install it in this repository's environment" in said.out
    assert meant in said.out
    assert ("did you mean" in said.out) is bool(meant)


def test_dry_run_runs_nothing(shop: Path) -> None:
    said = Quick(shop).run("fix", "--test", "touch ran; false", "--dry-run")
    assert (said.code, "touch ran; false" in said.out, "policy" in said.out) == (0, True, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "what is to be fixed"),
        (("--test", "false", "--repo", "nowhere"), "not a folder"),
        (("--trace", "nowhere.txt"), "cannot read"),
        (("--test", "false", "--budget", "-1"), "budget"),
        (("--test", "false", "--model", "oracle"), "oracle"),
    ],
)
def test_what_is_asked_wrongly_is_told(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    said = Quick(tmp_path).run("fix", *arguments)
    assert (said.code, words in said.err) == (2, True), said.err
