"""Repairs a Python program by small edits, each tried by running the failing test: no model, no guess that was not run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from prodwise.clock import monotonic
from prodwise.model.action import ActionKind
from prodwise.model.patch import Fault, Proposal
from prodwise.ports.repair import Workshop
from prodwise.repair.edits import unified
from prodwise.repair.guards import Guards
from prodwise.repair.pool import Candidate, pool
from prodwise.repair.probe import CANNOT, Probe, read_text
from prodwise.repair.scene import Scene, look
from prodwise.repair.verdict import Survivor, chosen

BATCHES = (40, 80, 160, 320)
PLAIN_MOST = 25
MARGIN = 0.6
SURVIVORS_MOST = 40
LAST_S = 3.0


class SearchRepairer:
    """Proposes at most three edits, and none where several that mean different things fit alike."""

    name = "search"

    def propose(self, fault: Fault, workshop: Workshop, base: str, seconds: float) -> Iterator[Proposal]:
        end = monotonic() + seconds
        with workshop.fresh(base) as tree:
            probe = Probe(tree)
            try:
                scene = look(probe, fault, seconds)
                if scene is None:
                    return
                search = _Search(scene, probe, fault, end)
                for survivor in search.best(pool(scene, tree, workshop)):
                    edit = survivor.candidate.edit
                    old = read_text(tree.root / edit.path)
                    why = f"{edit.why[:1].upper()}{edit.why[1:]} ({edit.path}, line {edit.line})."
                    diff = unified(edit.path, old, edit.applied(old))
                    yield Proposal(self.name, ActionKind.PATCH, diff, why, round(1 - survivor.confidence, 3))
            finally:
                probe.close()


@dataclass
class _Search:
    scene: Scene
    probe: Probe
    fault: Fault
    end: float

    def left(self) -> float:
        return self.end - monotonic()

    def best(self, candidates: Sequence[Candidate]) -> list[Survivor]:
        """1. Tries batch by batch until one stands and what follows is clearly less likely, or time is up. 2. What stands is
        weighed. 3. The chosen ones pass the plain command once more, in a fresh process."""
        guards = Guards(self.scene, self.probe)
        standing: list[Candidate] = []
        plain = PLAIN_MOST
        forks = True
        for batch in _batches(candidates):
            if self.left() < LAST_S or len(standing) >= SURVIVORS_MOST:
                break
            if standing and batch[0].score > standing[0].score + MARGIN:
                break
            passed, rest = self._forked(batch) if forks else ([], batch)
            forks = forks and len(rest) < len(batch)
            slow = rest[:plain]
            plain -= len(slow)
            passed += self._plainly(slow)
            standing += guards.hold(passed, self.left() - LAST_S)
            standing.sort(key=lambda one: one.score)
        return [one for one in chosen(standing, self.scene.spectrum) if self._again(one)]

    def _forked(self, batch: Sequence[Candidate]) -> tuple[list[Candidate], list[Candidate]]:
        """Those that pass, and those that must be tried in a process of their own."""
        numbered = {at: (one.edit, one.unit) for at, one in enumerate(batch)}
        tried = self.probe.attempt(
            self.scene.check.command, numbered, (), self.scene.each_s, max(2.0, self.left() - LAST_S)
        )
        if not tried.ready:
            return [], list(batch)
        passed = [one for at, one in enumerate(batch) if tried.codes.get(at) == 0]
        return passed, [one for at, one in enumerate(batch) if tried.codes.get(at) == CANNOT]

    def _plainly(self, batch: Sequence[Candidate]) -> list[Candidate]:
        passed = []
        for one in batch:
            if self.left() < LAST_S:
                break
            seconds = min(max(2.0, 1.5 * self.scene.each_s), self.left())
            if self.probe.plain(self.scene.check.command, one.edit, seconds).code == 0:
                passed.append(one)
        return passed

    def _again(self, survivor: Survivor) -> bool:
        seconds = max(5.0, 3 * self.scene.each_s)
        return self.probe.plain(self.fault.command, survivor.candidate.edit, seconds).code == 0


def _batches(candidates: Sequence[Candidate]) -> Iterator[Sequence[Candidate]]:
    """Small ones first: most faults end with one of the likeliest edits."""
    at, sizes = 0, iter(BATCHES)
    while at < len(candidates):
        many = next(sizes, BATCHES[-1])
        yield candidates[at : at + many]
        at += many
