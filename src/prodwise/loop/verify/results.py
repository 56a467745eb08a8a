"""Which tests a repository has, and what each said: read from what their runners print."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from prodwise.loop.verify.patch.protected import is_test

PYTEST: Final = ("-q", "-rfEsxXp", "--tb=no", "--color=no", "--maxfail=0", "--continue-on-collection-errors")
"""The last two: what a repository's own options stop at is no reason to lose the other tests."""
_KEPT_OPTIONS: Final = ("-c", "-p", "-o", "--rootdir", "--override-ini", "-W")
_BEFORE: Final = ("cd", "export", ".", "source", "set")
"""What a shell may do before a test runs, and again before the suite does."""
_PYTEST = re.compile(r"^(PASSED|FAILED|ERROR|XFAIL|XPASS) (\S.*)$", re.MULTILINE)
_UNITTEST = re.compile(
    r"^(\w+ \([\w.]+\))(?:\n.*?)? \.\.\. (ok|FAIL|ERROR|skipped.*|expected failure|unexpected success)$", re.MULTILINE
)
_TAP = re.compile(r"^[ \t]*(ok|not ok) \d+ -? ?(.+?)(?: # (SKIP|TODO).*)?$", re.MULTILINE)
_GO = re.compile(r"^[ \t]*--- (PASS|FAIL|SKIP): (\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Suite:
    """All tests of a repository. argv: runs them so that each is named; kind: whose output it is, "" for one that only ends;
    shell: what a shell does before; folder: where it runs, relative to the root."""

    argv: tuple[str, ...]
    kind: str
    shell: str = ""
    folder: str = ""

    @property
    def command(self) -> tuple[str, ...]:
        return ("/bin/sh", "-c", self.shell + shlex.join(self.argv)) if self.shell else self.argv

    def only(self, files: Sequence[str]) -> Suite | None:
        """Of these test files; None where its runner takes no files."""
        here = [posixpath.relpath(path, self.folder or ".") for path in files]
        if self.kind == "pytest":
            return replace(self, argv=(*self.argv, *here))
        if self.kind == "unittest" and not any(path.startswith("../") for path in here):
            begin = self.argv[: self.argv.index("unittest") + 1]
            return replace(self, argv=(*begin, "-v", *(path.removesuffix(".py").replace("/", ".") for path in here)))
        return None


@dataclass(frozen=True, slots=True)
class Results:
    """passed, failed: names of tests; code: the exit code, None when it was ended."""

    code: int | None
    passed: frozenset[str]
    failed: frozenset[str]

    @property
    def known(self) -> bool:
        return bool(self.passed or self.failed)


@dataclass(frozen=True, slots=True)
class Line:
    """A command as it is read: what a shell does first, where it then is, and the words of what runs last."""

    words: tuple[str, ...]
    shell: str = ""
    folder: str = ""


def read_line(command: Sequence[str]) -> Line | None:
    """None when only a shell can read it. Pipes and redirections behind the last command are passed over."""
    if not (len(command) == 3 and command[0].endswith("sh") and command[1] == "-c"):
        return Line(tuple(command))
    if re.search(r"[`$\n]", command[2]):
        return None
    lexer = shlex.shlex(command[2], posix=True, punctuation_chars=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        parts = _split(list(lexer))
    except ValueError:
        return None
    folder = ""
    for words in parts[:-1]:
        if words[0] not in _BEFORE:
            return None
        if words[0] == "cd":
            folder = posixpath.normpath(posixpath.join(folder, *words[1:2]))
            if folder.startswith(("/", "..")):
                return None
    shell = "".join(f"{shlex.join(words)} && ".replace("source ", ". ", words[0] == "source") for words in parts[:-1])
    return Line(tuple(parts[-1]), shell, "" if folder == "." else folder) if parts else None


def _split(tokens: Sequence[str]) -> list[list[str]]:
    """Commands, as `&&` and `;` part them, each up to its first pipe or redirection. Raises ValueError for what else a shell knows."""
    parts: list[list[str]] = [[]]
    ended = False
    for token in tokens:
        if token in ("&&", ";"):
            parts.append([])
            ended = False
        elif token and set(token) <= set("|<>&"):
            ended = True
        elif token and set(token) <= set("();"):
            raise ValueError(token)
        elif not ended:
            parts[-1].append(token)
    return [words for words in parts if words]


def suite_of(command: Sequence[str], paths: Iterable[str]) -> Suite | None:
    """The whole suite that a command is one test of; else what the repository's files tell. None: no tests are known."""
    line = read_line(command) or Line(())
    words = line.words
    begin = ["env"] if words and "=" in words[0] else []
    for at, word in enumerate(words):
        name = word.rsplit("/", 1)[-1]
        head = (*begin, *words[: at + 1])
        if name in ("pytest", "py.test"):
            return Suite((*head, *_kept(words[at + 1 :]), *PYTEST), "pytest", line.shell, line.folder)
        if name == "unittest":
            rest = words[at + 1 :] if "discover" in words[at + 1 :] else ("discover", *_pattern(words[at + 1 :]))
            verbose = () if "-v" in rest else ("-v",)
            return Suite((*head, *rest, *verbose), "unittest", line.shell, line.folder)
        if name == "--test" and words[0].rsplit("/", 1)[-1] == "node":
            return Suite((words[0], "--test", "--test-reporter=tap"), "tap", line.shell, line.folder)
    if words[:2] == ("go", "test"):
        return Suite(("go", "test", "-v", "./..."), "go", line.shell, line.folder)
    if any(re.fullmatch(r"(?:.*/)?(?:tests?_.*|.*_test)\.py", path) for path in paths if is_test(path)):
        python = next((at for at, word in enumerate(words) if re.fullmatch(r"(?:.*/)?python[\d.]*", word)), None)
        head = ("python3",) if python is None else (*begin, *words[: python + 1])
        return Suite((*head, "-m", "pytest", *PYTEST), "pytest", line.shell, line.folder)
    return None


def _pattern(words: Sequence[str]) -> tuple[str, ...]:
    """Modules that are named otherwise than unittest looks for them: `a.b_test.Tests.test_one`."""
    return ("-p", "*_test.py") if any(re.search(r"_test(?:\.|$)", word) for word in words) else ()


def own_tests(command: Sequence[str], paths: Collection[str]) -> tuple[str, ...]:
    """The test files that a command names, as paths or as modules."""
    line = read_line(command)
    found = list[str]()
    for word in line.words if line else re.findall(r"[\w./-]+", " ".join(command)):
        folder = line.folder if line else ""
        name = posixpath.normpath(posixpath.join(folder, word.split("::")[0]))
        if name in paths and is_test(name) and name.endswith(".py"):
            found.append(name)
        parts = word.split(".")
        modules = (posixpath.join(folder, "/".join(parts[:many]) + ".py") for many in range(len(parts), 0, -1))
        found += [module for module in modules if module in paths and is_test(module)][:1]
    return tuple(dict.fromkeys(found))


def instead(suite: Suite) -> Suite | None:
    """What to ask when pytest is not installed."""
    if suite.kind != "pytest" or "-m" not in suite.argv:
        return None
    return replace(
        suite, argv=(*suite.argv[: suite.argv.index("-m")], "-m", "unittest", "discover", "-v"), kind="unittest"
    )


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
    """Tests that passed and now fail, or are gone. One whose name only changed its figures (the time, an address) is not gone."""
    new = Counter(_shape(name) for name in after.passed - before.passed - before.failed)
    gone = before.passed - after.passed - after.failed
    many = Counter(_shape(name) for name in gone)
    renamed = {name for name in gone if many[_shape(name)] <= new[_shape(name)]}
    return before.passed - after.passed - renamed


def _shape(name: str) -> str:
    """Figures only count in what a test was given, not in what it is called."""
    called, bracket, given = name.partition("[")
    return called + bracket + re.sub(r"0x[0-9a-f]+|\d+", "#", given)
