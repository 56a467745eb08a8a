"""The histories that suspects are measured on: built for real, broken by exactly one commit."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from random import Random

import pytest

from bench import suspect
from bench.suspects import desk, notes, parcels, shop
from bench.suspects.play import error_of, play
from bench.suspects.project import Fault, Project

PROJECTS = (shop.PROJECT, notes.PROJECT, desk.PROJECT, parcels.PROJECT)
NEEDS_NODE = pytest.mark.skipif(shutil.which("node") is None, reason="not run: no node")
FAULTS = [
    pytest.param(
        project,
        fault,
        id=f"{project.name}-{fault.name}",
        marks=[NEEDS_NODE] if project.language == "javascript" else [],
    )
    for project in PROJECTS
    for fault in project.faults
]


def find(project: Project, name: str) -> Fault:
    return next(one for one in project.faults if one.name == name)


def test_a_history_is_the_same_for_the_same_seed_and_its_guilty_commit_is_among_its_commits(tmp_path: Path) -> None:
    fault = find(shop.PROJECT, "key-renamed")
    first, again = (play(shop.PROJECT, fault, 7, tmp_path / name) for name in ("a", "b"))
    assert first is not None
    assert again is not None
    assert (first.guilty, first.bad) == (again.guilty, again.bad)
    range_ = ["git", "-C", str(first.repo), "rev-list", f"{first.good}..{first.bad}"]
    shas = subprocess.run(range_, capture_output=True, text=True, check=True).stdout.split()
    assert first.guilty in shas
    assert len(shas) == first.commits


def test_a_python_history_is_judged(tmp_path: Path) -> None:
    history = play(shop.PROJECT, find(shop.PROJECT, "function-removed"), 1, tmp_path / "a")
    assert history is not None
    assert history.event.chain[-1].kind == "NameError"
    judged = suspect.judged_one(history)
    assert judged.place == 1
    assert judged.runs <= 6


@NEEDS_NODE
def test_a_javascript_history_is_judged(tmp_path: Path) -> None:
    history = play(notes.PROJECT, find(notes.PROJECT, "export-removed"), 1, tmp_path / "a")
    assert history is not None
    assert history.event.chain[-1].message == "tags.cloud is not a function"
    assert suspect.judged_one(history).place == 1


@pytest.mark.full
@pytest.mark.parametrize(("project", "fault"), FAULTS)
def test_each_fault_breaks_its_request_and_nothing_was_broken_before(project: Project, fault: Fault) -> None:
    assert error_of(project, dict(project.files), fault.route) is None
    broken = fault.edit(dict(project.files), Random(1))
    assert broken is not None
    assert error_of(project, broken, fault.route) is not None


@pytest.mark.full
@pytest.mark.parametrize(
    "project",
    [pytest.param(one, id=one.name, marks=NEEDS_NODE if one.language == "javascript" else ()) for one in PROJECTS],
)
def test_what_is_called_harmless_breaks_no_request(project: Project) -> None:
    for harmless in project.harmless:
        edited = (harmless.edit(dict(project.files), Random(seed)) for seed in range(20))
        files = next((one for one in edited if one is not None), None)
        assert files is not None, harmless.title
        for route in sorted({fault.route for fault in project.faults}):
            assert error_of(project, files, route) is None, (harmless.title, route)
