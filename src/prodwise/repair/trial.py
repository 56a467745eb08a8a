"""The failing command at one commit after the other, each in the sandbox, until one commit is left to blame."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from prodwise.clock import monotonic
from prodwise.loop.diagnose.bisect import Answer, Bisection, Found, Try, Unresolved, next_step, runs_max
from prodwise.model.commit import Commit
from prodwise.model.errors import GateFailed, TargetError, UsageError
from prodwise.model.patch import Fault
from prodwise.ports.repair import Limits, Workshop

BISECT_SHARE: Final = 0.6
"""Of the time, so that proposals are left some."""
_NO_ANSWER: Final = (125, 126, 127)
"""As git bisect has it: not to be told, cannot be run, not found."""
_PYTEST: Final = re.compile(r"\b(?:pytest|py\.test)\b")
_PYTEST_NONE: Final = (2, 3, 4, 5)
"""pytest: interrupted or cannot collect, broke itself, misused, no such test: it says nothing of the fault."""


@dataclass(frozen=True, slots=True)
class SandboxTrial:
    """Implements ports.history.Trial. Another failure than the fault's is no answer. brings: the diff that a commit is given first,
    None where it cannot be tested."""

    workshop: Workshop
    fault: Fault
    limits: Limits
    brings: Callable[[str], str | None] = lambda commit: ""

    def run(self, commit: str) -> Answer:
        try:
            brought = self.brings(commit)
            if brought is None:
                return Answer.UNTESTABLE
            with self.workshop.fresh(commit) as tree:
                if brought:
                    tree.apply(brought)
                ran = tree.run(self.fault.command, self.limits)
        except (GateFailed, TargetError, UsageError):
            return Answer.UNTESTABLE
        if ran.code == 0:
            return Answer.GOOD
        if (
            ran.code is None
            or ran.code in _NO_ANSWER
            or (self._pytest() and ran.code in _PYTEST_NONE and not self._same(ran.output))
        ):
            return Answer.UNTESTABLE
        return Answer.BAD if not self.fault.error or self._same(ran.output) else Answer.UNTESTABLE

    def _pytest(self) -> bool:
        return _PYTEST.search(" ".join(self.fault.command)) is not None

    def _same(self, output: str) -> bool:
        """Whether it tells of an error of the fault's kind."""
        return bool(self.fault.error) and self.fault.error.rpartition(".")[2] in output


def bisected(
    commits: Sequence[Commit], prior: dict[str, float], trial: SandboxTrial, seconds: float
) -> Found | Unresolved:
    """At most ceil(log2 k) + 1 runs of k commits, untestable ones included; what they rest on is taken for good."""
    until = monotonic() + seconds
    state = Bisection(tuple(commits), prior)
    while True:
        step = next_step(state, runs=runs_max(len(commits)))
        if not isinstance(step, Try):
            return step
        if monotonic() > until:
            return Unresolved(tuple(state.shares), "the time has run out")
        state = state.told(step.sha, trial.run(step.sha))
