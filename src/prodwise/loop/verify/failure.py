"""Why a command failed, said so that two failures can be compared."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

CANNOT_EXECUTE: Final = 126
NOT_FOUND: Final = 127
NOTHING_RUN: Final = 5  # pytest's exit code
RUNNERS: Final = ("pytest", "unittest", "nose", "tox", "nox")
NEAR: Final = 0.8
"""So alike a program's name must be to be named in place of one that is not there: `pytst`, `pytest`."""
LINES_KEPT: Final = 3
_ERROR = re.compile(
    r"^(?:E[ \t]+|[ \t]*)((?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*(?:Error|Exception|Exit|Interrupt|Iteration|Fault|Warning))\b(?::|$|\s)",
    re.MULTILINE,
)
_FAILED = re.compile(
    r"^(?:FAILED|ERROR) ([^\s(].*?)(?: - .*)?$|^(?:FAIL|ERROR): (\S+ \([\w.]+\))|^not ok \d+ -? ?(.+)$|^--- FAIL: (\S+)",
    re.MULTILINE,
)
_MISSING = re.compile(
    r"^(?:.*: )?[‘'\"]?([\w.@+/-]{1,80})[’'\"]?: (?:command not found|not found|No such file or directory)$",
    re.MULTILINE,
)
_NO_MODULE = re.compile(r"^(?:.*: )?No module named (\w{1,80})$", re.MULTILINE)
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
    """Why a command says nothing about the code, and what to do then; "" if it does."""
    if code == CANNOT_EXECUTE:
        return "it cannot be executed: make its file executable (chmod +x), or name the program that runs it (sh FILE)"
    if code == NOT_FOUND:
        what = f"`{name}`" if (name := missing(output)) else "it"
        return f"{what} was not found: install it in this repository's environment (.venv) or in PATH, or give its path"
    if (code == NOTHING_RUN and "no tests ran" in output) or "NO TESTS RAN" in output:
        return "it ran no test: name a test that is there and fails"
    for name in _NO_MODULE.findall(output):
        if name in RUNNERS:
            return "its test runner is not installed: install it in this repository's environment (.venv)"
        if meant := alike(name, RUNNERS):
            return f"there is no module `{name}`; did you mean `{meant}`?"
    if code == 4 and re.search(r"^ERROR: (?:file or directory )?not found:|^usage: ", output, re.MULTILINE):
        return "it names tests that are not there, or options that are not known: run it here by hand to see which"
    return ""


def missing(output: str) -> str:
    """The program that a shell says it did not find, "" where none is named."""
    found = _MISSING.findall(output)
    return str(found[-1]) if found else ""


def alike(name: str, known: Iterable[str]) -> str:
    """The program that was probably meant, "" where none is close."""
    close = difflib.get_close_matches(name, sorted(set(known) - {name}), n=1, cutoff=NEAR)
    return close[0] if close else ""
