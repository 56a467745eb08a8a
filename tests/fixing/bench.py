"""Small real repositories, repairers that propose what a test gives them, and the whole story on both in the real sandbox."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from prodwise.heal.fixing.budget import Budget
from prodwise.heal.fixing.given import NotReproduced, given
from prodwise.heal.fixing.reproducer import reproduce
from prodwise.heal.fixing.story import Fix, repair
from prodwise.heal.fixing.trial import Means
from prodwise.model.action import ActionKind
from prodwise.model.patch import Fault, Proposal
from prodwise.ports.repair import Repairer, Workshop
from prodwise.repair.pins.advisories import AdvisoryFolder
from prodwise.repair.undo import MergedFixes
from prodwise.sandbox.workshop import Workshop as SandboxWorkshop
from prodwise.wiring.fitting import LockFitter

CART = """def total(items):
    amount = 0
    for item in items:
        amount += item["price"]
    return amount - 1


def first(items):
    return items[0]
"""
CHECK = """from cart import total

assert total([{"price": 2}, {"price": 3}]) == 5
"""
OTHERS = """import unittest

import cart


class Tests(unittest.TestCase):
    def test_first(self):
        self.assertEqual(cart.first([1, 2]), 1)

    def test_one(self):
        self.assertEqual(cart.total([{"price": 1}]), 1)
"""
WITH_CHECK = "python3 check.py"
WITH_TESTS = "python3 -m unittest test_cart.Tests.test_one"


def repository(folder: Path, files: Mapping[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    git(folder, "init", "-q")
    git(folder, "add", "-A", "-f")
    git(folder, "commit", "-q", "--no-verify", "-m", "Sell")
    return folder


def git(folder: Path, *arguments: str) -> str:
    names = ["-c", "user.name=Ana", "-c", "user.email=ana@example.invalid"]
    return subprocess.run(["git", *names, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


ADVISORIES: dict[Path, AdvisoryFolder] = {}
LICENCES: dict[Path, tuple[str, ...]] = {}
"""Repository → what a person gave."""


class Proposes:
    """A repairer that knows its proposals beforehand."""

    name = "given"

    def __init__(
        self, *diffs: str, kind: ActionKind = ActionKind.PATCH, why: str = "because", commit: str = ""
    ) -> None:
        self.diffs, self.kind, self.why, self.commit = diffs, kind, why, commit
        self.faults: list[Fault] = []

    def propose(self, fault: Fault, workshop: Workshop, base: str, seconds: float) -> Iterator[Proposal]:
        self.faults.append(fault)
        for number, diff in enumerate(self.diffs):
            yield Proposal(self.name, self.kind, diff, f"{self.why} {number}", commit=self.commit)


def story(folder: Path, test: str, *repairers: Repairer, trace: str = "", seconds: float = 60) -> Fix:
    """All of it, as `prodwise fix` does it; the repository must be as it was afterwards."""
    before = everything(folder)
    budget = Budget(seconds)
    with SandboxWorkshop(folder, [test]) as workshop:
        root = str(workshop.directory)
        asked = given(test, trace, workshop, workshop.base, root)
        check = asked if isinstance(asked, NotReproduced) else reproduce(asked, workshop, workshop.base, budget, root)
        means = Means(LockFitter(workshop), MergedFixes(folder), ADVISORIES.get(folder), LICENCES.get(folder, ()))
        fix = repair(check, repairers, workshop, workshop.base, budget, lambda _: None, means)
    assert everything(folder) == before
    return fix


def everything(folder: Path) -> dict[str, bytes | str]:
    return {
        str(path.relative_to(folder)): str(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def gates(fix: Fix) -> dict[str, str]:
    """gate → verdict."""
    return {one.gate: one.verdict.value for one in fix.gates}
