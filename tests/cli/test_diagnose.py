"""`prodwise diagnose` as it is run: logs from files and pipes, a real repository beside them, and hostile ones of both."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Quick, Terminal

LOG = """\
src/App.tsx(3,10): error TS2305: Module '"react-router-dom"' has no exported member 'Switch'.
src/App.tsx(3,18): error TS2305: Module '"react-router-dom"' has no exported member 'Redirect'.
"""


def git(repo: Path, *arguments: str) -> None:
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, "-C", str(repo), *arguments], check=True, capture_output=True, timeout=30)


def package_json(version: str) -> str:
    return json.dumps({"dependencies": {"react-router-dom": version, "react": "18.2.0"}})


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Quick(tmp_path)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository whose second commit moved react-router-dom."""
    place = tmp_path / "repo"
    place.mkdir()
    git(place, "init", "-q")
    for version in ("5.3.4", "6.0.0"):
        (place / "package.json").write_text(package_json(version))
        git(place, "add", ".")
        git(place, "commit", "-q", "-m", f"router {version}")
    return place


def answer(terminal: Terminal, *arguments: str, stdin: str = "") -> dict[str, Any]:
    said = terminal.run("diagnose", *arguments, "--json", "-", stdin=stdin)
    assert (said.code, said.err) == (0, "")
    found: dict[str, Any] = json.loads(said.out)
    return found


def test_a_log_from_a_pipe_is_answered_in_json(tmp_path: Path) -> None:
    found = answer(Terminal(tmp_path), "--log", "-", stdin=LOG)
    first = found["causes"][0]
    assert set(first) >= {"kind", "what", "version_from", "version_to", "confidence", "evidence"}
    assert (first["kind"], first["what"], first["version_from"]) == ("compilation_failure", "react-router-dom", None)
    assert first["evidence"][0].startswith("line 1: src/App.tsx(3,10): error TS2305")
    assert any("--repo" in line for line in found["unknown"])


def test_a_repository_tells_the_versions_and_a_person_is_told_what_to_try(terminal: Terminal, repo: Path) -> None:
    (terminal.folder / "build.log").write_text(LOG)
    said = terminal.run("diagnose", "--log", "build.log", "--repo", str(repo), "--json", "found.json")
    assert said.code == 0
    assert "react-router-dom  5.3.4 → 6.0.0" in said.out
    assert "Try  npm install --save-exact react-router-dom@5.3.4" in said.out
    first = json.loads((terminal.folder / "found.json").read_text())["causes"][0]
    assert (first["version_from"], first["version_to"]) == ("5.3.4", "6.0.0")
    assert "package.json in " in first["evidence"][-1]


def test_what_is_not_committed_yet_counts_too(terminal: Terminal, repo: Path) -> None:
    (repo / "package.json").write_text(package_json("7.0.0"))
    first = answer(terminal, "--log", "-", "--repo", str(repo), stdin=LOG)["causes"][0]
    assert (first["version_from"], first["version_to"]) == ("6.0.0", "7.0.0")


def test_nothing_that_a_repository_configures_is_run(terminal: Terminal, repo: Path) -> None:
    trap = repo / "ran"
    script = repo / "trap.sh"
    script.write_text(f"#!/bin/sh\ntouch '{trap}'\ncat\n")
    script.chmod(0o755)
    keys = ("core.fsmonitor", "core.pager", "diff.external", "gpg.program", "diff.x.textconv", "filter.x.clean", "filter.x.smudge",
            "diff.x.command", "core.sshCommand", "core.editor")  # fmt: skip
    for key in keys:
        git(repo, "config", key, str(script))
    git(repo, "config", "log.showSignature", "true")
    (repo / ".git" / "info" / "attributes").write_text("* diff=x filter=x\n")
    (repo / ".git" / "hooks" / "post-checkout").write_text(script.read_text())
    (repo / "package.json").write_text(package_json("7.0.0"))
    assert answer(terminal, "--log", "-", "--repo", str(repo), stdin=LOG)["causes"][0]["version_to"] == "7.0.0"
    assert not trap.exists()


def test_a_folder_that_is_no_repository_is_told_and_the_log_still_counts(terminal: Terminal, tmp_path: Path) -> None:
    found = answer(terminal, "--log", "-", "--repo", str(tmp_path), stdin=LOG)
    assert found["causes"][0]["what"] == "react-router-dom"
    assert any("not a git repository" in line for line in found["unknown"])


def test_nothing_found_is_an_empty_list_that_says_what_is_not_known(terminal: Terminal) -> None:
    for log in ("", "all is well\n", "\0\x01\x02" * 500):
        found = answer(terminal, "--log", "-", stdin=log)
        assert found["causes"] == []
        assert found["unknown"]


def test_codes_in_a_log_do_not_reach_the_terminal(terminal: Terminal) -> None:
    bad = "\x1b]0;owned\x07\x1b[2Jsrc/a.ts(1,1): error TS2305: Module '\"x\"' has no exported \x1b[31mmember 'y'. \u202egnp.exe\n"
    said = terminal.run("diagnose", "--log", "-", stdin=bad)
    assert said.code == 0
    assert "has no exported member" in said.out
    assert not any(mark in said.out for mark in ("\x1b", "\x07", "\u202e", "owned"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--log", "missing.log"), "cannot read missing.log"),
        (("--log", "."), "cannot read ."),
        (("--log", "-", "--repo", "nowhere"), "nowhere is not a folder"),
        (("--log", "-", "--json", "no/such/place.json"), "cannot write no/such/place.json"),
        ((), "Missing option '--log'"),
    ],
)
def test_what_cannot_be_read_or_written_is_said(terminal: Terminal, arguments: tuple[str, ...], words: str) -> None:
    said = terminal.run("diagnose", *arguments)
    assert said.code == 2
    assert words in said.err
    assert "Traceback" not in said.err
