"""How a verified change reaches people, and how they answer: one door for the story, two small protocols for each code host."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from prodwise.model.pull import HealingPull, Looked, Mark, Person, Published, PullSeen, PullText, Said


class Forge(Protocol):
    """What the healer knows of code hosts. Every method may be called again after a crash: it looks before it acts, and a
    repetition changes nothing. Raises ForgeError, or Later when the host asks for patience."""

    def publish(self, pull: HealingPull, history: Sequence[Published]) -> Published:
        """Opens the pull request as a draft, or updates the one that its fault has. history: all that is remembered of this
        repository. Raises Refused, saying why, when it must not be proposed."""

    def look(self, pulls: Sequence[Published]) -> Looked:
        """What happened to these since each was last looked at."""

    def tell(self, pull: Published, text: str, mark: Mark | None = None) -> Published:
        """Says how it stands in our one comment (plain text, edited in place) and, with `mark`, as its commit's status."""

    def close(self, pull: Published) -> Published:
        """Closes it without merging, as a person asked."""


class Pulls(Protocol):
    """Pull requests of one repository. Only branches of the repository itself count: a fork's never do."""

    def found(self, branch: str) -> Sequence[PullSeen]:
        """Those from this branch in any state, newest first."""

    def opened(self) -> Sequence[PullSeen]:
        """All open ones from branches of ours."""

    def open(self, branch: str, onto: str, text: PullText) -> PullSeen:
        """Opens a draft. One that is open already is returned as it is."""

    def edit(self, number: int, body: str | None, close: bool = False) -> None:
        """Replaces the body, when given; with `close` closes it. The title and whether it is a draft are people's by now."""


class Talk(Protocol):
    """What is said about a pull request, and by whom."""

    def comments(self, number: int, after: int, since: float) -> Sequence[Said]:
        """People's comments with an id above `after`, oldest first, bounded. since: when that one was made."""

    def say(self, number: int, comment: int, text: str) -> int:
        """Edits our comment, or makes one when `comment` is 0 and none of ours is there. Returns its id."""

    def may_write(self, who: Person) -> bool:
        """Whether they may push to the repository. Raises ForgeError where that cannot be told."""

    def mark(self, head: str, mark: Mark) -> None:
        """Sets the commit's status, under one name."""


class Host(Pulls, Talk, Protocol):
    """All of a code host, for those that hand it on."""


class Branches(Protocol):
    """The repository by git: reads ours, writes only branches of ours on the remote."""

    def subjects(self, base: str) -> Iterable[str]:
        """Recent commits' first lines, newest first, without merges."""

    def main(self) -> str:
        """The remote's default branch."""

    def has(self, commit: str) -> bool:
        """Whether the remote's default branch has it."""

    def push(self, branch: str, base: str, diff: str, message: str, at: float, known: str) -> str:
        """Puts one commit, the diff on `base`, on the remote's `branch`, and returns its id. The same arguments give the same
        commit. known: the commit that we pushed there before, "" without. Raises Refused for paths that no healing change may
        touch, and for a branch that holds somebody else's commits; GateFailed for a diff that does not apply."""
