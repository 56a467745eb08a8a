"""A large log with its monotony blanked: readers search what is left, and each line keeps its number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Final

from prodwise.loop.diagnose.logs.text import Log

WHOLE_CHARS: Final = 150_000  # a log of no more is read whole
ALIKE_CHARS: Final = 12
ALIKE_MAX: Final = 400
SAMPLED: Final = 8
"""Of so many lines one is looked at to see which beginnings are frequent."""
ALIKE_SAMPLED: Final = ALIKE_MAX // SAMPLED
END_LINES: Final = 1_500
ABOVE: Final = 30
BELOW: Final = 45
MARKED_MAX: Final = 400  # lines that tell of a failure, for each telling word, from either end
_LEAD: Final[Callable[[str], str]] = itemgetter(slice(ALIKE_CHARS))
TELLING: Final = (
    "rror",
    "ERR",
    "xception",
    "FAIL",
    "Traceback",
    "panic",
    "onflict",
    "Caused by",
    "requires ",
    "not found",
)


def thinned(log: Log) -> Log:
    """1. What is told of a failure stays, with what stands around it; so does the end. 2. Of lines that begin alike the first stay."""
    if len(log.text) <= WHOLE_CHARS:
        return log
    lines = log.lines
    often = {lead: ALIKE_MAX for lead, count in Counter(map(_LEAD, lines[::SAMPLED])).items() if count > ALIKE_SAMPLED}
    if not often:
        return log
    kept = ["" if line[:ALIKE_CHARS] in often else line for line in lines]
    for at, line in enumerate(lines):
        lead = line[:ALIKE_CHARS]
        if lead in often:
            kept[at] = line
            often[lead] -= 1
            if not often[lead]:
                del often[lead]
                if not often:
                    break
    done = 0
    for begin, end in sorted({*_around_failures(log), (max(0, len(lines) - END_LINES), len(lines))}):
        begin = max(begin, done)
        kept[begin:end] = lines[begin:end]
        done = max(done, end)
    return Log.of(kept, log.cut)


def _around_failures(log: Log) -> Iterator[tuple[int, int]]:
    """Places of the lines that stand near one that tells of a failure."""
    for word in TELLING:
        first = [number for number, _ in log.hits(word, MARKED_MAX)]
        for number in first if len(first) < MARKED_MAX else {*first, *_last(log, word)}:
            yield max(0, number - 1 - ABOVE), min(len(log.lines), number + BELOW)


def _last(log: Log, word: str) -> list[int]:
    found: list[int] = []
    at = log.text.rfind(word)
    while at >= 0 and len(found) < MARKED_MAX:
        found.append(log.number(at))
        at = log.text.rfind(word, 0, max(0, log.text.rfind("\n", 0, at)))
    return found
