"""A log of npm, Yarn or pnpm, of TypeScript and bundlers, or of Node programs and tests, read."""

from __future__ import annotations

import re
from typing import Final

from prodwise.loop.diagnose.logs.clue import Reading
from prodwise.loop.diagnose.logs.node import compilers, installers, peers, runtime
from prodwise.loop.diagnose.logs.node.names import package
from prodwise.loop.diagnose.logs.rules import apply, began, bumped
from prodwise.loop.diagnose.logs.text import Log
from prodwise.model.breakage import Ecosystem, Failure

_MARKS: Final = (
    "npm ",
    "node_modules",
    "yarn ",
    "pnpm",
    "ERR_PNPM",
    "error TS",
    "    at ",
    "Cannot find module",
    "Can't resolve",
    "ERR_REQUIRE_ESM",
    "➤ YN",
    "npx ",
    " plugin ",
    "vite",
    "SyntaxError: The requested module",
    "SyntaxError: Unexpected token",
    "[ERROR] ",
    "webpack",
    " is not a function",
    "Couldn't find package",
    "Couldn't find any versions",
    "lockfile",
    "●",
)
_THREW: Final = re.compile(r"^(?:Uncaught )?[A-Z]\w{0,60}Error: [^\n]{0,1500}\n\s{1,12}at ", re.MULTILINE)


def read(log: Log) -> Reading:
    found = began(Ecosystem.NODE, log, _MARKS)
    if found is None:
        return Reading(Ecosystem.NODE)
    bumped(log, found, package)
    installers.installed(log, found)
    found.clues += apply(log, (*installers.RULES, *compilers.RULES, *runtime.RULES), package)
    found.clues += compilers.unread(log)
    found.clues += installers.stopped(log)
    found.clues += peers.peers(log)
    found.clues += peers.locked(log)
    found.clues += runtime.raised(log, found.versions)
    found.kind = _step(log, found)
    return found


def _step(log: Log, found: Reading) -> Failure | None:
    kinds = {clue.kind for clue in found.clues}
    if (
        Failure.LOCK in kinds
        or "ERR_PNPM_OUTDATED_LOCKFILE" in log.text
        or "Your lockfile needs to be updated" in log.text
        or "YN0028" in log.text
    ):
        return Failure.LOCK
    if (
        any(mark in log.text for mark in ("ERESOLVE", "npm ERR! code E404", "ETARGET", "ERR_PNPM_", "npm error code E"))
        and Failure.RESOLUTION in kinds
    ):
        return Failure.RESOLUTION
    if re.search(
        r"^[ \t]{0,8}(?:FAIL |Tests:\s|Test Suites:|\d{1,7} failing|not ok \d|# fail [1-9]| ❯ | FAIL )",
        log.text,
        re.MULTILINE,
    ):
        return Failure.TEST
    if Failure.COMPILATION in kinds:
        return Failure.COMPILATION
    if not found.clues:
        return Failure.COMPILATION if ": error TS" in log.text else Failure.RUNTIME if _THREW.search(log.text) else None
    return Failure.RESOLUTION if kinds == {Failure.RESOLUTION} else Failure.RUNTIME
