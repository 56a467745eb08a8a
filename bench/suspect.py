"""How often the guilty commit is ranked first, without running anything; and how many runs a bisection takes then."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from bench.running import Tell
from bench.suspects import desk, notes, parcels, shop
from bench.suspects.play import History, play
from bench.suspects.project import Fault, Project
from bench.table import Figure, Part
from prodwise.loop.diagnose.bisect import Answer, Bisection, Found, Noise, Try, next_step, runs_max
from prodwise.loop.diagnose.suspect import Search, Suspect, rank, wanted
from prodwise.targets.local.history import GitHistory

DEVELOPED_ON: Sequence[Project] = (shop.PROJECT, notes.PROJECT)
HELD_BACK: Sequence[Project] = (desk.PROJECT, parcels.PROJECT)
SEEDS, SEEDS_QUICK = 3, 1
TOP1_GOAL = 60.0


@dataclass(frozen=True)
class Judged:
    """place: of the guilty commit, from 1; by_route: the same, had only the route been known; runs: of a bisection after it."""

    history: History
    place: int
    by_route: int
    newest: int
    runs: int
    even_runs: int
    ms: float


def run(quick: bool, tell: Tell, seed: int) -> Part:
    figures: list[Figure] = []
    detail: list[Mapping[str, Any]] = []
    skipped: list[str] = []
    node = shutil.which("node") is not None
    for name, projects in (("developed on", DEVELOPED_ON), ("held back", HELD_BACK)):
        found = []
        for project in projects:
            if project.language == "javascript" and not node:
                skipped.append(f"{project.name}: node is not installed")
                continue
            tell(f"suspect: histories of {project.name}, {name}")
            for judged in judge(project, range(seed, seed + (SEEDS_QUICK if quick else SEEDS))):
                if isinstance(judged, Fault):
                    skipped.append(f"{project.name}: {judged.name} could not be built into a history")
                else:
                    found.append(judged)
        figures += _figures(name, found)
        detail += [_row(name, one) for one in found]
    return Part("suspect", tuple(figures), tuple(skipped), tuple(detail))


def judge(project: Project, seeds: Sequence[int]) -> Iterator[Judged | Fault]:
    """Each fault of the project in a history of its own for each seed; the fault where that could not be built."""
    for fault in project.faults:
        for seed in seeds:
            with tempfile.TemporaryDirectory() as place:
                history = play(project, fault, seed, Path(place))
                yield judged_one(history) if history is not None else fault


def judged_one(history: History) -> Judged:
    began = perf_counter()
    search = search_of(history)
    suspects = rank(search)
    ms = (perf_counter() - began) * 1000
    by_route = rank(replace(search, events=(), routes=(history.route,)))
    order = [one.sha for one in search.commits]
    prior = {one.commit.sha: one.share for one in suspects}
    candidates = Bisection(search.commits, prior)
    runs = runs_of(candidates, history.guilty)
    return Judged(
        history,
        _place(suspects, history.guilty),
        _place(by_route, history.guilty),
        order.index(history.guilty) + 1,
        runs,
        runs_of(Bisection(search.commits), history.guilty),
        ms,
    )


def search_of(history: History) -> Search:
    repository = GitHistory(history.repo)
    commits = tuple(repository.commits(history.good, history.bad))
    events = (history.event,)
    texts = repository.texts(history.bad, wanted(commits, events, repository.tree(history.bad)))
    return Search(commits, events, (), texts, history.onset)


def runs_of(bisection: Bisection, guilty: str) -> int:
    """Runs until it is found, when every answer is right."""
    runs = 0
    while isinstance(step := next_step(bisection), Try):
        bad = guilty in bisection.rests_on[step.sha]
        bisection = bisection.told(step.sha, Answer.BAD if bad else Answer.GOOD)
        runs += 1
    if not isinstance(step, Found) or step.sha != guilty or bisection.noise != Noise():
        raise AssertionError(f"a bisection without noise must find it: {step}")
    return runs


def _place(suspects: Sequence[Suspect], guilty: str) -> int:
    return next(at for at, one in enumerate(suspects, 1) if one.commit.sha == guilty)


def _figures(name: str, found: Sequence[Judged]) -> Iterator[Figure]:
    if not found:
        return
    many = len(found)

    def share(hits: int) -> float:
        return round(100.0 * hits / many, 1)

    newest = share(sum(one.newest == 1 for one in found))
    chance = round(sum(100.0 / one.history.commits for one in found) / many, 1)
    yield Figure(f"guilty commit ranked first, {name}", share(sum(one.place == 1 for one in found)), "%", TOP1_GOAL, True,
                 f"the newest commit: {newest:.0f} %, by chance: {chance:.0f} %", many)  # fmt: skip
    yield Figure(f"among the first three, {name}", share(sum(one.place <= 3 for one in found)), "%", many=many)
    yield Figure(f"ranked first by the failing route alone, {name}", share(sum(one.by_route == 1 for one in found)), "%", many=many,
                 beside=f"among three: {share(sum(one.by_route <= 3 for one in found)):.0f} %")  # fmt: skip
    over = max(one.runs - runs_max(one.history.commits) for one in found)
    ours, even = (sum(runs) / many for runs in zip(*((one.runs, one.even_runs) for one in found), strict=True))
    words = f"{ours:.1f} runs on average; without the ranking {even:.1f}"
    yield Figure(f"bisection: runs above ⌈log2 k⌉ + 1, {name}", max(0, over), "", 0, False, words, many)
    yield Figure(f"one history read and ranked, {name}", round(median(one.ms for one in found), 1), "ms", many=many)


def _row(name: str, one: Judged) -> Mapping[str, Any]:
    return {
        "group": name,
        "project": one.history.project,
        "fault": one.history.fault,
        "seed": one.history.seed,
        "commits": one.history.commits,
        "place": one.place,
        "by_route": one.by_route,
        "runs": one.runs,
    }
