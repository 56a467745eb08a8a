"""Which tests a repository has, and what each said: read from what their runners print."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from prodwise.loop.verify.patch.protected import is_test

PYTEST: Final = ("-q", "-rfEsxXp", "--tb=no", "-p", "no:cacheprovider", "--color=no")
_KEPT_OPTIONS: Final = ("-c", "-p", "-o", "--rootdir", "--override-ini", "-W")
_SHELL = re.compile(r"[;&|<>`$(){}*?\[\]~\n]")
_PYTEST = re.compile(r"^(PASSED|FAILED|ERROR|XFAIL|XPASS) (\S.*)$", re.MULTILINE)
_UNITTEST = re.compile(
    r"^(\w+ \([\w.]+\))(?:\n.*?)? \.\.\. (ok|FAIL|ERROR|skipped.*|expected failure|unexpected success)$", re.MULTILINE
)
_TAP = re.compile(r"^[ \t]*(ok|not ok) \d+ -? ?(.+?)(?: # (SKIP|TODO).*)?$", re.MULTILINE)
_GO = re.compile(r"^[ \t]*--- (PASS|FAIL|SKIP): (\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Suite:
    """All tests of a repository. argv: runs them so that each is named; kind: whose output it is, "" for one that only ends."""

    argv: tuple[str, ...]
    kind: str

    def only(self, files: Sequence[str]) -> Suite:
        return Suite((*self.argv, *files), self.kind)


@dataclass(frozen=True, slots=True)
class Results:
    """passed, failed: names of tests; code: the exit code, None when it was ended."""

    code: int | None
    passed: frozenset[str]
    failed: frozenset[str]

    @property
    def known(self) -> bool:
        return bool(self.passed or self.failed)


def plain_words(command: Sequence[str]) -> list[str] | None:
    """The words of a command; None when a shell must read it."""
    if len(command) == 3 and command[0].endswith("sh") and command[1] == "-c":
        if _SHELL.search(command[2]):
            return None
        try:
            return shlex.split(command[2])
        except ValueError:
            return None
    return list(command)


def suite_of(command: Sequence[str], paths: Iterable[str]) -> Suite | None:
    """The whole suite that a command is one test of; else what the repository's files tell. None: no tests are known."""
    words = plain_words(command) or []
    begin = ["env"] if words and "=" in words[0] else []
    python = next((word for word in words if re.fullmatch(r"(?:.*/)?python[\d.]*", word)), "python3")
    for at, word in enumerate(words):
        name = word.rsplit("/", 1)[-1]
        if name in ("pytest", "py.test"):
            return Suite((*begin, *words[: at + 1], *_kept(words[at + 1 :]), *PYTEST), "pytest")
        if name == "unittest":
            rest = words[at + 1 :] if "discover" in words[at + 1 :] else ["discover"]
            return Suite((*begin, *words[: at + 1], *rest, *(() if "-v" in rest else ("-v",))), "unittest")
        if name == "--test" and words[0].rsplit("/", 1)[-1] == "node":
            return Suite((words[0], "--test", "--test-reporter=tap"), "tap")
    if words[:2] == ["go", "test"]:
        return Suite(("go", "test", "-v", "./..."), "go")
    tests = [path for path in paths if is_test(path)]
    if any(re.fullmatch(r"(?:.*/)?(?:test_.*|.*_test)\.py", path) for path in tests):
        return Suite((python, "-m", "pytest", *PYTEST), "pytest")
    return None


def instead(suite: Suite) -> Suite | None:
    """What to ask when pytest is not installed."""
    if suite.kind != "pytest" or "-m" not in suite.argv:
        return None
    return Suite((suite.argv[0], "-m", "unittest", "discover", "-v"), "unittest")


def _kept(words: Sequence[str]) -> list[str]:
    """Options that say how tests run, without those that say which."""
    kept: list[str] = []
    for at, word in enumerate(words):
        if word in _KEPT_OPTIONS and at + 1 < len(words):
            kept += [word, words[at + 1]]
        elif word.startswith(tuple(f"{one}=" for one in _KEPT_OPTIONS if one.startswith("--"))):
            kept.append(word)
    return kept


def results(suite: Suite, code: int | None, output: str) -> Results:
    """Names that passed on one line and failed on another count as failed."""
    passed, failed = set[str](), set[str]()
    if suite.kind == "pytest":
        parts = output.split("short test summary info")
        told = parts[1] if len(parts) == 2 else ""  # twice: somebody else wrote one of them
        for word, name in _PYTEST.findall(told):
            plain = name.split(" - ")[0].strip()
            (passed if word in ("PASSED", "XPASS") else failed if word in ("FAILED", "ERROR") else set()).add(plain)
    elif suite.kind == "unittest":
        for name, word in _UNITTEST.findall(output):
            (passed if word == "ok" else failed if word in ("FAIL", "ERROR") else set()).add(name)
    elif suite.kind == "tap":
        for word, name, aside in _TAP.findall(output):
            (set() if aside else passed if word == "ok" else failed).add(name)
    elif suite.kind == "go":
        for word, name in _GO.findall(output):
            (passed if word == "PASS" else failed if word == "FAIL" else set()).add(name)
    return Results(code, frozenset(passed - failed), frozenset(failed))


def lost(before: Results, after: Results) -> frozenset[str]:
    """Tests that passed and now fail, or are gone."""
    return before.passed - after.passed
