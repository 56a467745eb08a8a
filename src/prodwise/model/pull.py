"""A healing change on its way to people: what it says, where it stands, and what they answered."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from prodwise.model.gate import GateResult
from prodwise.model.patch import Proposal

BRANCH_PREFIX = "prodwise/fix-"


@dataclass(frozen=True, slots=True)
class Cause:
    """Where the fault lies. line: 0 when unknown; release, commit: what it came in with, "" when unknown."""

    file: str
    line: int = 0
    release: str = ""
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """One row: what was asked, and its answers on the base and on the branch ("fails 5/5", "passes 5/5")."""

    what: str
    base: str
    branch: str


@dataclass(frozen=True, slots=True)
class HealingPull:
    """All that a healing pull request is made from, as it is stored.

    key: the group of errors that it ends; base: the commit that the diff is against; broke, risk, undo: a sentence each;
    serving: the release that users have now; calm: whether production is well without this change; after: what is watched once
    it is merged; link: our own page about it, "" without one; at: Unix seconds, of the proof; check: the failing test that was written
    for it, "" for none; met: whether users met the fault, and not only the gates before them.
    """

    key: str
    base: str
    proposal: Proposal
    gates: tuple[GateResult, ...]
    broke: str
    serving: str
    calm: bool
    undo: str
    after: str
    at: float
    cause: Cause | None = None
    proof: tuple[Proof, ...] = ()
    unchecked: tuple[str, ...] = ()
    risk: str = ""
    link: str = ""
    check: str = ""
    met: bool = True


@dataclass(frozen=True, slots=True)
class PullText:
    """title: one line; body: Markdown, all outside text in it inert."""

    title: str
    body: str


class PullState(StrEnum):
    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"  # not merged: the answer was no


@dataclass(frozen=True, slots=True)
class PullSeen:
    """A pull request as its host has it now. number: 0 where the host has none (plain git); author, by: login names; by: who
    merged or closed it, "" when the host does not say."""

    number: int
    url: str
    branch: str
    head: str
    state: PullState
    author: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Published:
    """What is remembered of one, by the caller, from turn to turn.

    head: the commit that we pushed last; comment: id of our one comment, 0 without; heard, heard_at: id and time of the last
    comment that was read; retried: a person asked for another try after it was closed; unmarked: why its commit has no status.
    """

    key: str
    branch: str
    number: int
    url: str
    head: str
    state: PullState
    by: str = ""
    comment: int = 0
    heard: int = 0
    heard_at: float = 0.0
    retried: bool = False
    unmarked: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """id: the host's, where it asks by it."""

    id: int
    login: str


@dataclass(frozen=True, slots=True)
class Said:
    """A comment: outside text. Only an exact command is taken from it."""

    id: int
    by: Person
    at: float
    body: str


class Command(StrEnum):
    EXPLAIN = "explain"
    RETRY = "retry"
    SMALLER = "smaller"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody who may write to the repository gave a command."""

    key: str
    number: int
    command: Command
    by: str
    at: float


@dataclass(frozen=True, slots=True)
class Unheeded:
    """A command that is not obeyed, and why."""

    key: str
    number: int
    by: str
    at: float
    reason: str


@dataclass(frozen=True, slots=True)
class Turned:
    """It was merged, closed or opened again; by: "" when the host does not say."""

    key: str
    number: int
    state: PullState
    by: str


PullEvent: TypeAlias = Asked | Unheeded | Turned


@dataclass(frozen=True, slots=True)
class Looked:
    """events, oldest first for each pull; pulls: what is to be remembered now, in the order that was asked for."""

    events: tuple[PullEvent, ...]
    pulls: tuple[Published, ...]


class MarkState(StrEnum):
    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Mark:
    """A commit's status. text: one line."""

    state: MarkState
    text: str
