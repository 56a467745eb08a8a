"""What taking a commit back comes to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clash:
    """A file in which the commit cannot be taken back whole.

    lines: as they stood when they were changed, "41-44"; by: the later commit that changed them (full id), "" when none was found;
    title: its title.
    """

    path: str
    lines: str
    by: str
    title: str


@dataclass(frozen=True, slots=True)
class Revert:
    """commit: full id; parent: what it goes back to; diff: all that applies, against the base; paths: in the diff; clashes: what does
    not apply, none when the whole does; cautions: why it is not for automation."""

    commit: str
    title: str
    parent: str
    merge: bool
    diff: str
    paths: tuple[str, ...] = ()
    clashes: tuple[Clash, ...] = ()
    cautions: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        return bool(self.diff) and not self.clashes
