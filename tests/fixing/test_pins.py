"""A pin is believed only where its version was installed: wheels made here, uv, and the real sandbox."""

from __future__ import annotations

import json
import shutil
import zipfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from prodwise.heal.fixing.story import Fix
from prodwise.model.action import ActionKind
from prodwise.model.breakage import Ecosystem
from prodwise.model.pin import HOLDS_FILE
from prodwise.repair.pins.advisories import AdvisoryFolder
from prodwise.repair.pins.repairer import PinRepairer
from tests.fixing.bench import ADVISORIES, LICENCES, Proposes, gates, git, repository, story
from tests.fixing.wheels import environment, only_from, wheel
from tests.loop.patches import diff

TODAY = date(2031, 1, 1)
CHECK = "import lefty\n\nassert lefty.pad('x', 3) == '  x'\n"
TESTS = """import unittest

import lefty
import righty


class Tests(unittest.TestCase):
    def test_pad(self):
        self.assertEqual(lefty.pad("x", 3), "  x")

    def test_right(self):
        self.assertEqual(righty.pad("x", 3), "x  ")

    def test_wide(self):
        self.assertTrue(lefty.WIDE)
"""
GOOD = "WIDE = True\n\n\ndef pad(text, width):\n    return text.rjust(width)\n"
BAD = "WIDE = True\n\n\ndef pad(text, width):\n    return text.rjust(width, fil=' ')\n"
RIGHT = "def pad(text, width):\n    return text.ljust(width)\n"
BY_PATH = "python3 check.py"
BY_NAME = ".venv/bin/python check.py"


@dataclass
class App:
    """An app that moved lefty from 1.0 to 2.0, which broke it. old, new: its requirements.txt then and now."""

    repo: Path
    wheels: Path
    old: str
    new: str

    def back(self, text: str = "") -> str:
        return diff("requirements.txt", self.new, text or self.old)


def app(
    place: Path,
    patch: pytest.MonkeyPatch,
    good: str = GOOD,
    newest: str = BAD,
    tests: str = "",
    licences: tuple[str, str] = ("", ""),
) -> App:
    wheels = place / "wheels"
    other = wheel(wheels, "righty", "1.0", RIGHT)
    old, new = (
        wheel(wheels, "lefty", version, code, more) + other
        for version, code, more in (("1.0", good, licences[0]), ("2.0", newest, licences[1]))
    )
    only_from(wheels, patch)
    files = {"requirements.txt": old, "check.py": CHECK, ".gitignore": ".venv/\n"}
    (place / "app").mkdir()
    repo = repository(place / "app", files | ({"test_pads.py": tests} if tests else {}))
    (repo / "requirements.txt").write_text(new)
    git(repo, "commit", "-q", "-am", "lefty 2.0")
    environment(repo / ".venv", "lefty==2.0", "righty==1.0")
    return App(repo, wheels, old, new)


def last(fix: Fix) -> str:
    return fix.tried[-1].gates[-1].reason


@pytest.mark.parametrize("command", [BY_PATH, BY_NAME])
def test_a_pin_is_tried_where_its_version_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Proposed by the repairer itself; the app's own environment has the broken version, and keeps it."""
    made = app(tmp_path, monkeypatch)
    fix = story(made.repo, command, PinRepairer(made.repo, lambda: TODAY))
    assert fix.status == "fixed", fix.reason
    assert fix.proposal is not None
    assert fix.proposal.kind is ActionKind.PIN
    assert f"+++ b/{HOLDS_FILE}" in fix.proposal.diff
    assert gates(fix)["installed"] == "pass"
    assert "passes 5 of 5" in {one.gate: one.reason for one in fix.gates}["reproducer"]


def test_a_version_that_is_as_broken_is_no_pin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = app(tmp_path, monkeypatch, good=BAD)
    fix = story(made.repo, BY_PATH, Proposes(made.back(), kind=ActionKind.PIN))
    assert fix.status == "no_fix"
    assert gates(fix)["reproducer"] == "fail"
    assert "still fails" in last(fix)


