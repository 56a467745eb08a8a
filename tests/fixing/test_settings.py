"""A setting that changed lately goes back where that ends the fault: real repositories, the real sandbox, every gate."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from prodwise.heal.fixing.story import Fix
from prodwise.model.action import ActionKind
from prodwise.repair.settings.repairer import SettingsRepairer
from tests.fixing.bench import Proposes, gates, repository, story
from tests.loop.patches import diff
from tests.repair.repos import commit

TOML = """# How the shop sells.
[cart]
most = 20            # lines of a cart
currency = "EUR"

[delivery]
free_from = 50       # in whole units
days = 3
"""
SHOP = """import tomllib
from pathlib import Path

SETTINGS = tomllib.loads(Path("shop.toml").read_text())


def delivery(total):
    return 0 if total >= SETTINGS["delivery"]["free_from"] else 5


def fits(lines):
    return lines <= SETTINGS["cart"]["most"]


def days():
    return 10 / SETTINGS["delivery"]["days"]
"""
TESTS = """import unittest

import shop


class Tests(unittest.TestCase):
    def test_free(self):
        self.assertEqual(shop.delivery(60), 0)

    def test_paid(self):
        self.assertEqual(shop.delivery(10), 5)

    def test_fits(self):
        self.assertTrue(shop.fits(8))
