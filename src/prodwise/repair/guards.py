"""What else must stay as it is: the test files that speak of the edited module."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from prodwise.clock import monotonic
from prodwise.model.errors import OutOfTime
from prodwise.repair.company import related
from prodwise.repair.pool import Candidate
from prodwise.repair.probe import CANNOT, Probe, Trial, Try
from prodwise.repair.scene import Scene

BASE_LEAST_S = 2.0
"""Without so much for the tests at the base nothing is asked of them."""
BASE_SHARE = 1 / 3


@dataclass(frozen=True, slots=True)
class Rule:
    """Tests around a module: what passes of them at the base, and what fails there."""

    command: tuple[str, ...]
    passing: frozenset[str]
    known: frozenset[str]


@dataclass
class Guards:
    """late: whether something passed for which there was no time here."""

    scene: Scene
    probe: Probe
    rules: dict[str, list[Rule]] = field(default_factory=dict)
    late: bool = False

    def hold(self, passed: Sequence[Candidate], seconds: float) -> list[Candidate]:
        """Those with which every test of related files that passed on the base still does."""
        end = monotonic() + seconds
        standing = list(passed)
        for path in {one.edit.path for one in standing}:
            mine = [one for one in standing if one.edit.path == path]
            kept = mine
            try:
                for rule in self._related(path, end):
                    kept = self._under(kept, rule, end) if kept else []
            except OutOfTime:
                kept, self.late = [], True
            standing = [one for one in standing if one.edit.path != path or one in kept]
        return standing

    def whole(self, some: Sequence[Candidate], seconds: float) -> list[Candidate]:
        """Those with which every test of the same file that passed on the base still does, each in a process of its own."""
        end, command = monotonic() + seconds, self.scene.check.whole
        return [one for one in some if command is None or self._plainly(one, command, self.scene.passing, end)]

    def _under(self, some: Sequence[Candidate], rule: Rule, end: float) -> list[Candidate]:
        left = end - monotonic()
        if left < 1:
            raise OutOfTime("no time is left for the tests around what passed")
        numbered = {at: Try(one.edit, one.unit, one.score) for at, one in enumerate(some)}
        trial = Trial((), sorted(rule.passing), sorted(rule.known), max(3.0, 4 * self.scene.limits.plain))
        tried = self.probe.attempt(rule.command, numbered, trial, left)
        kept = []
        for at, one in enumerate(some):
            if not tried.ready or tried.codes.get(at) == CANNOT:
                if self._plainly(one, rule.command, rule.passing, end):
                    kept.append(one)
            elif tried.codes.get(at) == 0:
                kept.append(one)
            self.late |= tried.ready and at not in tried.codes
        return kept

    def _plainly(self, one: Candidate, command: tuple[str, ...], passing: frozenset[str], end: float) -> bool:
        left = end - monotonic()
        if left < 1:
            return False
        covered = self.probe.cover(command, [], left, edit=one.edit)
        if not covered.tests and not passing:
            return covered.ran.code == 0
        return passing <= {test.name for test in covered.tests if not test.failed}

    def _related(self, path: str, end: float) -> list[Rule]:
        """Of the files that are called after the module, which must be asked; then of others that speak of it, where there is time.
        Raises OutOfTime."""
        if path not in self.rules:
            stem = path.removesuffix("/__init__.py").removesuffix(".py").rpartition("/")[2]
            files = related(self.probe, stem, self.scene.check.files) if self.scene.check.pytest else []
            named = [one for one in files if stem in one.rpartition("/")[2]]
            found = [self._rule(named, end)]
            with suppress(OutOfTime):
                found.append(self._rule([one for one in files if one not in named], end))
            self.rules[path] = [one for one in found if one is not None]
        return self.rules[path]

    def _rule(self, files: Sequence[str], end: float) -> Rule | None:
        """None where nothing of them passes, or they cannot be run. Raises OutOfTime."""
        if not files:
            return None
        seconds, command = BASE_SHARE * (end - monotonic()), (*self.scene.check.pytest, *files)
        covered = self.probe.cover(command, [], seconds) if seconds >= BASE_LEAST_S else None
        if covered is None or covered.ran.ended == "time":
            raise OutOfTime(f"no time is left for {len(files)} test files, {files[0]} first")
        passing = frozenset(test.name for test in covered.tests if not test.failed)
        known = frozenset(test.name for test in covered.tests if test.failed)
        return Rule(command, passing, known) if passing and covered.ran.code in (0, 1) else None