def test_the_suite_runs_with_what_is_pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The older version mends the check and breaks another test, which passes with the newer one."""
    made = app(tmp_path, monkeypatch, good=GOOD.replace("True", "False"), tests=TESTS)
    fix = story(made.repo, BY_PATH, Proposes(made.back(), kind=ActionKind.PIN), seconds=90)
    assert fix.status == "no_fix"
    assert "test_wide" in last(fix)
    assert gates(fix)["suite"] == "fail"


def test_a_suite_that_stays_whole_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = app(tmp_path, monkeypatch, tests=TESTS)
    fix = story(made.repo, BY_PATH, Proposes(made.back(), kind=ActionKind.PIN), seconds=90)
    assert fix.status == "fixed", fix.reason
    assert "2 tests passed before, all of them pass" in {one.gate: one.reason for one in fix.gates}["suite"]


def test_what_cannot_be_installed_is_never_passed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The older version is gone from where packages come from."""
    made = app(tmp_path, monkeypatch)
    (made.wheels / "lefty-1.0-py3-none-any.whl").unlink()
    fix = story(made.repo, BY_PATH, Proposes(made.back(), kind=ActionKind.PIN))
    assert fix.status == "no_fix"
    assert gates(fix)["installed"] == "hold"
    assert "lefty" in last(fix)


def test_a_wheel_with_another_hash_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = app(tmp_path, monkeypatch)
    wheel(made.wheels, "lefty", "1.0", "raise SystemExit(0)\n")
    fix = story(made.repo, BY_PATH, Proposes(made.back(), kind=ActionKind.PIN))
    assert fix.status == "no_fix"
    assert gates(fix)["installed"] == "hold"


def test_a_fault_that_the_lock_does_not_have_is_not_judged_by_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What runs is not what the lock says: with the locked version the check passes."""
    made = app(tmp_path, monkeypatch, newest=GOOD)
    wheel(made.wheels / "other", "lefty", "3.0", BAD)
    shutil.rmtree(made.repo / ".venv")
    environment(made.repo / ".venv", str(made.wheels / "other" / "lefty-3.0-py3-none-any.whl"))
    fix = story(made.repo, BY_PATH, Proposes(made.back(), kind=ActionKind.PIN))
    assert fix.status == "no_fix"
    assert gates(fix)["installed"] == "hold"
    assert "passes with what the base's lock installs" in last(fix)


def test_a_pin_takes_only_versions_that_were_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = app(tmp_path, monkeypatch)
    never = wheel(made.wheels, "lefty", "0.9", GOOD) + made.new.splitlines(keepends=True)[1]
    fix = story(made.repo, BY_PATH, Proposes(made.back(never), made.back(), kind=ActionKind.PIN))
    assert fix.status == "fixed", fix.reason
    assert fix.tried[0].gates[-1].gate == "dependencies"
    assert fix.tried[0].gates[-1].verdict.value == "hold"


def test_hashes_that_a_lock_does_not_have_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the reason and among what was not checked; a lock that has them says nothing of it."""
    made = app(tmp_path, monkeypatch)
    with_all = story(made.repo, BY_PATH, Proposes(made.back(), kind=ActionKind.PIN))
    assert not any("no hash" in line for line in with_all.unchecked)
    (made.repo / "requirements.txt").write_text("lefty==1.0\nrighty==1.0\n")
    git(made.repo, "commit", "-q", "-am", "no hashes")
    (made.repo / "requirements.txt").write_text("lefty==2.0\nrighty==1.0\n")
    git(made.repo, "commit", "-q", "-am", "lefty 2.0 again")
    back = diff("requirements.txt", "lefty==2.0\nrighty==1.0\n", "lefty==1.0\nrighty==1.0\n")
    fix = story(made.repo, BY_PATH, Proposes(back, kind=ActionKind.PIN))
    assert fix.status == "fixed", fix.reason
    assert "requirements.txt has no hash of lefty, righty" in {one.gate: one.reason for one in fix.gates}["installed"]
    assert any("no hash of lefty, righty" in line for line in fix.unchecked)


def advisory(place: Path, name: str, fixed: str, introduced: str = "0", archive: bool = False) -> AdvisoryFolder:
    events = [{"fixed": fixed}, {"introduced": introduced}]
    affected = {"package": {"ecosystem": "PyPI", "name": name}, "ranges": [{"type": "ECOSYSTEM", "events": events}]}
    text = json.dumps({"id": "PYSEC-1", "affected": [affected]})
    place.mkdir()
    if archive:
        with zipfile.ZipFile(place / "all.zip", "w") as one:
            one.writestr("PYSEC-1.json", text)
    else:
        (place / "PYSEC-1.json").write_text(text)
    return AdvisoryFolder(place)


