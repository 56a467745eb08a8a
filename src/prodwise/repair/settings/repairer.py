"""Proposes that a setting which changed lately goes back to what it was: the smallest set of them first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from prodwise.clock import monotonic
from prodwise.loop.choose.settings import NotPut, planned, why
from prodwise.loop.verify.failure import failure
from prodwise.model.action import ActionKind
from prodwise.model.errors import GateFailed, ProdwiseError, TargetError
from prodwise.model.patch import Fault, Proposal
from prodwise.model.setting import Change, Moves
from prodwise.ports.repair import Limits, Workshop
from prodwise.repair.base import known
from prodwise.repair.scratch import Scratch, scratch
from prodwise.repair.settings.lately import diff_of, lately, named

TOLD_MAX: Final = 6
"""Of what is left alone, and why."""


class SettingsRepairer:
    """Implements ports.repair.Repairer. tell: hears what is not put back, and why."""

    name = "setting"

    def __init__(
        self, repo: Path, tell: Callable[[str], None] = lambda _line: None, limits: Limits | None = None
    ) -> None:
        self._repo = repo
        self._tell = tell
        self._limits = limits or Limits()

    def propose(self, fault: Fault, workshop: Workshop, base: str, seconds: float) -> Iterator[Proposal]:
        """1. What changed. 2. All of it back, once: what still fails in the same way was not brought by settings. 3. One alone, those
        of one file, all."""
        until = monotonic() + seconds
        try:
            with scratch(self._repo) as made:
                here = known(made, workshop, base)
                moves = self._told(lately(made, here, fault.since))
                diffs = self._diffs(made, here, moves)
                if not diffs or self._is_elsewhere(fault, workshop, base, made, here, list(diffs)):
                    return
                for one in planned(list(diffs), fault):
                    if monotonic() > until:
                        return
                    diff = diffs[one.changes[0]] if len(one.changes) == 1 else _together(made, here, one.changes)
                    if diff:
                        said = why(one.changes, lambda commit: named(made, commit, here))
                        yield Proposal(self.name, ActionKind.SETTING, diff, said, one.rank)
        except ProdwiseError:
            return

    def _told(self, moves: Moves) -> Moves:
        for one in moves.left[:TOLD_MAX]:
            self._tell(f"{self.name} leaves {one.path}{f', {one.name}' if one.name else ''} alone: {one.why}")
        return moves

    def _diffs(self, made: Scratch, base: str, moves: Moves) -> dict[Change, str]:
        """Each that can go back by itself, with the diff that does it."""
        found = dict[Change, str]()
        for one in moves.changes:
            try:
                found[one] = diff_of(made, base, (one,))
            except (NotPut, TargetError) as error:
                self._tell(f"{self.name} leaves {one.path}, {one.name} alone: {error}")
        return found

    def _is_elsewhere(
        self, fault: Fault, workshop: Workshop, base: str, made: Scratch, here: str, changes: list[Change]
    ) -> bool:
        """The check fails as before with all of them back. What cannot be run says nothing."""
        diff = _together(made, here, changes)
        if not diff:
            return False
        try:
            with workshop.fresh(base) as tree:
                tree.apply(diff)
                ran = tree.run(fault.command, self._limits)
        except (TargetError, GateFailed):
            return False
        found = failure(ran.code, ran.output, ran.ended)
        return found is not None and found == failure(1, fault.output, "")


def _together(made: Scratch, base: str, changes: tuple[Change, ...] | list[Change]) -> str:
    """ "" where they cannot go back together."""
    try:
        return diff_of(made, base, changes)
    except (NotPut, TargetError):
        return ""
