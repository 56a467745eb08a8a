"""The check that fails: whether it fails at the base, always for one reason, before anything is proposed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Final

from prodwise.heal.fixing.budget import Budget
from prodwise.heal.fixing.given import Given, NotReproduced
from prodwise.loop.diagnose import tracebacks
from prodwise.loop.verify.failure import NOT_FOUND, Failure, alike, cannot_run, failure, missing
from prodwise.model.patch import Fault
from prodwise.ports.repair import Ran, Tree, Workshop

RUN_MAX_S: Final = 60.0
RUN_LEAST_S: Final = 5.0
LOOK_S: Final = 5.0
_PROGRAMS: Final = 'IFS=:; for one in ${1:-$PATH}; do ls -1 "$one" 2>/dev/null; done'


@dataclass(frozen=True)
class Reproducer:
    """fault: with what the base printed; reason: why it fails there; seconds: of one run; text: as a test that people may keep, ""
    for a command of theirs; notes: what it cannot tell."""

    fault: Fault
    reason: Failure
    seconds: float
    text: str = ""
    notes: tuple[str, ...] = field(default=())

    def run(self, tree: Tree, budget: Budget) -> Ran:
        """Once. One that does not end at the base is given no longer elsewhere; one that ends is given ten times as long."""
        times = 1 if self.reason.ended else 10
        return tree.run(self.fault.command, budget.limits(min(RUN_MAX_S, max(2.0, times * self.seconds))))


def reproduce(given: Given, workshop: Workshop, base: str, budget: Budget, root: str) -> Reproducer | NotReproduced:
    """Runs the fault's command at the base, each time in a fresh checkout. root: the repository's own path."""
    fault = given.fault
    reasons, output, seconds = list[Failure](), "", 0.0
    most = min(RUN_MAX_S, max(RUN_LEAST_S, budget.seconds / 6))
    for turn in range(given.times):
        with workshop.fresh(base) as tree:
            ran = tree.run(fault.command, budget.limits(most))
            if why := cannot_run(ran.code, ran.output):
                return NotReproduced(f"the command cannot be used as a check: {why}{_meant(tree, ran, budget)}")
        one = failure(ran.code, ran.output, ran.ended)
        if one is None:
            said = "it passes: there is nothing to repair" if not turn else "it fails and passes by turns: it is flaky"
            return NotReproduced(f"at the base, {said}", refused=not turn)
        reasons.append(one)
        output, seconds = ran.output, max(seconds, ran.seconds)
    if len({one.ended for one in reasons}) > 1:
        return NotReproduced(
            f"at the base, it is over within {most:.0f} s only now and then: give it more time", refused=False
        )
    if len(set(reasons)) > 1:
        return NotReproduced("at the base, it fails each time for another reason: it is flaky", refused=False)
    return Reproducer(_told(fault, output, root), reasons[0], seconds, given.text, given.notes)


def _meant(tree: Tree, ran: Ran, budget: Budget) -> str:
    """The program with nearly the name that was not found, where such a one is seen by what runs here."""
    name = missing(ran.output) if ran.code == NOT_FOUND else ""
    if not name:
        return ""
    folder = str(PurePosixPath(name).parent) if "/" in name else ""
    seen = tree.run(("/bin/sh", "-c", _PROGRAMS, "sh", folder), budget.limits(LOOK_S)).output.splitlines()
    close = alike(PurePosixPath(name).name, (one.strip() for one in seen))
    return f"; did you mean `{folder and folder + '/'}{close}`?" if close else ""


def _told(fault: Fault, output: str, root: str) -> Fault:
    """With what the base printed, where nobody said more."""
    read = tracebacks.read(output, root)
    if fault.frames or fault.error:
        return replace(fault, output=output)
    return replace(fault, output=output, error=read.error, message=read.message, frames=read.frames)
