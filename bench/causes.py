"""How often the true cause of an incident is named first, whether its share means what it says, and who is blamed for nothing."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.incidents.corpus import Entry, Played, entries, played, quiet
from bench.incidents.draw import draw
from bench.incidents.ratios import Ratio, ratios
from bench.incidents.world import Backdrop, Drawn
from bench.running import Tell
from bench.table import Figure, Part
from prodwise.loop.diagnose import diagnose
from prodwise.loop.diagnose.suspect import Search, evidence, rank, wanted
from prodwise.model.diagnosis import BY_RELEASE, Cause, Diagnosis
from prodwise.targets.local.history import GitHistory

DRAWN, DRAWN_QUICK = 2000, 600
HELD_OUT = 100_000
"""Seeds below this were looked at when weights and the curve of shares were set."""
COUNTED, COUNTED_QUICK, COUNTED_FROM = 10_000, 2000, 10_000_000
HARMLESS = (Cause.NOTHING, Cause.UNKNOWN)


@dataclass(frozen=True)
class Judged:
    """place: of the true cause, from 1, 0 when it is not named; share: of the leading one; guilty: whether the commit that is
    named is the right one, None when none is named or looked for."""

    name: str
    cause: Cause
    leading: Cause
    place: int
    share: float
    guilty: bool | None = None


@dataclass(frozen=True)
class Bin:
    """Shares from low to high: how many there were, and how many of them were right."""

    low: float
    high: float
    many: int
    right: int

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's, 95 %, of how often they are right."""
        z, n = 1.96, self.many
        share = self.right / n
        middle = (share + z * z / (2 * n)) / (1 + z * z / n)
        half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return middle - half, middle + half

    @property
    def honest(self) -> bool:
        """Whether what is said lies within what can be told of how often it is right; no cases, no lie."""
        return not self.many or (self.interval[0] <= self.high and self.interval[1] >= self.low)


def run(quick: bool, tell: Tell, seed: int) -> Part:
    tell("causes: faults on real histories")
    wrong, skipped = list(judged(entries(), seed)), []
    calm = list(judged(quiet(), seed))
    found, unbuilt = [one for one in wrong if isinstance(one, Judged)], [one for one in wrong if isinstance(one, Entry)]
    still = [one for one in calm if isinstance(one, Judged)]
    skipped = [f"{one.name}: its history could not be built" for one in unbuilt]
    many = DRAWN_QUICK if quick else DRAWN
    tell(f"causes: {many} incidents that are drawn")
    cases = [draw(HELD_OUT + many * seed + number) for number in range(many)]
    told = [(one, diagnose(one.case)) for one in cases]
    counted = COUNTED_QUICK if quick else COUNTED
    weighed = ratios(draw(COUNTED_FROM + counted * seed + n, Backdrop(strays=1.0)) for n in range(counted))
    figures = [*_of_corpus(found, still), *_of_drawn(told), *_of_weights(weighed)]
    return Part("causes", tuple(figures), tuple(skipped), tuple(_row(one) for one in (*found, *still)))


def judged(some: Iterator[Entry], seed: int) -> Iterator[Judged | Entry]:
    """Each entry on a history of its own; the entry where that could not be built."""
    for entry in some:
        with tempfile.TemporaryDirectory() as place:
            one = played(entry, seed, Path(place))
            yield judged_one(one) if one is not None else entry


def judged_one(one: Played) -> Judged:
    found = diagnose(one.drawn.case)
    guilty = _named(one) if found.leading.cause in (*BY_RELEASE, Cause.ERRORS) and one.entry.guilty else None
    share = found.leading.share or 0.0
    return Judged(one.entry.name, one.drawn.cause, found.leading.cause, place_of(one.drawn, found), share, guilty)


def place_of(drawn: Drawn, found: Diagnosis) -> int:
    rights = (at for at, one in enumerate(found.hypotheses, 1) if drawn.right(one.cause, one.subject))
    return next(rights, 0)


def _named(one: Played) -> bool | None:
    """Whether the commit that would be told is the guilty one; None when none is told."""
    history, event = GitHistory(one.history.repo), one.history.event
    commits = tuple(history.commits(one.good, one.bad))
    texts = history.texts(one.bad, wanted(commits, (event,), history.tree(one.bad)))
    ranked = rank(Search(commits, (event,), (), texts, one.history.onset))
    told = evidence(ranked, one.history.onset, one.history.onset)
    return ranked[0].commit.sha == one.history.guilty if told is not None else None


def bins(told: Sequence[tuple[Drawn, Diagnosis]]) -> list[Bin]:
    """Every hypothesis by the tenth that its share lies in."""
    counts = [[0, 0] for _ in range(10)]
    for drawn, found in told:
        for one in found.hypotheses:
            tenth = min(9, int((one.share or 0.0) * 10))
            counts[tenth][0] += 1
            counts[tenth][1] += drawn.right(one.cause, one.subject)
    return [Bin(at / 10, (at + 1) / 10, many, right) for at, (many, right) in enumerate(counts)]


def _of_corpus(found: Sequence[Judged], still: Sequence[Judged]) -> Iterator[Figure]:
    yield Figure("true cause named first, on histories", *_share(found, lambda one: one.place == 1), many=len(found))
    yield Figure(
        "among the first three, on histories", *_share(found, lambda one: 1 <= one.place <= 3), many=len(found)
    )
    said = sum(one.share for one in found) / max(1, len(found))
    yield Figure("mean share of the cause named first", round(100 * said, 1), "%", many=len(found),
                 beside=f"right: {100 * sum(one.place == 1 for one in found) / max(1, len(found)):.0f} %")  # fmt: skip
    named = [one for one in found if one.guilty is not None]
    yield Figure("guilty commit, where one is told", *_share(named, lambda one: bool(one.guilty)), many=len(named))
    alarms = _share(still, lambda one: one.leading not in HARMLESS)
    yield Figure("a cause named where nothing is wrong", *alarms, goal=0, many=len(still))


def _of_drawn(told: Sequence[tuple[Drawn, Diagnosis]]) -> Iterator[Figure]:
    places = [place_of(*one) for one in told]
    yield Figure("true cause named first, drawn", *_share(places, lambda one: one == 1), many=len(places))
    yield Figure("among the first three, drawn", *_share(places, lambda one: 1 <= one <= 3), many=len(places))
    found = bins(told)
    words = ", ".join(f"{one.low:.0%}…: {one.right / one.many:.0%}" for one in found if one.many)
    yield Figure(
        "tenths of shares that are off", sum(not one.honest for one in found), "", 0, beside=words, many=len(told)
    )


def _of_weights(found: Sequence[Ratio]) -> Iterator[Figure]:
    for one in found:
        yield Figure(f"weight of {one.name}", one.weight, beside=one.told())
    yield Figure(
        "weights that claim more than is drawn", sum(not one.borne_out for one in found), "", 0, many=len(found)
    )


def _share(some: Sequence[Any], good: Callable[[Any], bool]) -> tuple[float | None, str]:
    return (round(100 * sum(good(one) for one in some) / len(some), 1) if some else None), "%"


def _row(one: Judged) -> Mapping[str, Any]:
    return {
        "name": one.name,
        "cause": one.cause.value,
        "leading": one.leading.value,
        "place": one.place,
        "share": one.share,
        "guilty_commit": one.guilty,
    }
