"""Repairs a Python program by small edits, each tried by running the failing test: no model, no guess that was not run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial

from prodwise.clock import monotonic
from prodwise.model.action import ActionKind
from prodwise.model.errors import OutOfTime
from prodwise.model.patch import Fault, Proposal
from prodwise.ports.repair import Workshop
from prodwise.repair import limits
from prodwise.repair.edits import unified
from prodwise.repair.guards import Guards
from prodwise.repair.lanes import Lanes
from prodwise.repair.pool import Candidate, pool, source_at
from prodwise.repair.probe import CANNOT, Probe, Trial, Try, read_text
from prodwise.repair.scene import Scene, look
from prodwise.repair.verdict import Survivor, chosen

PLAIN_MOST = 25
MARGIN = 0.8
PASSED_MOST = 60
COMPARE_S = 20.0
LAST_S = 3.0
ENOUGH = 0.75
"""After this part of its time the search goes on to what follows a try that passed; ALL: where none did."""
ALL = 0.9


class SearchRepairer:
    """Proposes at most two edits, which mean the same, and none where several that mean different things fit alike."""

    name = "search"

    def propose(self, fault: Fault, workshop: Workshop, base: str, seconds: float) -> Iterator[Proposal]:
        end = monotonic() + seconds
        with Lanes(workshop, base) as lanes, workshop.fresh(base) as tree:
            probe = Probe(tree)
            try:
                scene = look(probe, fault, seconds)
                if scene is None:
                    return
                search = _Search(scene, probe, lanes, fault, workshop, base, end)
                rank = -1.0  # two of the same rank would be rivals; these mean the same
                for survivor in search.best(pool(scene, tree, workshop)):
                    edit = survivor.candidate.edit
                    old = read_text(tree.root / edit.path)
                    why = f"{edit.why[:1].upper()}{edit.why[1:]} ({edit.path}, line {edit.line})."
                    diff = unified(edit.path, old, edit.applied(old))
                    rank = max(round(1 - survivor.confidence, 3), rank + 0.01)
                    yield Proposal(self.name, ActionKind.PATCH, diff, why, rank)
                if rank < 0 < search.untried:
                    raise OutOfTime(f"{search.untried:,} of {search.made:,} edits were not tried in its time")
            finally:
                probe.close()


@dataclass
class _Search:
    scene: Scene
    probe: Probe
    lanes: Lanes
    fault: Fault
    workshop: Workshop
    base: str
    end: float
    made: int = 0
    untried: int = 0

    def left(self) -> float:
        return self.end - monotonic()

    def best(self, candidates: Sequence[Candidate]) -> list[Survivor]:
        """1. Tries until what follows is clearly less likely than what stands, or time is up. 2. What stands is asked further
        questions, and weighed. 3. The chosen ones pass the plain command once more, in a fresh process."""
        guards = Guards(self.scene, self.probe)
        passed, rest, late = self._forked(candidates)
        self.made, self.untried = len(candidates), late + (0 if passed else max(0, len(rest) - PLAIN_MOST))
        passed = self._beside(_whole(passed))
        best = min((one.score for one in passed), default=1e9)
        slow = self._plainly([one for one in rest if one.score <= best + MARGIN][:PLAIN_MOST])
        passed += guards.whole(slow, self.left() - LAST_S)
        held = limits.weighed(guards.hold(passed, self.left() - LAST_S))
        standing = sorted(held, key=lambda one: one.score)
        answers, base = self._answers(standing)
        asked = base if self.scene.breaks else ()
        return [one for one in chosen(standing, answers, self.scene.spectrum, asked) if self._again(one)]

    def _beside(self, passed: Sequence[Candidate]) -> list[Candidate]:
        """With the limits that pass as well as those that did."""
        source_of = cache(partial(source_at, self.probe.tree))
        known = limits.marked(passed, source_of)
        more = limits.others(known, source_of)
        return [*known, *(self._forked(more)[0] if more and self.left() > LAST_S else [])]

    def _forked(self, candidates: Sequence[Candidate]) -> tuple[list[Candidate], list[Candidate], int]:
        """Those that pass, those that must be tried in a process of their own, and of how many there was no time for."""
        scene = self.scene
        trial = Trial(
            scene.targets,
            sorted({*scene.targets, *scene.passing}),
            sorted(scene.known),
            scene.limits.each,
            scene.limits.quick,
            margin=MARGIN,
            most=PASSED_MOST,
            enough=ENOUGH / ALL,
            error=scene.error.rpartition(".")[2],
            idle=scene.limits.idle,
        )
        command, seconds = scene.check.whole or scene.check.command, max(2.0, ALL * self.left() - LAST_S)
        tried = self.lanes.attempt(self.probe, command, _numbered(candidates), trial, seconds)
        if not tried.ready:
            return [], list(candidates), 0
        passed = [one for at, one in enumerate(candidates) if tried.codes.get(at) == 0]
        cannot = [one for at, one in enumerate(candidates) if tried.codes.get(at) == CANNOT]
        late = 0 if passed else len(candidates) - len(tried.codes)  # else the rest was clearly less likely
        return passed, cannot, late

    def _answers(self, standing: Sequence[Candidate]) -> tuple[list[tuple[str, ...]], tuple[str, ...]]:
        """What each answers beyond the tests, where that can be asked, and what the unchanged program does; in a tree of its own,
        for it may be harmed."""
        if len(standing) < 2 or not self.left() > LAST_S:
            return [()] * len(standing), ()
        with self.workshop.fresh(self.base) as tree:
            probe = self.probe.again(tree)
            command = self.scene.check.whole or self.scene.check.command
            told = probe.compare(command, _numbered(standing), min(COMPARE_S, self.left() - LAST_S))
        return [told.get(at, ()) for at in range(len(standing))], told.get(-1, ())

    def _plainly(self, batch: Sequence[Candidate]) -> list[Candidate]:
        passed = []
        for one in batch:
            if self.left() < LAST_S:
                break
            seconds = min(self.scene.limits.plain, self.left())
            if self.probe.plain(self.scene.check.command, one.edit, seconds, lean=True).code == 0:
                passed.append(one)
        return passed

    def _again(self, survivor: Survivor) -> bool:
        seconds = max(10.0, 3 * self.scene.limits.plain)
        return self.probe.plain(self.fault.command, survivor.candidate.edit, seconds).code == 0


def _whole(passed: Sequence[Candidate]) -> list[Candidate]:
    """Without those of which a part does as well."""
    alone = {one.edit for one in passed}
    return [one for one in passed if alone.isdisjoint(one.parts)]


def _numbered(some: Sequence[Candidate]) -> dict[int, Try]:
    return {at: Try(one.edit, one.unit, one.score, one.whole) for at, one in enumerate(some)}
