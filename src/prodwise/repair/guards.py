"""What else must stay as it is: the test files that speak of the edited module."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from prodwise.clock import monotonic
from prodwise.repair.company import related
from prodwise.repair.pool import Candidate
from prodwise.repair.probe import CANNOT, Probe, Trial, Try
from prodwise.repair.scene import Scene


@dataclass
class Guards:
    scene: Scene
    probe: Probe
    related: dict[str, tuple[tuple[str, ...], frozenset[str], frozenset[str]] | None] = field(default_factory=dict)

    def hold(self, passed: Sequence[Candidate], seconds: float) -> list[Candidate]:
        """Those with which every test of related files that passed on the base still does."""
        end = monotonic() + seconds
        standing = list(passed)
        for path in {one.edit.path for one in standing}:
            rule = self._related(path, end)
            if rule is not None:
                mine = [one for one in standing if one.edit.path == path]
                kept = self._under(mine, *rule, end)
                standing = [one for one in standing if one.edit.path != path or one in kept]
        return standing

    def whole(self, some: Sequence[Candidate], seconds: float) -> list[Candidate]:
        """Those with which every test of the same file that passed on the base still does, each in a process of its own."""
        end, command = monotonic() + seconds, self.scene.check.whole
        return [one for one in some if command is None or self._plainly(one, command, self.scene.passing, end)]

    def _under(self, some: Sequence[Candidate], command: tuple[str, ...], passing: frozenset[str], known: frozenset[str],
               end: float) -> list[Candidate]:  # fmt: skip
        left = end - monotonic()
        if left < 1:
            return []
        numbered = {at: Try(one.edit, one.unit, one.score) for at, one in enumerate(some)}
        trial = Trial((), sorted(passing), sorted(known), max(3.0, 4 * self.scene.limits.plain))
        tried = self.probe.attempt(command, numbered, trial, left)
        kept = []
        for at, one in enumerate(some):
            if not tried.ready or tried.codes.get(at) == CANNOT:
                if self._plainly(one, command, passing, end):
                    kept.append(one)
            elif tried.codes.get(at) == 0:
                kept.append(one)
        return kept

    def _plainly(self, one: Candidate, command: tuple[str, ...], passing: frozenset[str], end: float) -> bool:
        left = end - monotonic()
        if left < 1:
            return False
        covered = self.probe.cover(command, [], left, edit=one.edit)
        if not covered.tests and not passing:
            return covered.ran.code == 0
        return passing <= {test.name for test in covered.tests if not test.failed}

    def _related(self, path: str, end: float) -> tuple[tuple[str, ...], frozenset[str], frozenset[str]] | None:
        """The command for the test files around a module, with what passes and fails on the base; None without any."""
        if path not in self.related:
            self.related[path] = None
            files = self._files(path)
            left = (end - monotonic()) / 3
            if files and self.scene.check.pytest and left > 2:
                command = (*self.scene.check.pytest, *files)
                covered = self.probe.cover(command, [], left)
                passing = frozenset(test.name for test in covered.tests if not test.failed)
                known = frozenset(test.name for test in covered.tests if test.failed)
                if passing and covered.ran.code in (0, 1):
                    self.related[path] = (command, passing, known)
        return self.related[path]

    def _files(self, path: str) -> list[str]:
        stem = path.removesuffix("/__init__.py").removesuffix(".py").rpartition("/")[2]
        return related(self.probe, stem, self.scene.check.files)
