"""A large log with its monotony blanked: readers search what is left, and each line keeps its number."""

from __future__ import annotations

from typing import Final

from prodwise.loop.diagnose.logs.text import Log

WHOLE_CHARS: Final = 150_000  # a log of no more is read whole
ALIKE_CHARS: Final = 12
ALIKE_MAX: Final = 400
END_LINES: Final = 1_500
ABOVE: Final = 30
BELOW: Final = 45
MARKED_MAX: Final = 400  # lines that tell of a failure, for each telling word, from either end
TELLING: Final = (
    "rror:",
    "rror ",
    "Error",
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
    stays = _around_failures(log)
    counted: dict[str, int] = {}
    kept: list[str] = []
    begun = max(0, len(log.lines) - END_LINES)
    for at, line in enumerate(log.lines):
        lead = line[:ALIKE_CHARS]
        count = counted[lead] = counted.get(lead, 0) + 1
        kept.append(line if count <= ALIKE_MAX or at >= begun or stays[at] else "")
    return Log("\n".join(kept), log.cut)


def _around_failures(log: Log) -> bytearray:
    """For each line, whether it stands near one that tells of a failure."""
    found = bytearray(len(log.lines))
    for word in TELLING:
        first = [number for number, _ in log.hits(word, MARKED_MAX)]
        for number in first if len(first) < MARKED_MAX else {*first, *_last(log, word)}:
            begin, end = max(0, number - 1 - ABOVE), min(len(found), number + BELOW)
            found[begin:end] = b"\x01" * (end - begin)
    return found


def _last(log: Log, word: str) -> list[int]:
    found: list[int] = []
    at = log.text.rfind(word)
    while at >= 0 and len(found) < MARKED_MAX:
        found.append(log.number(at))
        at = log.text.rfind(word, 0, max(0, log.text.rfind("\n", 0, at)))
    return found
