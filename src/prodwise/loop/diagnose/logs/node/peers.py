"""Which package wants what beside it, as npm, Yarn and pnpm say; and what their lock files do not hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from prodwise.loop.diagnose.logs.clue import Clue
from prodwise.loop.diagnose.logs.rules import wants
from prodwise.loop.diagnose.logs.text import Log
from prodwise.loop.diagnose.logs.versions import beyond
from prodwise.loop.diagnose.logs.weights import Reason
from prodwise.model.breakage import Failure

RESOLUTION, LOCK = Failure.RESOLUTION, Failure.LOCK
_PEER: Final = re.compile(
    r"peer(?:Optional)? ((?:@[\w.-]{1,80}/)?[\w.-]{1,100})@\"([^\"]{1,160})\" from ((?:@[\w."
    r"-]{1,80}/)?[\w.-]{1,100})@(\d[\w.+-]{0,60})"
)
_FOUND: Final = re.compile(
    r"(?:Found|Conflicting peer dependency): ((?:@[\w.-]{1,80}/)?[\w.-]{1,100})@(\d[\w.+-]{0,60})(?=\s|$)"
)
_ROOT: Final = re.compile(r"(?<![\w./@-])((?:@[\w.-]{1,80}/)?[\w.-]{1,100})@\"([^\"]{1,160})\" from the root project")
_UNMET: Final = re.compile(
    r"unmet peer ((?:@[\w.-]{1,80}/)?[\w.-]{1,100})@(?:\"([^\"]{1,160})\"|'([^']{1,160})'|(["
    r"^:]{1,160})): found (\d[\w.+-]{0,60})"
)
_TREE: Final = re.compile(r"[├└]─[┬─] ((?:@[\w.-]{1,80}/)?[\w.-]{1,100}) (\d[\w.+-]{0,60})")
_YARN_PEER: Final = re.compile(
    r"(?<![\w./@-])((?:@[\w.-]{1,80}/)?[\w.-]{1,100})(?:@(\d[\w.+-]{0,60}))?\"? has (?:incor"
    r"rect|unmet) peer dependency \"((?:@[\w.-]{1,80}/)?[\w.-]{1,100})@([^\"]{1,120})\""
)
_BERRY_PEER: Final = re.compile(
    r"provides ((?:@[\w.-]{1,80}/)?[\w.-]{1,100}) \(\w{1,20}\) with version (\d[\w.+-]{0,60}"
    r"), which doesn't satisfy what ((?:@[\w.-]{1,80}/)?[\w.-]{1,100})"
)
_SPECIFIERS: Final = re.compile(
    r"specifiers in the lockfile(?: \((\{.{0,1500}?\})\))? don\'t match specs in package.json(?: \((\{.{0,1500}?\})\))?"
)
_PAIR: Final = re.compile(r'"([^"]{1,120})":"([^"]{1,80})"')


def peers(log: Log) -> Iterator[Clue]:
    """Peer conflicts of npm, pnpm and Yarn."""
    have: dict[str, str] = {}
    for _, line in [*log.hits("Found: ", 20)]:
        if (one := _FOUND.search(line)) is not None:
            have.setdefault(one[1], one[2])
    for number, line in log.hits(" from the root project", 40):
        one = _ROOT.search(line)
        if one is not None and beyond(have.get(one[1], ""), one[2]):
            yield Clue(Reason.CONFLICTS, one[1], RESOLUTION, number, one[2].strip("^~>=< "))
    at_first = next((number for number, _ in log.hits("Could not resolve dependency:", 4)), 0)
    for number, line in log.hits("peer", 200):
        one = _PEER.search(line)
        if one is not None and ("ERESOLVE" in log.text or "npm" in line):
            main = not at_first or at_first < number <= at_first + 2
            yield from wants(
                RESOLUTION, number, (one[3], one[4]), (one[1], one[2]), have.get(one[1], ""), 1.0 if main else 0.4
            )
        elif (met := _UNMET.search(line)) is not None:
            by = next(
                (found for back in range(number, max(0, number - 6), -1) if (found := _TREE.search(log.line(back)))),
                None,
            )
            wanted = met[2] or met[3] or met[4]
            yield from wants(RESOLUTION, number, (by[1], by[2]) if by else ("", ""), (met[1], wanted), met[5], 0.9)
        elif (old := _YARN_PEER.search(line)) is not None:
            yield from wants(RESOLUTION, number, (old[1], old[2] or ""), (old[3], old[4]), "", 0.4)
    for number, line in log.hits("which doesn't satisfy what", 20):
        if (berry := _BERRY_PEER.search(line)) is not None:
            yield from wants(RESOLUTION, number, (berry[3], ""), (berry[1], ""), berry[2], 0.6)


def locked(log: Log) -> Iterator[Clue]:
    """pnpm: what the lock file says beside what package.json says."""
    for number, line in log.hits("specifiers in the lockfile", 3):
        text = "\n".join([line, *(more for _, more in log.after(number, 3))])
        one = _SPECIFIERS.search(text.replace("\n", " "))
        if one is None:
            continue
        before, after = dict(_PAIR.findall(one[1] or "")), dict(_PAIR.findall(one[2] or ""))
        for name in sorted(set(before) | set(after)):
            if before.get(name) != after.get(name):
                yield Clue(Reason.DIFFERS, name, LOCK, number, after.get(name, "").strip("^~>=< "))
    for number, _ in log.hits("are not up to date with", 3):
        for at, more in log.after(number, 12):
            found = re.search(r"[*-] ?((?:@[\w.-]{1,80}/)?[\w.-]{1,100})@[\^~]?(\d\S{0,60})", more)
            if found:
                yield Clue(Reason.DIFFERS, found[1], LOCK, at, found[2])
