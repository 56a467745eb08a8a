"""Proposes to take back the commit that brought the fault."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from prodwise.clock import monotonic
from prodwise.loop.diagnose.bisect import Found
from prodwise.loop.diagnose.suspect.kinds import Kind, kind_of
from prodwise.loop.verify.patch.policy import FILES_MAX, LINES_MAX
from prodwise.model.action import ActionKind
from prodwise.model.commit import Commit
from prodwise.model.errors import NothingFits, ProdwiseError
from prodwise.model.patch import Fault, Proposal
from prodwise.model.revert import Revert
from prodwise.ports.repair import Limits, Workshop
from prodwise.repair.base import known
from prodwise.repair.lookback import broke
from prodwise.repair.revert import only, revert
from prodwise.repair.scratch import Scratch, scratch
from prodwise.repair.trial import BISECT_SHARE, SandboxTrial, bisected

CANDIDATES_MAX: Final = 64
TRIED_MAX: Final = 5


class RevertRepairer:
    """Implements ports.repair.Repairer."""

    name = "revert"

    def __init__(self, repo: Path, limits: Limits | None = None) -> None:
        self._repo = repo
        self._limits = limits or Limits()

    def propose(self, fault: Fault, workshop: Workshop, base: str, seconds: float) -> Iterator[Proposal]:
        """What bisection found first, then the suspects as they are ranked. Commits with migrations or locks are left to people.
        Raises NothingFits where history knows the commit, and it is not for automation."""
        until = monotonic() + seconds
        try:
            with scratch(self._repo) as made:
                here = known(made, workshop, base)
                if not fault.suspects and fault.command:
                    broken = broke(made, here, base, fault, workshop, self._limits, seconds)
                    yield from self._small(made, here, base, broken) if broken else ()
                    return
                suspects = [
                    one for one in fault.suspects if made.tried("merge-base", "--is-ancestor", one, here)[0] == 0
                ]
                proven = self._proven(fault, workshop, made, suspects, seconds * BISECT_SHARE)
                order = list(dict.fromkeys([*([proven] if proven else []), *suspects]))[:TRIED_MAX]
                for rank, commit in enumerate(order):
                    if monotonic() > until:
                        return
                    yield from self._proposal(made, here, commit, fault, rank, proven == commit)
        except NothingFits:
            raise
        except ProdwiseError:
            return

    def _small(self, made: Scratch, here: str, base: str, commit: str) -> Iterator[Proposal]:
        """A commit that nobody suspected is taken back where that is as small as a patch, and all tests stay: nobody said that what
        it brought may go."""
        if commit == base != here:
            raise NothingFits(
                "only what is not committed yet fails",
                f"the check passes at {made.head[:7]}, without what is not committed yet",
            )
        found = revert(made, here, commit)
        code = [path for path in found.paths if kind_of(path) in (Kind.CODE, Kind.OTHER)]
        mine = only(found, code)
        if not found.whole or found.cautions or not code or not small(mine):
            raise NothingFits(
                f"{commit[:7]} is the first with which the check fails, and is no small one",
                f"the check passes up to the commit before {commit[:7]} '{found.title}': `prodwise revert {commit[:7]}`",
            )
        yield Proposal(self.name, ActionKind.REVERT, mine.diff, _why(found, True), commit=found.commit)

    def _proven(self, fault: Fault, workshop: Workshop, made: Scratch, suspects: list[str], seconds: float) -> str:
        """The first bad commit from the oldest suspect on; "" when tests cannot tell."""
        if not fault.command or len(suspects) < 2:
            return ""
        commits = _between(made, suspects)
        prior = {one: 1.0 / (place + 1) for place, one in enumerate(suspects)}
        step = bisected(commits, prior, SandboxTrial(workshop, fault, self._limits), seconds)
        return step.sha if isinstance(step, Found) else ""

    def _proposal(
        self, made: Scratch, base: str, commit: str, fault: Fault, rank: int, proven: bool
    ) -> Iterator[Proposal]:
        try:
            found = revert(made, base, commit)
        except ProdwiseError:
            return
        if not found.whole:
            found = only(found, [frame.file for frame in fault.frames])
        if found.cautions or not any(kind_of(path) in (Kind.CODE, Kind.OTHER) for path in found.paths):
            return
        yield Proposal(
            self.name,
            ActionKind.REVERT,
            found.diff,
            _why(found, proven),
            rank + (0.0 if found.whole else 0.5),
            found.commit,
        )


def small(found: Revert) -> bool:
    """Within what a patch may change."""
    lines = sum(line[:1] in "+-" and line[:4] not in ("+++ ", "--- ") for line in found.diff.splitlines() if line)
    return len(found.paths) <= FILES_MAX and lines <= LINES_MAX


def _between(made: Scratch, suspects: list[str]) -> list[Commit]:
    """The suspects and all that lies between them, children before parents; the newest of very many."""
    oldest = made.git("rev-list", "--topo-order", "--reverse", *suspects).split()
    first = next(one for one in oldest if one in suspects)
    told = made.git("rev-list", "--topo-order", "--parents", f"--max-count={CANDIDATES_MAX}", *suspects, f"^{first}^@")
    rows = [row.split() for row in told.splitlines()]
    return [Commit(row[0], "", "", 0.0, tuple(row[1:])) for row in rows]


def _why(found: Revert, proven: bool) -> str:
    said = "is the first with which the command fails" if proven else "is suspected"
    part = "" if found.whole else f"; only {', '.join(found.paths[:3])} can go back, later commits changed the rest"
    return f"{found.commit[:7]} '{found.title}' {said}{part}"
