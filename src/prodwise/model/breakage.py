"""What a dependency broke, as a log tells it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Failure(StrEnum):
    """The step that failed, in the words of studies of broken dependency updates."""

    RESOLUTION = "dependency_resolution_failure"  # no set of versions fits, or one cannot be had
    LOCK = "dependency_lock_failure"  # the lock file and what is asked for differ
    ENFORCER = "enforcer_failure"  # versions were found, and a rule of the build forbids them
    COMPILATION = "compilation_failure"
    WERROR = "werror_failure"  # it compiles with warnings, and warnings are errors
    TEST = "test_failure"
    RUNTIME = "runtime_failure"  # it starts or runs, and fails


class Ecosystem(StrEnum):
    JAVA = "java"
    PYTHON = "python"
    NODE = "node"
    RUBY = "ruby"
    GO = "go"
    PHP = "php"
    RUST = "rust"


@dataclass(frozen=True, slots=True)
class Moved:
    """A package whose version changed. before or after "": it came, it went, or it is not known."""

    ecosystem: Ecosystem
    name: str
    before: str
    after: str
    where: str  # what says so: a file and a commit, or a line of the log


@dataclass(frozen=True, slots=True)
class Quote:
    """A line of the log, cleaned. number: from 1; 0 for what another place than the log says."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Blamed:
    """One possible cause. what: the package, as its ecosystem writes it; confidence: 0…1; versions "" when not known."""

    kind: Failure
    ecosystem: Ecosystem
    what: str
    version_from: str
    version_to: str
    confidence: float
    evidence: tuple[Quote, ...]
    pin: str = ""  # the command or line to try next


@dataclass(frozen=True, slots=True)
class Breakage:
    """causes: likeliest first, none when nothing was found; unknown: what could not be known, in plain words."""

    causes: tuple[Blamed, ...]
    unknown: tuple[str, ...]
