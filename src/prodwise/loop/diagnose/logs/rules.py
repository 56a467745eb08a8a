"""Rules as data: a fixed text to find lines by, a pattern for the line, and what it says about the package that it names.

Patterns are tried on lines that hold the fixed text only, are linear, and see 2,000 characters at most.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from prodwise.loop.diagnose.logs.clue import Clue, Reading
from prodwise.loop.diagnose.logs.text import Log
from prodwise.loop.diagnose.logs.versions import beyond, highest
from prodwise.loop.diagnose.logs.weights import Reason
from prodwise.model.breakage import Ecosystem, Failure, Moved

HITS_MAX: Final = 60
SHORT_CHARS: Final = 50_000
_BUMPED: Final = re.compile(
    r"\b(?:[Bb]ump(?:s|ed)?|[Uu]pdate(?:s|d)?(?: dependency)?|[Uu]pgrade(?:s|d)?) [`'\"]?(@?"
    r"[\w./:-]{2,120})[`'\"]? from [`'\"]?v?(\d[\w.+-]{0,60})[`'\"]? to [`'\"]?v?(\d[\w.+-]{0,60})"
)


@dataclass(frozen=True)
class Rule:
    """holds: text that a line must hold; pattern: with a group `name`, and `version` or none."""

    holds: str
    pattern: re.Pattern[str]
    reason: Reason
    kind: Failure
    share: float = 1.0


def rule(holds: str, pattern: str, reason: Reason, kind: Failure, share: float = 1.0) -> Rule:
    return Rule(holds, re.compile(pattern), reason, kind, share)


def apply(log: Log, rules: Iterable[Rule], named: Callable[[str], str]) -> Iterator[Clue]:
    """named: from the name in the log to the package's, "" for none."""
    for one in rules:
        for number, line in log.hits(one.holds, HITS_MAX):
            for found in one.pattern.finditer(line):
                name = named(found["name"])
                version = found.groupdict().get("version") or ""
                if name:
                    yield Clue(one.reason, name, one.kind, number, version.rstrip(".,:;)"), one.share)


def wants(
    kind: Failure, number: int, wanter: tuple[str, str], wanted: tuple[str, str], have: str, share: float = 1.0
) -> Iterator[Clue]:
    """One package wants a range of another that the version in use is outside of. What moved is the newer side: the one in use
    if it lies above the range, the one that wants if it lies below. wanter: (name, version); wanted: (name, range).
    """
    side = beyond(have, wanted[1])
    sure = 0.9 if side else 0.8
    if wanted[0]:
        low = Reason.NAMED if side < 0 else Reason.CONFLICTS
        yield Clue(low, wanted[0], kind, number, have, share * (1.0 if side >= 0 else 0.6))
    if wanter[0]:
        high = Reason.NAMED if side > 0 else Reason.DEMANDS
        yield Clue(high, wanter[0], kind, number, wanter[1], share * (1.2 if side < 0 else 0.6 if side > 0 else sure))


def between(
    kind: Failure, number: int, asks: Iterable[tuple[str, str, str, str]], roots: Mapping[str, str], share: float = 1.0
) -> Iterator[Clue]:
    """What a resolver's explanation says. asks: (wanter, its version, wanted, range); roots: what the project itself asks for.

    What the project does not ask for was not moved by anybody: of those that want it, the one that wants the newest moved.
    """
    many: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for wanter, version, wanted, bounds in dict.fromkeys(asks):
        many[wanted].append((wanter, version, bounds))
    for wanted, wanters in many.items():
        if wanted in roots or len({one[0] for one in wanters}) < 2:
            for wanter, version, bounds in wanters:
                yield from wants(kind, number, (wanter, version), (wanted, bounds), roots.get(wanted, ""), share)
            continue
        first = max(wanters, key=lambda one: (highest(one[2]), one[0]))
        for wanter, version, _ in wanters:
            lead = 1.2 if wanter == first[0] else 0.6
            yield Clue(Reason.DEMANDS, wanter, kind, number, version, lead * share)
        yield Clue(Reason.CONFLICTS, wanted, kind, number, "", 0.6 * share)


def bumped(log: Log, reading: Reading, named: Callable[[str], str]) -> None:
    """Titles of commits and pull requests that say what was updated."""
    for word in ("ump", "pdate", "pgrade"):
        for number, line in log.hits(word, 200):
            if " from " not in line:
                continue
            for found in _BUMPED.finditer(line):
                if named(found[1]):
                    where = f"line {number} of the log"
                    reading.moved.append(Moved(reading.ecosystem, named(found[1]), found[2], found[3], where))


def host_of(plugin: str, others: Iterable[str]) -> str:
    """Of the others, the one that a plugin's name begins with or follows: eslint-plugin-x is eslint's; "" for none."""
    words = _words(plugin)
    hosts = [one for one in others if one != plugin and (mine := _words(one)) and len(mine) < len(words)
             and (words[: len(mine)] == mine or words[-len(mine) :] == mine)]  # fmt: skip
    return max(hosts, key=len, default="")


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[@/_.-]", name.lower()) if word and word != "core"]


def move(reading: Reading, name: str, before: str, after: str, number: int) -> None:
    """What a package manager says that it changed."""
    if name and before != after:
        reading.moved.append(Moved(reading.ecosystem, name, before, after, f"line {number} of the log"))


def began(ecosystem: Ecosystem, log: Log, marks: Iterable[str]) -> Reading | None:
    """An empty reading, if one of the marks of this ecosystem is in the log: a short one is read by all, since that costs little."""
    return Reading(ecosystem) if len(log.text) < SHORT_CHARS or any(mark in log.text for mark in marks) else None
