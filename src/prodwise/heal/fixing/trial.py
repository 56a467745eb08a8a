"""One proposal on trial, and what all trials of one fault share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from prodwise.heal.fixing.budget import Budget, BudgetOver
from prodwise.heal.fixing.repository import Repository
from prodwise.heal.fixing.reproducer import Reproducer
from prodwise.loop.verify.patch import applied
from prodwise.loop.verify.patch.protected import is_test
from prodwise.loop.verify.results import Results, Suite
from prodwise.model.diff import FileDiff
from prodwise.model.errors import ProdwiseError, Refused
from prodwise.model.gate import GateResult, Verdict
from prodwise.model.patch import Proposal
from prodwise.ports.repair import Advisories, Fitter, TakesBack, Tree, Workshop


@dataclass(frozen=True)
class Means:
    """What gates may use. fitter: who installs what a lock names, without one no pin is believed; takes_back: who knows a commit's
    inverse, without one no revert may touch a test; advisories: known vulnerabilities, None where no person gave any; licences: those
    allowed, none for all."""

    fitter: Fitter | None = None
    takes_back: TakesBack | None = None
    advisories: Advisories | None = None
    licences: tuple[str, ...] = ()


@dataclass
class Court:
    """What is the same for all proposals. suite, before, suite_s: the suite at the base, once it was looked for, and how long it
    took; late: why there was no time for any of it, "" otherwise; unfinished: what a repairer had no time for; learned: what those
    without a proposal say of where to look; unchecked: what no gate could look at, in plain words; tell: hears what is going on;
    installed: folder of a lock → the court with what it installs at the base, or why there is none."""

    workshop: Workshop
    base: str
    reproducer: Reproducer
    repository: Repository
    budget: Budget
    looked: bool = False
    suite: Suite | None = None
    before: Results | None = None
    suite_s: float = 0.0
    late: str = ""
    unfinished: str = ""
    learned: str = ""
    wobbly: frozenset[str] = frozenset()
    linted: dict[tuple[str, ...], str | None] = field(default_factory=dict)
    unchecked: list[str] = field(default_factory=list)
    tell: Callable[[str], None] = lambda _line: None
    means: Means = Means()
    installed: dict[str, Court | GateResult] = field(default_factory=dict)

    def learn(self, hint: str) -> None:
        self.learned = "; ".join(filter(None, (self.learned, hint)))

    def not_checked(self, what: str) -> None:
        if what not in self.unchecked:
            self.unchecked.append(what)


@dataclass
class Trial:
    """files: the proposal's diff, read; suite: what the suite said with the change; after: what each changed file holds then;
    dependencies: the workshop with what its lock installs, where that is another one than the base's."""

    court: Court
    proposal: Proposal
    files: tuple[FileDiff, ...]
    suite: Results | None = None
    dependencies: Workshop | None = None

    @property
    def after(self) -> dict[str, str]:
        texts = self.court.repository.text
        return {one.path: applied(texts(one.before) or "", one) for one in self.files if one.path and one.hunks}

    @property
    def tests(self) -> frozenset[str]:
        """Test files that it changes: only what takes a commit back exactly may."""
        return frozenset(name for file in self.files for name in file.names if is_test(name))

    @contextmanager
    def head(self, whole: bool = True) -> Iterator[Tree]:
        """A fresh checkout of the base with the proposal's diff and nothing else. whole: otherwise without what it does to tests, so
        that all of those are the base's."""
        with (self.dependencies or self.court.workshop).fresh(self.court.base) as tree:
            tree.apply(self.proposal.diff if whole else self._code())
            yield tree

    def _code(self) -> str:
        parts = re.split(r"^(?=diff --git )", self.proposal.diff, flags=re.MULTILINE)[1:]
        return "".join(
            part for part, file in zip(parts, self.files, strict=True) if not any(is_test(one) for one in file.names)
        )


Gate = Callable[[Trial], GateResult]


def passed(gate: str, reason: str) -> GateResult:
    return GateResult(gate, Verdict.PASS, reason)


def failed(gate: str, reason: str) -> GateResult:
    return GateResult(gate, Verdict.FAIL, reason)


def held(gate: str, reason: str) -> GateResult:
    return GateResult(gate, Verdict.HOLD, reason)


def asked(gate: Callable[[Trial], GateResult], trial: Trial) -> GateResult:
    """What a gate says; HOLD where it could not be asked. Raises Refused without a sandbox, BudgetOver."""
    try:
        return gate(trial)
    except (Refused, BudgetOver):
        raise
    except ProdwiseError as error:
        return GateResult(gate.__name__, Verdict.HOLD, f"could not be asked: {error.message}")
