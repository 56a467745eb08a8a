"""Whether anything depends on what the change wrote: its lines are damaged, one by one, until the check or another test notices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from prodwise.heal.fixing.suite import notices
from prodwise.heal.fixing.trial import Trial, failed, held, passed
from prodwise.loop.verify.failure import failure
from prodwise.loop.verify.mutants import mutants
from prodwise.model.action import ActionKind
from prodwise.model.gate import GateResult
from prodwise.ports.repair import Tree

GATE: Final = "mutation"
TRIED_MAX: Final = 12
SHARE: Final = 0.25
"""Of the time that is left, for the check and for the other tests each."""


def mutation(trial: Trial) -> GateResult:
    if trial.proposal.kind is not ActionKind.PATCH:
        return passed(GATE, "nothing was written anew: the base itself is what the check fails on")
    if not any(file.added for file in trial.files):
        return passed(GATE, "lines only go: the base, with them, is what the check fails on")
    tried, others = 0, (("other tests notice", notices),) if trial.suite is not None else ()
    for who, noticed in (("the check notices", _check_notices), *others):
        attempts = list(_damaged(trial, noticed))
        if attempts and attempts[-1]:
            return passed(GATE, f"{who} when the change is damaged (at attempt {len(attempts)})")
        tried = max(tried, len(attempts))
    if not tried:
        return held(GATE, "the change could not be damaged: whether the check would notice is not known")
    return failed(
        GATE, f"{tried} damaged forms of the change pass the check and the other tests as well: nothing proves it"
    )


def _damaged(trial: Trial, noticed: Callable[[Trial, Tree], bool]) -> Iterator[bool]:
    """Whether each damaged form is noticed, up to the first that is."""
    court = trial.court
    until = court.budget.left * (1 - SHARE)
    forms = ((file.path, form) for file in trial.files for form in mutants(trial.after.get(file.path, ""), file))
    for path, form in islice(forms, TRIED_MAX):
        if court.budget.left < until:
            return
        with trial.head() as tree:
            (tree.root / path).write_text(form, encoding="utf-8", newline="")
            told = noticed(trial, tree)
        yield told
        if told:
            return


def _check_notices(trial: Trial, tree: Tree) -> bool:
    ran = trial.court.reproducer.run(tree, trial.court.budget)
    return failure(ran.code, ran.output, ran.ended) is not None
