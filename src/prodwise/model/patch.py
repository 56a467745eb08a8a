"""What may be changed in a repository to end a fault: a diff and its reason, not yet believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from prodwise.model.action import ActionKind
from prodwise.model.breakage import Moved
from prodwise.model.event import Frame


@dataclass(frozen=True, slots=True)
class Fault:
    """What a repair is for.

    command: the failing check as an argv, run in the root of the repository (a shell line is `("/bin/sh", "-c", line)`);
    output: what it printed on the base, the end of it, cleaned; error, message: of the exception, "" when not known; frames:
    outermost call first, paths relative to the root where they lie in it; values: names in the blamed frame → their values as
    text; suspects: commit ids, likeliest first; key: the group of errors, "" for a bare command;
    packages: that the diagnosis blames, likeliest first, with their versions; since: the commit of the release before the one that
    is blamed, "" when not known.
    """

    command: tuple[str, ...]
    output: str = ""
    error: str = ""
    message: str = ""
    frames: tuple[Frame, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    suspects: tuple[str, ...] = ()
    key: str = ""
    packages: tuple[Moved, ...] = ()
    since: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One way to end a fault. repairer: its name; kind: SETTING, PIN, REVERT or PATCH; diff: a unified git diff against the
    base; why: one plain sentence; rank: smaller is better among proposals of one repairer; commit: what a REVERT takes back, ""
    where it does not say; weighed: the repairer has held all of this size against it that it knows."""

    repairer: str
    kind: ActionKind
    diff: str
    why: str
    rank: float = 0.0
    commit: str = ""
    weighed: bool = False
