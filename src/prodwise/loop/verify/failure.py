"""Why a command failed, said so that two failures can be compared."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

CANNOT_RUN: Final = {126: "it cannot be executed", 127: "it was not found"}
NOTHING_RUN: Final = 5  # pytest's exit code
LINES_KEPT: Final = 3
_ERROR = re.compile(
    r"^(?:E[ \t]+|[ \t]*)((?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*(?:Error|Exception|Exit|Interrupt|Iteration|Fault|Warning))\b(?::|$|\s)",
    re.MULTILINE,
)
_FAILED = re.compile(
    r"^(?:FAILED|ERROR) ([^\s(].*?)(?: - .*)?$|^(?:FAIL|ERROR): (\S+ \([\w.]+\))|^not ok \d+ -? ?(.+)$|^--- FAIL: (\S+)",
    re.MULTILINE,
)
_CHANGING = re.compile(r"0x[0-9a-fA-F]+|\d+(?:\.\d+)?|/tmp/\S+")


@dataclass(frozen=True, slots=True)
class Failure:
    """error: the type of the last exception told, "" for none; tests: names of the tests that failed; end: the last lines
    without what changes from run to run, told only where nothing else is known; ended: it did not end by itself."""

    error: str
    tests: frozenset[str]
    end: str = ""
    ended: bool = False

    @property
    def words(self) -> str:
        many = f"{len(self.tests)} failing test{'s' if len(self.tests) != 1 else ''}" if self.tests else ""
        return ", ".join(part for part in (self.error or self.end, many) if part) or "a failure without words"


def failure(code: int | None, output: str, ended: str) -> Failure | None:
    """None for success."""
    if code == 0:
        return None
    tests = frozenset(next(name for name in found.groups() if name) for found in _FAILED.finditer(output))
    if code is None:
        return Failure(f"it was ended: {ended}", frozenset(), ended=True)
    errors = _ERROR.findall(output)
    if errors or tests:
        return Failure(errors[-1].rsplit(".", 1)[-1] if errors else "", tests)
    lines = [line.strip() for line in output.splitlines() if line.strip()][-LINES_KEPT:]
    return Failure("", tests, _CHANGING.sub("#", " / ".join(lines))[:300] or f"exit code {code}")


def cannot_run(code: int | None, output: str) -> str:
    """Why a command says nothing about the code, "" if it does."""
    if code in CANNOT_RUN:
        return CANNOT_RUN[code]
    if (code == NOTHING_RUN and "no tests ran" in output) or "NO TESTS RAN" in output:
        return "it ran no test"
    if re.search(r"^(?:.*: )?No module named (?:pytest|unittest|nose)$", output, re.MULTILINE):
        return "its test runner is not installed"
    if code == 4 and re.search(r"^ERROR: (?:file or directory )?not found:|^usage: ", output, re.MULTILINE):
        return "it names tests that are not there, or options that are not known"
    return ""
