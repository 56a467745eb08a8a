"""How fixes are proposed and tried: repairers propose, a sandbox runs, nobody touches the repository itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from prodwise.model.breakage import Ecosystem
from prodwise.model.gate import GateResult
from prodwise.model.patch import Fault, Proposal
from prodwise.model.revert import Revert

DOOR: Final = Path("/run/door")
"""Where a command in the sandbox sees the directory that it was given as its way out."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one run. seconds: wall time; cpu_s: of any one process; memory, file: bytes; output: bytes kept, the end of it."""

    seconds: float = 60.0
    cpu_s: float = 60.0
    memory: int = 2 << 30
    file: int = 256 << 20
    processes: int = 128
    output: int = 200_000


@dataclass(frozen=True, slots=True)
class Ran:
    """code: the exit code, None when it was ended (why: `ended`, "time", "output" …); output: both streams, cleaned of
    control characters, the end of them."""

    code: int | None
    output: str
    seconds: float
    ended: str = ""


@dataclass(frozen=True, slots=True)
class Environment:
    """Dependencies as a lock names them, outside the repository. place: all of them, to be seen read-only; path: stands first in
    PATH; variables: go along; links: path in the repository → what lies there instead; told: what a person should know of how it
    was made."""

    place: Path
    path: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, Path] = field(default_factory=dict)
    told: tuple[str, ...] = ()


class Tree(Protocol):
    """A fresh checkout of one commit, for one user: what is written here reaches nobody else."""

    root: Path
    """Where it lies outside the sandbox; inside, it is seen at the repository's own path."""

    def apply(self, diff: str) -> None:
        """Applies a unified git diff, whole or not at all. Raises GateFailed with git's reason."""

    def diff(self) -> str:
        """What differs from the commit, new files included, as a unified git diff."""

    def run(
        self, command: Sequence[str], limits: Limits, env: Mapping[str, str] | None = None, door: Path | None = None
    ) -> Ran:
        """Runs an argv in the root, in the sandbox. door: a directory that is seen at DOOR, read-only; a unix socket in it is
        the only way out. Raises Refused where no sandbox can be had."""


class Workshop(Protocol):
    """Makes trees of one repository, with the environment that its commands need."""

    def fresh(self, commit: str) -> AbstractContextManager[Tree]:
        """A checkout of its own, removed at the end. Raises UsageError for what is no commit, TargetError when it cannot be made."""

    def history(self, path: str, most: int) -> Sequence[tuple[str, str]]:
        """(commit, text) of one file at the commits that changed it, newest first, at most `most`."""


class Fitter(Protocol):
    """Gives trees the dependencies that their own lock names, in place of those that were found."""

    def licence(self, shop: Workshop, package: str) -> str:
        """As the package states it that is installed in a workshop of ours; "" where it states none."""

    def told(self, shop: Workshop) -> tuple[str, ...]:
        """What a person should know of how the dependencies of a workshop of ours were installed."""

    def fitted(self, root: Path, lock: str, seconds: float) -> Workshop | None:
        """The workshop with what this lock of this tree installs; two of the same lock are equal. None where it is no lock from which
        that can be made. Raises TargetError when it cannot be made, or not in time."""


class Repairer(Protocol):
    """Proposes; whether it is believed is for the gates."""

    name: str

    def propose(self, fault: Fault, workshop: Workshop, base: str, seconds: float) -> Iterator[Proposal]:
        """Proposals against `base`, best first, as they are found, until `seconds` have passed. A repairer that cannot help
        with this fault proposes nothing. Raises OutOfTime at the end where there was no time for all that it would try, NothingFits
        where nothing of it fits but something was learned; the hint of either is for a person."""


class Advisories(Protocol):
    """Known vulnerabilities."""

    def known(self, ecosystem: Ecosystem, package: str) -> Sequence[Mapping[str, Any]]:
        """All entries, in the form of OSV, that speak of the package. Raises TargetError where they cannot be read."""


class TakesBack(Protocol):
    """Knows how a commit is taken back, and what that is byte for byte."""

    def inverse(self, base: str, commit: str) -> str:
        """The diff from the commit to its one parent, as git writes it; "" for what is no such commit in the history of base. Raises
        TargetError when git cannot be asked."""

    def undo(self, base: str, fix: str, mark: str) -> Revert:
        """All of the commit `fix`, or (squashed, rebased) of the one whose message has the line `mark`, taken back against base.
        Raises Refused where it is not there, cannot go back whole or is not for automation; TargetError when git cannot be asked."""


class TriesBack(Protocol):
    """Tries what takes a commit back, in a process of its own, which holds no credential."""

    def tried(self, base: str, release: str, proposal: Proposal) -> tuple[tuple[GateResult, ...], tuple[str, ...]]:
        """(what gates say that need no failing check; what none could look at), with the environment of a release. Minutes, at most.
        Raises TargetError when that cannot be told, Later when it was ended."""

    def end(self) -> None:
        """Ends the one at work; from then on none is tried."""


class Mends(Protocol):
    """Looks for a fix of an incident in a process of its own, which holds no credential but a model's. One at a time."""

    def models_a_day(self) -> int:
        """How many searches of a day may ask a model, as a person set up here; 0 for none, and where it could not be asked."""

    def begin(self, incident: str, model: bool) -> None:
        """Returns at once. model: it is asked once the others have found nothing."""

    def answer(self) -> Mapping[str, Any] | None:
        """None while it runs, and when nothing was begun; then once what `prodwise fix --json` says, {} when it broke off."""

    def end(self) -> None:
        """Ends the one at work."""
