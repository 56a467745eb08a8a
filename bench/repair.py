"""How many seeded bugs are ended without a model: plausible, right by tests that nobody saw, wrong, and how fast."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from bench.repairs import desk, routes, shelf, till
from bench.repairs.case import Bug, Project, broken
from bench.running import Tell
from bench.table import Figure, Part
from prodwise.heal.fixing.budget import Budget
from prodwise.heal.fixing.given import NotReproduced, given
from prodwise.heal.fixing.reproducer import reproduce
from prodwise.heal.fixing.story import repair
from prodwise.model.errors import OutOfTime, Refused
from prodwise.model.patch import Fault, Proposal
from prodwise.repair.search_repairer import SearchRepairer
from prodwise.repair.settings.repairer import SettingsRepairer
from prodwise.sandbox.workshop import Workshop

PROJECTS: Sequence[Project] = (till.PROJECT, desk.PROJECT, routes.PROJECT, shelf.PROJECT)
SECONDS = 90.0
QUICK_EVERY = 5
NAMED = ("-c", "user.name=bench", "-c", "user.email=bench@localhost", "-c", "commit.gpgsign=false")


@dataclass(frozen=True)
class Judged:
    """verdict: "right", "wrong" (a held-out test fails, or nothing should have been proposed), "none"."""

    project: str
    bug: Bug
    verdict: str
    seconds: float
    why: str


def run(quick: bool, tell: Tell, seed: int) -> Part:
    found: list[Judged] = []
    for project in PROJECTS:
        bugs = project.bugs[seed % QUICK_EVERY :: QUICK_EVERY] if quick else project.bugs
        for bug in bugs:
            try:
                one = judge(project, bug)
            except Refused as error:
                return Part("repair", not_run=(error.message,))
            tell(f"repair: {project.name}, {bug.name}: {one.verdict}, {one.seconds:.0f} s")
            found.append(one)
    return Part("repair", tuple(_figures(found)), detail=tuple(_row(one) for one in found))


def judge(project: Project, bug: Bug, seconds: float = SECONDS) -> Judged:
    """Builds the project with the bug, lets the repairer look, and runs the held-out tests on what it proposes first."""
    with tempfile.TemporaryDirectory(prefix="bench-repair-") as held:
        root = Path(held) / project.name
        root.mkdir()
        git(root, "init", "-q")
        for files in (project.files, broken(project, bug)) if project.tuned else (broken(project, bug),):
            write(root, files)
            git(root, "add", ".")
            git(root, *NAMED, "commit", "-q", "-m", "The project")
        command = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", bug.test)
        begun = perf_counter()
        with Workshop(root, [" ".join(command)]) as shop:
            if project.tuned:
                first = passed(shop, root, " ".join(command), seconds)
            else:
                first = None
                with contextlib.suppress(OutOfTime):
                    first = next(SearchRepairer().propose(Fault(command), shop, shop.base, seconds), None)
        took = perf_counter() - begun
        return Judged(project.name, bug, verdict(project, bug, root, first), took, first.why if first else "")


def passed(shop: Workshop, root: Path, command: str, seconds: float) -> Proposal | None:
    """Which settings go back, as `prodwise fix` finds it: through every gate, and none where two do as well."""
    budget, told = Budget(seconds), str(shop.directory)
    asked = given(command, "", shop, shop.base, told)
    check = asked if isinstance(asked, NotReproduced) else reproduce(asked, shop, shop.base, budget, told)
    return repair(check, (SettingsRepairer(root),), shop, shop.base, budget, lambda _line: None).proposal


def git(root: Path, *words: str) -> None:
    subprocess.run(("git", *words), cwd=root, check=True, capture_output=True)


def verdict(project: Project, bug: Bug, root: Path, proposal: Proposal | None) -> str:
    if proposal is None:
        return "none"
    if not bug.fixable:
        return "wrong"
    subprocess.run(("git", "apply", "-"), cwd=root, input=proposal.diff.encode(), check=True, capture_output=True)
    shutil.rmtree(root / "tests")
    write(root, project.held)
    try:
        ran = subprocess.run(
            (sys.executable, "-m", "pytest", "-q", "held"), cwd=root, capture_output=True, timeout=60, check=False
        )
    except subprocess.TimeoutExpired:
        return "wrong"
    return "right" if ran.returncode == 0 else "wrong"


def write(root: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def _figures(found: Sequence[Judged]) -> list[Figure]:
    fixable = [one for one in found if one.bug.fixable]
    others = [one for one in found if not one.bug.fixable]
    proposed = [one for one in found if one.verdict != "none"]
    right = [one for one in proposed if one.verdict == "right"]
    plausible = [one for one in fixable if one.verdict != "none"]
    return [
        Figure("bugs with a proposal", _percent(len(plausible), len(fixable)), "%", 50.0, True, many=len(fixable)),
        Figure("proposals that are right", _percent(len(right), len(proposed)), "%", 80.0, True, many=len(proposed)),
        Figure("proposed where nothing should be", float(len(others) - sum(one.verdict == "none" for one in others)), "", 0.0,
               many=len(others)),
        Figure("wrong though all tests passed", float(sum(one.verdict == "wrong" for one in plausible)), "", many=len(plausible)),
        Figure("time to a proposal, median", median(one.seconds for one in plausible) if plausible else None, "s", 60.0),
    ]  # fmt: skip


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None


def _row(one: Judged) -> dict[str, Any]:
    return {"project": one.project, "bug": one.bug.name, "fixable": one.bug.fixable, "verdict": one.verdict,
            "seconds": round(one.seconds, 1), "why": one.why}  # fmt: skip