"""
CHECK = "import shop\n\nassert shop.delivery(60) == 0\nassert shop.fits(8)\nassert shop.days() > 1\n"
WITH_CHECK = "python3 check.py"
FILES = {"shop.toml": TOML, "shop.py": SHOP, "test_shop.py": TESTS, "check.py": CHECK}


def shop(place: Path, *steps: Mapping[str, str | None], files: Mapping[str, str] = FILES) -> Path:
    """The shop as it was sold, and commits since."""
    repo = repository(place, files)
    for number, step in enumerate(steps):
        commit(repo, step, f"Tune {number}")
    return repo


def fixed(repo: Path, command: str = WITH_CHECK, **more: float) -> Fix:
    return story(repo, command, SettingsRepairer(repo), **more)  # type: ignore[arg-type]


def changed(fix: Fix) -> list[str]:
    assert fix.proposal is not None, fix.reason
    return [line for line in fix.proposal.diff.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]


def test_one_setting_goes_back_and_its_comment_stays(tmp_path: Path) -> None:
    """Two changed in one commit, and a comment with them: only the one that ends the fault goes back."""
    now = TOML.replace("free_from = 50       # in whole units", "free_from = 5000     # in cents").replace(
        "days = 3", "days = 4"
    )
    repo = shop(tmp_path, {"shop.toml": now})
    fix = fixed(repo)
    assert fix.status == "fixed", fix.reason
    assert fix.proposal is not None
    assert fix.proposal.kind is ActionKind.SETTING
    assert changed(fix) == ["-free_from = 5000     # in cents", "+free_from = 50     # in cents"]
    assert set(gates(fix).values()) == {"pass"}
    assert "put delivery.free_from in shop.toml back to 50" in fix.proposal.why
    assert "'Tune 0' made it 5000; undo: set it to 5000" in fix.proposal.why


def test_settings_of_a_file_go_back_together_where_one_is_not_enough(tmp_path: Path) -> None:
    now = TOML.replace("free_from = 50", "free_from = 5000").replace("most = 20", "most = 2").replace("EUR", "USD")
    fix = fixed(shop(tmp_path, {"shop.toml": now}))
    assert fix.status == "fixed", fix.reason
    assert len(changed(fix)) == 6
    assert "put 3 settings of shop.toml back" in fix.reason


@pytest.mark.full
def test_settings_of_two_files_go_back_together(tmp_path: Path) -> None:
    """The second file is a module of constants."""
    module = "# limits\nMOST_LINES = 20\nDAYS = 3\n"
    code = SHOP.replace('SETTINGS["cart"]["most"]', "settings.MOST_LINES").replace(
        "import tomllib", "import settings\nimport tomllib"
    )
    files = {**FILES, "settings.py": module, "shop.py": code}
    now = {"shop.toml": TOML.replace("free_from = 50", "free_from = 5000"), "settings.py": module.replace("20", "2")}
    fix = fixed(shop(tmp_path, now, files=files))
    assert fix.status == "fixed", fix.reason
    assert changed(fix) == [
        "-MOST_LINES = 2",
        "+MOST_LINES = 20",
        "-free_from = 5000       # in whole units",
        "+free_from = 50       # in whole units",
    ]


@pytest.mark.full
def test_a_removed_setting_comes_back_and_an_added_one_goes(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    fix = fixed(shop(tmp_path / "gone", {"shop.toml": TOML.replace("days = 3\n", "")}))
    assert fix.status == "fixed", fix.reason
    assert changed(fix) == ["+days = 3"]
    assert "bring delivery.days back in shop.toml, as 3" in fix.reason
    code = SHOP.replace("return lines <=", 'return "closed" not in SETTINGS["cart"] and lines <=')
    (tmp_path / "added").mkdir()
    added = shop(
        tmp_path / "added",
        {"shop.toml": TOML.replace("most = 20", "closed = true\nmost = 20")},
        files={**FILES, "shop.py": code},
    )
    fix = fixed(added)
    assert fix.status == "fixed", fix.reason
    assert changed(fix) == ["-closed = true"]
    assert "take cart.closed out of shop.toml again" in fix.reason


@pytest.mark.full
def test_two_that_do_as_well_are_left_to_a_person(tmp_path: Path) -> None:
    """Either of them ends the fault, and they do different things."""
    code = 'import tomllib\n\nS = tomllib.load(open("shop.toml", "rb"))\n\n\ndef room():\n    return S["rows"] * S["seats"]\n'
    files = {
        "shop.toml": "rows = 10\nseats = 10\n",
        "shop.py": code,
        "check.py": "import shop\n\nassert shop.room() >= 40\n",
    }
    fix = fixed(shop(tmp_path, {"shop.toml": "rows = 5\nseats = 5\n"}, files=files))
    assert fix.status == "no_fix"
    assert "ambiguous" in fix.reason


def test_what_settings_did_not_bring_costs_one_run(tmp_path: Path) -> None:
    """The fault is in the code; settings changed lately, too, and nothing of them is proposed."""
    steps = {"shop.toml": TOML.replace("days = 3", "days = 4"), "shop.py": SHOP.replace("total >=", "total <")}
    fix = fixed(shop(tmp_path, steps))
    assert fix.status == "no_fix"
    assert fix.tried == ()


def test_a_setting_that_another_test_asks_for_stays(tmp_path: Path) -> None:
    """Put back, it ends the fault and breaks a test that came with it."""
    step = {
        "shop.toml": TOML.replace("free_from = 50", "free_from = 80"),
        "test_shop.py": TESTS.replace("delivery(60), 0", "delivery(60), 5"),
    }
    fix = fixed(shop(tmp_path, step))
    assert fix.status == "no_fix"
    assert [one.gates[-1].gate for one in fix.tried] == ["suite"]


@pytest.mark.full
def test_what_is_not_committed_counts_as_a_change(tmp_path: Path) -> None:
    repo = shop(tmp_path)
    (repo / "shop.toml").write_text(TOML.replace("free_from = 50", "free_from = 5000"))
    fix = fixed(repo)
    assert fix.status == "fixed", fix.reason
    assert "what is not committed yet made it 5000" in fix.reason


@pytest.mark.parametrize("how", ["another value", "more than one", "a comment", "another file", "the order"])
def test_only_what_the_file_held_before_is_put_back(tmp_path: Path, how: str) -> None:
    """Whoever proposes it: a value that was never here, or anything besides, goes to a person."""
    now = TOML.replace("free_from = 50", "free_from = 5000")
    repo = shop(tmp_path, {"shop.toml": now})
    tampered = {
        "another value": diff("shop.toml", now, TOML.replace("free_from = 50", "free_from = 1")),
        "more than one": diff("shop.toml", now, TOML.replace("most = 20", "most = 10000")),
        "a comment": diff("shop.toml", now, TOML.replace("How the shop sells", "Free for all")),
        "another file": diff("shop.toml", now, TOML) + diff("shop.py", SHOP, SHOP.replace("else 5", "else 0")),
        "the order": diff(
            "shop.toml", now, TOML.replace('currency = "EUR"\n', "").replace("[cart]\n", '[cart]\ncurrency = "EUR"\n')
        ),
    }[how]
    fix = story(repo, WITH_CHECK, Proposes(tampered, kind=ActionKind.SETTING))
    assert fix.status == "no_fix"
    assert [one.gate for one in fix.tried[-1].gates] == ["policy"]
    assert "settings only" in fix.tried[-1].gates[-1].reason