@pytest.mark.parametrize(
    ("name", "fixed", "introduced", "archive", "verdict"),
    [("Lefty", "1.5", "0", False, "fail"), ("lefty", "3.0", "0", True, "pass"), ("righty", "9", "0", False, "pass")],
)
def test_a_version_with_a_known_vulnerability_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, fixed: str, introduced: str, archive: bool, verdict: str
) -> None:
    """Unless the version in use has it as well, which is told; other packages' are not asked about."""
    made = app(tmp_path, monkeypatch)
    monkeypatch.setitem(ADVISORIES, made.repo, advisory(tmp_path / "osv", name, fixed, introduced, archive))
    fix = story(made.repo, BY_PATH, Proposes(made.back(), kind=ActionKind.PIN))
    assert gates(fix)["audit"] == verdict
    assert (fix.status == "fixed") is (verdict == "pass")
    reason = {one.gate: one.reason for one in fix.gates}["audit"]
    assert ("PYSEC-1" in reason) is (name != "righty")
    assert not any("vulnerabilities" in line for line in fix.unchecked)


@pytest.mark.parametrize("content", ["nothing", "nonsense", "list"])
def test_a_database_that_cannot_be_used_passes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    made = app(tmp_path, monkeypatch)
    (tmp_path / "osv").mkdir()
    if content != "nothing":
        (tmp_path / "osv" / "a.json").write_text('{"lefty": "PyPI" ' if content == "nonsense" else '["PyPI", "lefty"]')
    monkeypatch.setitem(ADVISORIES, made.repo, AdvisoryFolder(tmp_path / "osv"))
    fix = story(made.repo, BY_PATH, Proposes(made.back(), kind=ActionKind.PIN))
    assert gates(fix)["audit"] == "hold"


def test_without_a_database_it_is_said_and_not_shown_as_passed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = app(tmp_path, monkeypatch)
    fix = story(made.repo, BY_PATH, Proposes(made.back(), kind=ActionKind.PIN))
    assert fix.status == "fixed", fix.reason
    assert any(line.startswith("known vulnerabilities of lefty") for line in fix.unchecked), fix.unchecked
    assert any(line.startswith("the licence of lefty") for line in fix.unchecked)
    assert "vulnerab" not in {one.gate: one.reason for one in fix.gates}["audit"]


MIT, GPL = "License-Expression: MIT\n", "Classifier: License :: OSI Approved :: GPL-3.0-only\n"


@pytest.mark.parametrize(
    ("allowed", "licences", "verdict", "told"),
    [
        ((), (GPL, MIT), "pass", "from MIT to GPL-3.0-only"),
        (("MIT",), (GPL, MIT), "fail", "GPL-3.0-only, is not among"),
        (("MIT",), (MIT, GPL), "pass", "from GPL-3.0-only to MIT"),
        (("MIT",), ("", MIT), "hold", "states no licence"),
    ],
)
def test_the_licence_is_the_package_s_own_word(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    allowed: tuple[str, ...],
    licences: tuple[str, str],
    verdict: str,
    told: str,
) -> None:
    made = app(tmp_path, monkeypatch, licences=licences)
    monkeypatch.setitem(LICENCES, made.repo, allowed)
    fix = story(made.repo, BY_PATH, Proposes(made.back(), kind=ActionKind.PIN))
    assert gates(fix)["audit"] == verdict
    assert told in {one.gate: one.reason for one in fix.gates}["audit"]


@pytest.mark.parametrize("change", ["hash", "name", "source"])
def test_a_known_version_from_elsewhere_waits_for_a_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    made = app(tmp_path, monkeypatch)
    line, rest = made.old.splitlines(keepends=True)
    text = {
        "hash": line.replace(line.rpartition("sha256:")[2].strip(), "0" * 64) + rest,
        "name": line.replace("lefty", "leftpad") + rest,
        "source": f"--extra-index-url https://example.org/simple\n{made.old}",
    }[change]
    fix = story(made.repo, BY_PATH, Proposes(made.back(text), kind=ActionKind.PIN))
    assert fix.status == "no_fix"
    assert fix.gates[-1].gate == ("policy" if change == "source" else "dependencies")


def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is copied for an installation is shown to the repository's code."""
    made = app(tmp_path, monkeypatch)
    secret = tmp_path / "requirements-secret.txt"
    secret.write_text("lefty==2.0\n")
    (made.repo / "requirements-more.txt").symlink_to(secret)
    git(made.repo, "add", "-A")
    git(made.repo, "commit", "-q", "-m", "link")
    fix = story(made.repo, BY_PATH, Proposes(made.back(), kind=ActionKind.PIN))
    assert fix.status == "fixed", fix.reason


def test_a_name_from_a_lock_is_no_pattern(tmp_path: Path) -> None:
    folder = advisory(tmp_path / "osv", "six", "1.17.0")
    assert folder.known(Ecosystem.NODE, "a(") == []
    assert folder.known(Ecosystem.PYTHON, "s.x") == []
