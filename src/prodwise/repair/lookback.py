"""Where nobody is suspected, history is asked: how far back does the check pass, and which commit ended that?

The check of today, and today's tests, are run on the code of then: a test that was written for the fault is older than no commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from prodwise.clock import monotonic
from prodwise.loop.diagnose.bisect import Answer, Found
from prodwise.loop.diagnose.suspect.kinds import Kind, kind_of
from prodwise.model.commit import Commit
from prodwise.model.patch import Fault
from prodwise.ports.repair import Limits, Workshop
from prodwise.quiet_git import PLAIN
from prodwise.repair.scratch import Scratch
from prodwise.repair.trial import BISECT_SHARE, SandboxTrial, bisected

STEPS: Final = (1, 2, 4, 8, 16, 32, 64)
"""How many commits of the main line back."""
UNTOLD_MAX: Final = 2
"""So many of these that cannot be tested end it: what is older is still more foreign to today's tests."""
LOOK_SHARE: Final = 0.2
"""Of the time, to find a commit with which the check passes: most faults have none."""
TESTS_MAX: Final = 200


def broke(made: Scratch, here: str, base: str, fault: Fault, workshop: Workshop, limits: Limits, seconds: float) -> str:
    """The first commit of the main line with which the check fails, "" where none is found in time. At most seven runs to find one
    with which it passes, and those of the bisection. here, base: one state, as the scratch repository and the workshop know it."""
    began = monotonic()
    asked = " ".join(fault.command)
    brings = lambda commit: "" if commit == base else todays_tests(made, commit, here, asked)  # noqa: E731
    brief = replace(limits, seconds=min(limits.seconds, seconds * LOOK_SHARE))
    trial = SandboxTrial(workshop, fault, brief, brings)
    newest, *older = _line(made, here)
    suspects = _since_it_passed([replace(newest, sha=base), *older], trial, began + seconds * LOOK_SHARE)
    if len(suspects) < 2:
        return suspects[0].sha if suspects else ""
    step = bisected(suspects, {}, trial, seconds * BISECT_SHARE - (monotonic() - began))
    return step.sha if isinstance(step, Found) else ""


def todays_tests(made: Scratch, commit: str, here: str, asked: str) -> str | None:
    """The diff that gives a commit the tests of `here`, and what the command names that it lacks; None where too many differ."""
    told = made.git("diff", "--no-renames", "--name-only", "-z", *PLAIN, commit, here).split("\0")[:-1]
    tests = [path for path in told if kind_of(path) is Kind.TEST or (path in asked and made.text(commit, path) is None)]
    if len(tests) > TESTS_MAX:
        return None
    return made.diff(commit, made.tree_as(commit, here, tests)) if tests else ""


def _line(made: Scratch, here: str) -> list[Commit]:
    """`here`, and what it rests on, newest first."""
    told = made.git("rev-list", "--first-parent", "--parents", f"--max-count={STEPS[-1] + 1}", here)
    rows = [row.split() for row in told.splitlines()]
    return [Commit(row[0], "", "", 0.0, tuple(row[1:2])) for row in rows]


def _since_it_passed(line: Sequence[Commit], trial: SandboxTrial, until: float) -> Sequence[Commit]:
    """The commits after one that passes, up to one that fails; none where none passes. Further back in each step."""
    failing = untold = 0
    for step in (*(step for step in STEPS if step < len(line) - 1), len(line) - 1):
        if step <= failing or untold >= UNTOLD_MAX or monotonic() > until:
            break
        answer = trial.run(line[step].sha)
        if answer is Answer.GOOD:
            return line[failing:step]
        if answer is Answer.BAD:
            failing = step
        else:
            untold += 1
    return ()
