"""Clues in, ranked causes out."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from prodwise.loop.diagnose.logs.clue import Clue, Reading
from prodwise.loop.diagnose.logs.pins import pin
from prodwise.loop.diagnose.logs.text import Log, shown
from prodwise.loop.diagnose.logs.weights import AGAIN, AGAIN_MAX, PRIOR, WEIGHT, Reason
from prodwise.model.breakage import Blamed, Ecosystem, Failure, Moved, Quote

CAUSES_MAX: Final = 8
QUOTES_MAX: Final = 4
CONFIDENCE_MIN: Final = 0.02
CONFIDENCE_MAX: Final = 0.97  # a log is never the whole truth
MOVED_MAX: Final = 200
FEW: Final = ((1, 1.5), (3, 1.2), (10, 1.0), (10**9, 0.6))  # packages that changed at most → share of the weight
_SHOWN: Final = (Reason.FOLLOWS, Reason.LAGS, Reason.STANDS_OUT, Reason.STAYED)  # these have no line of their own


def weigh(log: Log, readings: Sequence[Reading], moved: Sequence[Moved]) -> list[Blamed]:
    """1. Clues are added up per package. 2. What changed lately is added. 3. Weights become shares; what is hardly possible goes."""
    clues, by_reading = _per_package(readings, moved)
    weights = {key: _weight(found) for key, found in clues.items()}
    gradle = _of_gradle(log, readings)
    total = 1.0 + sum(math.exp(min(weight, 50.0)) for weight in weights.values())
    found: list[Blamed] = []
    for key in sorted(weights, key=lambda one: (-weights[one], one)):
        confidence = math.exp(min(weights[key], 50.0)) / total
        if confidence < CONFIDENCE_MIN or len(found) >= CAUSES_MAX:
            break
        found.append(_blamed(log, by_reading[key], key, clues[key], moved, confidence, gradle))
    return found


def _per_package(
    readings: Sequence[Reading], moved: Sequence[Moved]
) -> tuple[dict[str, list[Clue]], dict[str, Reading]]:
    clues: dict[str, list[Clue]] = defaultdict(list)
    by_reading: dict[str, Reading] = {}
    for reading in readings:
        for clue in reading.clues:
            clues[clue.name].append(clue)
            by_reading[clue.name] = reading
    for reading in readings:
        mine = {normal(one.name): one for one in (*reading.moved, *moved) if one.ecosystem is reading.ecosystem}
        if mine and (reading.clues or reading.kind):
            _changed(reading, mine, clues, by_reading)
    return clues, by_reading


def _changed(
    reading: Reading, mine: dict[str, Moved], clues: dict[str, list[Clue]], by_reading: dict[str, Reading]
) -> None:
    """What changed just before is suspected, the more the fewer there were; what did not is suspected less."""
    share = next(share for most, share in FEW if len(mine) <= most)
    kind = reading.kind or next((clue.kind for clue in reading.clues), Failure.RUNTIME)
    named = {normal(name) for name, one in by_reading.items() if one is reading}
    for name in [name for name, one in by_reading.items() if one is reading]:
        reason = Reason.MOVED if normal(name) in mine else Reason.STAYED
        clues[name].append(Clue(reason, name, clues[name][0].kind, 0, share=share if reason is Reason.MOVED else 1.0))
    for key in sorted(set(mine) - named)[:MOVED_MAX]:
        name = mine[key].name
        clues[name].append(Clue(Reason.MOVED, name, kind, 0, share=share))
        by_reading[name] = reading


def normal(name: str) -> str:
    """Names of packages are compared without case, and with one kind of dash."""
    return name.lower().replace("_", "-")


def _weight(clues: Sequence[Clue]) -> float:
    """The prior, and per reason its strongest line and a little for the others."""
    shares: dict[Reason, list[float]] = defaultdict(list)
    for clue in clues:
        shares[clue.reason].append(clue.share)
    total = PRIOR
    for reason in sorted(shares):
        again = min(AGAIN_MAX, AGAIN * math.log(max(1.0, sum(shares[reason]))))
        weight = WEIGHT[reason]
        total += weight * max(shares[reason]) + (again if weight > 0 else 0.0)
    return total


def _blamed(
    log: Log,
    reading: Reading,
    name: str,
    clues: Sequence[Clue],
    moved: Sequence[Moved],
    confidence: float,
    gradle: bool,
) -> Blamed:
    strongest = max(clues, key=lambda one: (WEIGHT[one.reason] * one.share, -one.line))
    about = next(
        (
            one
            for one in (*moved, *reading.moved)
            if one.ecosystem is reading.ecosystem and normal(one.name) == normal(name)
        ),
        None,
    )
    told = next(
        (one.version for one in sorted(clues, key=lambda one: -WEIGHT[one.reason] * one.share) if one.version), ""
    )
    after = (about.after if about else "") or told or reading.versions.get(name, "")
    before = (about.before if about else "") or reading.before.get(name, "")
    before = "" if before == after else before
    kind = reading.kind or strongest.kind
    quotes = _quotes(log, clues)
    if about is not None:
        quotes = [
            *quotes[: QUOTES_MAX - 1],
            Quote(0, shown(f"{about.where}: {name} {about.before or '?'} → {about.after or '?'}")),
        ]
    return Blamed(
        kind,
        reading.ecosystem,
        name,
        before,
        after,
        round(min(confidence, CONFIDENCE_MAX), 3),
        tuple(quotes),
        pin(reading.ecosystem, name, before, gradle),
    )


def _of_gradle(log: Log, readings: Sequence[Reading]) -> bool:
    java = any(one.ecosystem is Ecosystem.JAVA and one.clues for one in readings)
    return java and ("> Task :" in log.text or "build.gradle" in log.text)


def _quotes(log: Log, clues: Sequence[Clue]) -> list[Quote]:
    """The lines that say most, in their order."""
    ranked = sorted(clues, key=lambda one: (-WEIGHT[one.reason] * one.share, one.line))
    found: dict[str, int] = {}
    for clue in ranked:
        text = shown(log.line(clue.line)) if clue.line and clue.reason not in _SHOWN else ""
        if text and len(found) < QUOTES_MAX - 1:
            found.setdefault(text, clue.line)
    return [Quote(line, text) for text, line in sorted(found.items(), key=lambda one: one[1])]
