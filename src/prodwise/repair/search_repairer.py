"""Repairs a Python program by small edits, each tried by running the failing test: no model, no guess that was not run."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial

from prodwise.clock import monotonic
from prodwise.model.action import ActionKind
from prodwise.model.errors import NothingFits, OutOfTime
from prodwise.model.patch import Fault, Proposal
from prodwise.ports.repair import Workshop
from prodwise.repair import answered, branches, contrast, limits, rank
from prodwise.repair.edits import unified
from prodwise.repair.forced import KIND as NEVER_MEANT
from prodwise.repair.forced import forced, where
from prodwise.repair.guards import Guards
from prodwise.repair.lanes import Lanes
from prodwise.repair.pool import Candidate, Pool, pool, source_at
from prodwise.repair.probe import CANNOT, NEARLY, Probe, Trial, Try, read_text
from prodwise.repair.scene import Scene, look
from prodwise.repair.verdict import Known, Survivor, chosen, meanings

PLAIN_MOST = 25
MARGIN = 0.8
LOOK = 300
"""So many are tried in any case, however likely one is that passed: what else does tells how easily the tests are satisfied."""
PASSED_MOST = 60
COMPARE_S = 20.0
LAST_S = 3.0
ENOUGH = 0.75
"""After this part of its time the search goes on to what follows a try that passed."""
ALL = 0.8
"""After this part where none did: what is left is for the tests around what passes late."""
FIRST = 0.6
"""After this part of that it looks at what has passed, since the gates need time as well; where nothing has, for places at which a
question is missing. FORCED and ASKED: the parts that this may take."""
FORCED = 0.15
ASKED = 0.1
PLACES_MOST = 8


class SearchRepairer:
    """Proposes at most two edits, which mean the same, and none where several that mean different things fit alike. Looks further
    where none of them passes the gates."""

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
                last = -1.0  # two of the same rank would be rivals; these mean the same
                for survivor in search.best(pool(scene, tree, workshop)):
                    edit = survivor.candidate.edit
                    old = read_text(tree.root / edit.path)
                    why = f"{edit.why[:1].upper()}{edit.why[1:]} ({edit.path}, line {edit.line})."
                    diff = unified(edit.path, old, edit.applied(old))
                    last = max(round(1 - survivor.confidence, 3), last + 0.01)
                    yield Proposal(self.name, ActionKind.PATCH, diff, why, last, weighed=True)
                if search.untried:
                    raise OutOfTime(
                        f"{search.untried:,} of {search.made:,} edits were not tried in its time", search.where
                    )
                if last < 0 and search.where:
                    raise NothingFits(f"none of {search.made:,} edits fits", search.where)
            finally:
                probe.close()


@dataclass(frozen=True, slots=True)
class _Tries:
    """cannot: those that must be tried in a process of their own; late: those that were not tried: there was no time, or something
    clearly likelier passed."""

    passed: list[Candidate]
    cannot: list[Candidate]
    late: list[Candidate]


@dataclass
class _Search:
    """nearly: how many edits mended what failed, and broke something else."""

    scene: Scene
    probe: Probe
    lanes: Lanes
    fault: Fault
    workshop: Workshop
    base: str
    end: float
    made: int = 0
    untried: int = 0
    nearly: int = 0
    where: str = ""

    def left(self) -> float:
        return self.end - monotonic()

    def best(self, pool: Pool) -> Iterator[Survivor]:
        """1. Tries, the likelier edits first; where none of them stands, or what stands does not pass the gates, those that ask what
        is missing, and the rest. 2. What stands is asked further questions, and weighed. 3. The chosen ones pass the plain command
        once more, in a fresh process."""
        candidates, guards = pool.candidates(), Guards(self.scene, self.probe)
        self.made = len(candidates)
        tried = self._forked(candidates, FIRST, enough=1.0)
        standing = self._standing(tried, guards) if tried.passed else []
        refused = yield from self._believed(standing)
        if self.left() > LAST_S and (refused or not standing):
            tried = self._rest(pool, tried)
            yield from self._believed(
                [*(one for one in standing if one not in refused), *self._standing(tried, guards)]
            )
        if not tried.passed or guards.late:
            self.untried = len(tried.late) + max(0, len(tried.cannot) - PLAIN_MOST) + guards.late

    def _believed(self, standing: Sequence[Candidate]) -> Generator[Survivor, None, list[Candidate]]:
        """Gone on with where the gates refused what it gave: then without all that mean the same, which are handed back."""
        refused: list[Candidate] = []
        while left := [one for one in standing if one not in refused]:
            answers, known = self._answers(left)
            believed = chosen(left, answers, self.scene.spectrum, known)
            given = [one for one in believed if self._again(one)]
            yield from given
            same = [
                one.edits for one in meanings(left, answers, known) if any(it.candidate in one.edits for it in given)
            ]
            if not same:
                break
            refused += [one for some in same for one in some]
        return refused

    def _standing(self, tried: _Tries, guards: Guards) -> list[Candidate]:
        """What passes beyond the tests of the file as well, with what can only be tried plainly, likeliest first."""
        passed = self._beside(_whole(tried.passed))
        best = min((one.score for one in passed), default=1e9)
        slow = self._plainly([one for one in tried.cannot if one.score <= best + MARGIN][:PLAIN_MOST])
        passed += guards.whole(slow, self.left() - LAST_S)
        held = limits.weighed(guards.hold(passed, self.left() - LAST_S))
        return sorted(held, key=lambda one: one.score)

    def _beside(self, passed: Sequence[Candidate]) -> list[Candidate]:
        """With the limits, and the answers once for all, that pass as well as those that did; in both branches what passes there as
        well."""
        source_of = cache(partial(source_at, self.probe.tree))
        known = limits.marked(passed, source_of)
        twins = branches.both(known, source_of)
        more = [*limits.others(known, source_of), *answered.rivals(known, source_of), *twins]
        also = self._forked(more).passed if more and self.left() > LAST_S else []
        pairs = [one for one in also if one in twins]
        return [*branches.preferred(known, pairs), *(one for one in also if one not in pairs)]

    def _rest(self, pool: Pool, first: _Tries) -> _Tries:
        asking = self._asking(pool)
        self.made += len(asking)
        rest = [*asking, *first.late]
        then = self._forked(rest) if rest and self.left() > LAST_S else _Tries([], [], rest)
        return _Tries(then.passed, [*first.cannot, *then.cannot], then.late)

    def _asking(self, pool: Pool) -> list[Candidate]:
        """1. Places at which the check passes where a condition is answered otherwise, a step left out or the work given up. 2. What
        is so there in the failing tests alone."""
        scene, most = self.scene, self.left()
        some = forced(pool.suspects) if scene.targets else []
        if not some:
            return []
        made = [pool.candidate(one.edit, one.suspicion, one.site.source, one.site.statement) for one in some]
        trial = replace(self._trial(), must=scene.targets, margin=1e9, look=0, most=PLACES_MOST)
        tried = self.lanes.attempt(self.probe, scene.check.command, _numbered(made), trial, FORCED * most)
        here = [one for at, one in enumerate(some) if tried.codes.get(at) == 0][:PLACES_MOST]
        if not here:
            return []
        self.where = where(here)
        places, command = [contrast.asked(one) for one in here], scene.check.whole or scene.check.command
        visits = self.probe.ask(command, [one.place for one in places], scene.targets, ASKED * most)
        found = []
        for place, seen in zip(places, visits, strict=True):
            site = place.forced.site
            for edit in contrast.edits(place, seen, scene.targets, scene.passing):
                if not rank.hollow(rank.edited(edit, site.source, site.statement)):
                    found.append(pool.candidate(edit, place.forced.suspicion, site.source, site.statement))
        return found

    def _trial(self) -> Trial:
        scene = self.scene
        return Trial(
            scene.targets,
            sorted({*scene.targets, *scene.passing}),
            sorted(scene.known),
            scene.limits.each,
            scene.limits.quick,
            margin=MARGIN,
            look=LOOK,
            most=PASSED_MOST,
            error=scene.error.rpartition(".")[2],
            idle=scene.limits.idle,
        )

    def _forked(self, candidates: Sequence[Candidate], share: float = 1.0, enough: float = ENOUGH / ALL) -> _Tries:
        """share: of the time that is left; enough: of that, where one has passed."""
        command, seconds = self.scene.check.whole or self.scene.check.command, max(2.0, ALL * self.left() - LAST_S)
        trial = replace(self._trial(), enough=enough)
        tried = self.lanes.attempt(self.probe, command, _numbered(candidates), trial, share * seconds)
        if not tried.ready:
            return _Tries([], list(candidates), [])
        edits = {at for at, one in enumerate(candidates) if one.edit.kind != NEVER_MEANT}
        self.nearly += sum(tried.codes.get(at) == NEARLY for at in edits)
        passed = [one for at, one in enumerate(candidates) if tried.codes.get(at) == 0]
        cannot = [one for at, one in enumerate(candidates) if tried.codes.get(at) == CANNOT]
        return _Tries(passed, cannot, [one for at, one in enumerate(candidates) if at not in tried.codes])

    def _answers(self, standing: Sequence[Candidate]) -> tuple[list[tuple[str, ...]], Known]:
        """What each answers to all questions, where that can be asked, and what is known beside; in a tree of its own, for it may be
        harmed."""
        if len(standing) < 2 or not self.left() > LAST_S:
            return [()] * len(standing), Known(holds=self.scene.breaks, mended=self.nearly)
        with self.workshop.fresh(self.base) as tree:
            probe = self.probe.again(tree)
            command = self.scene.check.whole or self.scene.check.command
            told = probe.compare(command, _numbered(standing), min(COMPARE_S, self.left() - LAST_S))
        answers = [told.answers.get(at, ()) for at in range(len(standing))]
        return answers, Known(told.own, told.answers.get(-1, ()), self.scene.breaks, self.nearly)

    def _plainly(self, batch: Sequence[Candidate]) -> list[Candidate]:
        """In half of the time that is left: the rest belongs to the tests around what passes."""
        passed, least = [], max(LAST_S, self.left() / 2)
        for one in batch:
            if self.left() < least:
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
