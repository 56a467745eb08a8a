"""The app's history, as it is asked for suspects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from prodwise.model.commit import Commit

if TYPE_CHECKING:
    from prodwise.loop.diagnose.bisect import Answer


class History(Protocol):
    """A repository that is only read. Everything it says is outside text, bounded; raises TargetError when it cannot be asked."""

    def commits(self, good: str, bad: str) -> Sequence[Commit]:
        """What `bad` has and `good` lacks, children before parents; the newest of them when there are very many."""

    def tree(self, commit: str) -> Sequence[str]:
        """The paths of its files, a bounded number."""

    def texts(self, commit: str, paths: Sequence[str]) -> Mapping[str, str]:
        """Files as they are at the commit; those that are binary, large or missing are left out."""

    def holds(self, commit: str, fix: str, trailer: str) -> bool:
        """Whether the commit has another one in its history, by its id or (squashed, rebased) by a line of its message."""


class Trial(Protocol):
    """Runs one test at one commit. Whoever carries it out does so in a sandbox: the code is not trusted."""

    def run(self, commit: str) -> Answer:
        """What the test said there; UNTESTABLE when it could not be run."""
