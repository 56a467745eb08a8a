"""What a suspect is looked for with: facts, already gathered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from prodwise.model.commit import Commit
from prodwise.model.event import ErrorEvent


@dataclass(frozen=True, slots=True)
class Search:
    """Errors of one fault, and the commits that may have brought it.

    commits: those of the failing release that the last good one lacks, in any order; routes: that fail ("GET /cart/:id"),
    for faults without frames; texts: files at the failing release by path, as `wanted` named them; onset: Unix seconds.
    """

    commits: tuple[Commit, ...]
    events: tuple[ErrorEvent, ...] = ()
    routes: tuple[str, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    onset: float | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """weight > 0 speaks for the commit, < 0 against it, in natural log-odds; path, line: where it was found at the failing
    release, "" and 0 for the commit as a whole."""

    weight: float
    text: str
    path: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Suspect:
    """weight: what the findings add up to; share: how likely it is among all that was looked at, and none of it; path, line:
    where to look first, at the failing release."""

    commit: Commit
    weight: float
    share: float
    findings: tuple[Finding, ...]
    path: str = ""
    line: int = 0
