"""Whether the failing check can fail at all with the change: its lines are damaged, one by one, until the check notices."""

from __future__ import annotations

from typing import Final

from prodwise.heal.fixing.trial import Trial, failed, held, passed
from prodwise.loop.verify.failure import failure
from prodwise.loop.verify.mutants import mutants
from prodwise.model.action import ActionKind
from prodwise.model.gate import GateResult

GATE: Final = "mutation"
TRIED_MAX: Final = 12
SHARE: Final = 0.25


def mutation(trial: Trial) -> GateResult:
    court = trial.court
    if trial.proposal.kind is not ActionKind.PATCH:
        return passed(GATE, "nothing was written anew: the base itself is what the check fails on")
    if not any(file.added for file in trial.files):
        return passed(GATE, "lines only go: the base, with them, is what the check fails on")
    until, tried = court.budget.left * (1 - SHARE), 0
    for file in trial.files:
        after = trial.after.get(file.path, "")
        for mutant in mutants(after, file):
            if tried >= TRIED_MAX or court.budget.left < until:
                break
            tried += 1
            with trial.head() as tree:
                (tree.root / file.path).write_text(mutant, encoding="utf-8", newline="")
                ran = court.reproducer.run(tree, court.budget)
            if failure(ran.code, ran.output, ran.ended) is not None:
                return passed(GATE, f"the check notices when the change is damaged (at attempt {tried})")
    if not tried:
        return held(GATE, "the change could not be damaged: whether the check would notice is not known")
    return failed(GATE, f"{tried} damaged forms of the change pass the check as well: it proves nothing")
