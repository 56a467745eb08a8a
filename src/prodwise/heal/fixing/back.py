"""What takes a commit back, asked what can be asked without a failing check: does it apply, can it be read, does a test go with it."""

from __future__ import annotations

from typing import Final

from prodwise.heal.fixing.budget import Budget, BudgetOver
from prodwise.heal.fixing.gates import applies, builds
from prodwise.heal.fixing.lint import lint
from prodwise.heal.fixing.repository import Repository
from prodwise.heal.fixing.reproducer import Reproducer
from prodwise.heal.fixing.suite import suite
from prodwise.heal.fixing.trial import Court, Means, Trial, asked
from prodwise.loop.verify.failure import Failure
from prodwise.loop.verify.patch import read
from prodwise.model.gate import GateResult, Verdict
from prodwise.model.patch import Fault, Proposal
from prodwise.ports.repair import Workshop

GATES: Final = (applies, builds, lint, suite)
_NONE: Final = Reproducer(Fault(()), Failure("", frozenset()), 0.0)


def judged(
    proposal: Proposal, workshop: Workshop, base: str, budget: Budget, means: Means
) -> tuple[tuple[GateResult, ...], tuple[str, ...]]:
    """(what the gates said, up to the first that did not pass; what none could look at). Raises Refused without a sandbox."""
    with workshop.fresh(base) as tree:
        court = Court(workshop, base, _NONE, Repository.of(tree.root), budget, means=means)
        trial, said = Trial(court, proposal, read(proposal.diff)), list[GateResult]()
        for gate in GATES:
            try:
                said.append(asked(gate, trial))
            except BudgetOver:
                court.not_checked(f"{gate.__name__}: the time was over")
                break
            if said[-1].verdict is not Verdict.PASS:
                break
    return tuple(said), tuple(court.unchecked)
