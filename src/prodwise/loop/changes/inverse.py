"""How a change is taken back: a command or a step for a person, or the reason why there is none."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from prodwise.loop.changes.told import CLOCK, FILE, FREEZE, OWN_FILE, STAGE, STOP, UNDER_WAY, sort_of
from prodwise.model.change import Change, ChangeKind

_FIRST: Final = "it is the first release: there is nothing to go back to"
_RESTART: Final = "a restart leaves nothing behind: there is nothing to put back"
_CLOCK: Final = "time goes its own way: whoever set the clock can set it again"
_ELSEWHERE: Final = "it was put in place elsewhere, and is not ours to take back: do it where it was made"
_UNKNOWN: Final = "what stood there before is not known"
_NOT_LIVE: Final = "it put nothing in place that users could meet"


@dataclass(frozen=True, slots=True)
class Inverse:
    """Exactly one is set: command (to type), step (for a person, in words), why_none."""

    command: str = ""
    step: str = ""
    why_none: str = ""

    @property
    def text(self) -> str:
        return self.command or self.step or f"none: {self.why_none}"


def inverse(change: Change, serving: str = "") -> Inverse:
    """serving: the release that users reach now, "" while that is not known."""
    if change.outside:
        return Inverse(why_none=_ELSEWHERE if change.after else _NOT_LIVE)
    return _BY_KIND[change.kind](change, serving)


def _release(change: Change, serving: str) -> Inverse:
    if sort_of(change) == UNDER_WAY:
        return Inverse(command="prodwise rollback")
    if not change.before:
        return Inverse(why_none=_FIRST)
    if serving and serving != change.after:
        return Inverse(why_none=f"{change.after} does not serve any more: {serving} does")
    return Inverse(command=f"prodwise rollback {shlex.quote(change.before)}")


def _moved(change: Change, serving: str) -> Inverse:
    """A heal, or what a person did: users went to another release, or a process was started again."""
    if change.before == change.after or not change.after:
        return Inverse(why_none=_RESTART)
    if not change.before:
        return Inverse(why_none="what served before it is not known")
    if serving and serving != change.after:
        return Inverse(why_none=f"{change.after} does not serve any more: {serving} does")
    if change.kind is ChangeKind.HEAL and change.id.startswith("inc-"):
        return Inverse(command=f"prodwise undo {shlex.quote(change.id)}")
    _, _, commit = change.before.partition("-")
    return Inverse(command=f"prodwise deploy {shlex.quote(commit or change.before)}")


def _config(change: Change, _serving: str) -> Inverse:
    """Prodwise's own settings: what puts the value back that stood there before."""
    sort = sort_of(change)
    if sort == STAGE:
        known = change.before
        return Inverse(command=f"prodwise stage {shlex.quote(known)}") if known else Inverse(why_none=_UNKNOWN)
    if sort == STOP:
        return Inverse(command="prodwise start" if change.after else "prodwise stop")
    if sort == FREEZE:
        return Inverse(command="prodwise unfreeze" if change.after else "prodwise freeze")
    if sort in (FILE, OWN_FILE):
        return Inverse(step="edit prodwise.toml back, then type `prodwise up`")
    return Inverse(why_none=_UNKNOWN)


def _flag(_change: Change, _serving: str) -> Inverse:
    return Inverse(why_none=_UNKNOWN)


def _platform(change: Change, _serving: str) -> Inverse:
    return Inverse(why_none=_CLOCK if sort_of(change) == CLOCK else _RESTART)


_BY_KIND: Final[Mapping[ChangeKind, Callable[[Change, str], Inverse]]] = {
    ChangeKind.RELEASE: _release,
    ChangeKind.DEPENDENCY: _release,
    ChangeKind.COMMIT: lambda change, serving: Inverse(why_none=_NOT_LIVE),
    ChangeKind.HEAL: _moved,
    ChangeKind.MANUAL: _moved,
    ChangeKind.CONFIG: _config,
    ChangeKind.FLAG: _flag,
    ChangeKind.PLATFORM: _platform,
}
