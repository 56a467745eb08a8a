"""One bug of one project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Files = Mapping[str, str]


@dataclass(frozen=True)
class Bug:
    """good: the right text in `path`, which occurs once; bad: what stands there instead; test: the node that fails by it;
    fixable: whether a small patch of the program is the right answer; files: what else is different (a wrong test, say)."""

    name: str
    path: str
    good: str
    bad: str
    test: str
    fixable: bool = True
    files: Files = field(default_factory=dict)


@dataclass(frozen=True)
class Tests:
    """A project's file of tests, by which its bugs are found. program: the file that they are about first of all."""

    path: str
    text: str
    program: str

    def bug(self, name: str, path: str, good: str, bad: str, test: str) -> Bug:
        return Bug(name, path, good, bad, f"{self.path}::{test}")

    def other(self, name: str, old: str, new: str, test: str) -> Bug:
        """A test that asks for what the program does not promise, or that depends on something outside."""
        if self.text.count(old) != 1:
            raise ValueError(f"{name}: {old!r} does not occur once")
        return Bug(name, self.program, "", "", f"{self.path}::{test}", False, {self.path: self.text.replace(old, new)})


@dataclass(frozen=True)
class Project:
    """files: right ones, tests included; held: tests that pass on the right program and that no repairer sees; tuned: its bugs came
    with a later commit that changed settings, and settings are asked for, through every gate."""

    name: str
    files: Files
    held: Files
    bugs: tuple[Bug, ...]
    tuned: bool = False


def broken(project: Project, bug: Bug) -> dict[str, str]:
    """The project with the bug in it. Raises ValueError where its text does not occur exactly once."""
    files = {**project.files, **bug.files}
    if bug.good:
        if files[bug.path].count(bug.good) != 1:
            raise ValueError(f"{project.name}/{bug.name}: {bug.good!r} occurs {files[bug.path].count(bug.good)} times")
        files[bug.path] = files[bug.path].replace(bug.good, bug.bad)
    return files
