"""From a search to ranked suspects."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace

from prodwise.loop.diagnose.suspect import weights as w
from prodwise.loop.diagnose.suspect.by_name import named, said, used_before
from prodwise.loop.diagnose.suspect.case import Finding, Search, Suspect
from prodwise.loop.diagnose.suspect.findings import (
    Finder,
    as_a_whole,
    emptied,
    made,
    packages,
    raised,
    reached,
    reads,
    same_words,
    strongest,
)
from prodwise.loop.diagnose.suspect.routes import answering
from prodwise.loop.diagnose.suspect.scene import Scene
from prodwise.model.commit import Commit

BY_LINES: tuple[Finder, ...] = (raised, reached, made, reads, same_words)
"""These look at the same lines, each in its own way."""
BY_NAMES: tuple[Finder, ...] = (named, said, emptied, packages, used_before, answering)


def rank(search: Search) -> tuple[Suspect, ...]:
    """Every commit, the likeliest first; of equals, the newest first. Nothing is run. The order of facts changes nothing.

    `share` leaves room for none of them (`NONE_OF_THEM`); it is also the prior for a bisection.
    """
    scene = Scene(search)
    found = [(commit, _findings(scene, commit)) for commit in scene.order]
    weighed = [(commit, findings, sum(sorted(one.weight for one in findings))) for commit, findings in found]
    top = max([w.NONE_OF_THEM, *(weight for _, _, weight in weighed)])
    total = sum(math.exp(weight - top) for _, _, weight in weighed) + math.exp(w.NONE_OF_THEM - top)
    suspects = [
        _suspect(commit, findings, weight, math.exp(weight - top) / total) for commit, findings, weight in weighed
    ]
    return tuple(sorted(suspects, key=lambda one: -one.weight))


def _findings(scene: Scene, commit: Commit) -> tuple[Finding, ...]:
    """The strongest of each kind; for a commit of which nothing runs, no name or place speaks."""
    whole = tuple(as_a_whole(scene, commit))
    if any(one.weight == w.NOTHING_RUNS for one in whole):
        return whole
    lines = sorted(_strongest_of(BY_LINES, scene, commit), key=lambda one: (-one.weight, one.text))
    kept = [*lines[:1], *(replace(one, weight=one.weight * w.AGAIN) for one in lines[1:])]
    kept += [*_strongest_of(BY_NAMES, scene, commit), *whole]
    if commit.whole and not any(one.weight > 0 for one in kept):
        kept.append(Finding(w.ELSEWHERE, "changed nothing that the error passes through, calls or names"))
    return tuple(sorted(kept, key=lambda one: (-one.weight, one.text)))


def _strongest_of(finders: Iterable[Finder], scene: Scene, commit: Commit) -> Iterator[Finding]:
    for finder in finders:
        best = strongest(finder(scene, commit))
        if best is not None:
            yield best


def _suspect(commit: Commit, findings: tuple[Finding, ...], weight: float, share: float) -> Suspect:
    where = next((one for one in findings if one.path and one.weight > 0), Finding(0.0, ""))
    return Suspect(commit, round(weight, 6), share, findings, where.path, where.line)
