"""The story of one repair: reproduce, let each repairer propose, ask every gate, and take the first that passes them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from prodwise.heal.fixing.budget import LEAST_S, Budget, BudgetOver
from prodwise.heal.fixing.gates import GATES
from prodwise.heal.fixing.given import NotReproduced
from prodwise.heal.fixing.repository import Repository
from prodwise.heal.fixing.reproducer import Reproducer
from prodwise.heal.fixing.rivals import rival
from prodwise.heal.fixing.trial import Court, Means, Trial, asked
from prodwise.loop.verify.patch import NotADiff, read
from prodwise.model.errors import NothingFits, OutOfTime, ProdwiseError, Refused
from prodwise.model.gate import GateResult, Verdict, worst
from prodwise.model.patch import Proposal
from prodwise.ports.repair import Repairer, Workshop

PROPOSALS_MAX: Final = 200
TRIED_KEPT: Final = 50
RIVALS_MAX: Final = 8
LAST_SHARE: Final = 0.6
"""Of the time left, at most, for any repairer but the last."""
GATES_SHARE: Final = 0.2
"""Of the time left, kept for the gates whatever the last one does: what it proposes must still be looked at."""

NOTHING: Final = Means()
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Tried:
    """A proposal and what the gates said, up to the first that did not pass."""

    proposal: Proposal
    gates: tuple[GateResult, ...]

    @property
    def passed(self) -> bool:
        return len(self.gates) == len(GATES) and worst(self.gates) is Verdict.PASS


@dataclass(frozen=True)
class Fix:
    """status: fixed, no_fix or refused; reason: in one sentence; over: the time was over."""

    status: str
    reason: str
    proposal: Proposal | None = None
    gates: tuple[GateResult, ...] = ()
    tried: tuple[Tried, ...] = ()
    unchecked: tuple[str, ...] = ()
    reproducer: str = ""
    seconds: float = 0.0
    over: bool = False


def repair(
    check: Reproducer | NotReproduced,
    repairers: Sequence[Repairer],
    workshop: Workshop,
    base: str,
    budget: Budget,
    tell: Tell,
    means: Means = NOTHING,
) -> Fix:
    """Raises Refused only where no sandbox can be had."""
    if isinstance(check, NotReproduced):
        return Fix("refused" if check.refused else "no_fix", check.reason, seconds=budget.spent)
    tell(f"it fails at the base, each time: {check.reason.words} ({check.seconds:.1f} s a run)")
    tried: list[Tried] = []
    with workshop.fresh(base) as tree:
        court = Court(
            workshop,
            base,
            check,
            Repository.of(tree.root),
            budget,
            unchecked=list(check.notes),
            tell=tell,
            means=means,
        )
        over = False
        try:
            won = _first(court, repairers, tried, tell)
        except BudgetOver:
            won, over = None, True
    unchecked = tuple(court.unchecked)
    if isinstance(won, str):
        return Fix("no_fix", won, None, (), _kept(tried), unchecked, check.text, budget.spent)
    if won is None:
        over = over or bool(court.unfinished) or budget.left < LEAST_S
        spent = f"{budget.seconds:.0f} s are over" if over else ""
        reason = "; ".join(filter(None, (_why_none(tried, repairers), court.unfinished, spent, court.learned)))
        last = tried[-1].gates if tried else ()
        return Fix("no_fix", reason, None, last, _kept(tried), unchecked, check.text, budget.spent, over)
    return Fix("fixed", won.proposal.why, won.proposal, won.gates, _kept(tried), unchecked, check.text, budget.spent)


def _first(court: Court, repairers: Sequence[Repairer], tried: list[Tried], tell: Tell) -> Tried | str | None:
    """The first that passes, of the smallest kind; a sentence when others of its kind that do something else pass as well."""
    seen = set[str]()
    for repairer in repairers:
        share = 1 - GATES_SHARE if repairer is repairers[-1] else LAST_SHARE
        proposals = _proposals(court, repairer, share, seen, tell)
        for proposal in proposals:
            tell(f"{proposal.repairer} proposes: {proposal.why}")
            one = judge(court, proposal)
            tried.append(one)
            last = one.gates[-1]
            tell("it passes every gate" if one.passed else f"it does not pass {last.gate}: {last.reason}")
            if one.passed:
                return _alone(court, one, proposals, tried, tell)
    return None


def _alone(court: Court, won: Tried, others: Iterator[Proposal], tried: list[Tried], tell: Tell) -> Tried | str:
    """Proposals of the same repairer that are as small are looked at as well, while there is time: one that passes and does
    something else means that the tests do not tell which of them is right."""
    for _ in range(0 if won.proposal.weighed else RIVALS_MAX):
        try:
            proposal = next(others, None)
            if proposal is None or not _as_small(proposal, won.proposal):
                break
            one = judge(court, proposal)
            tried.append(one)
            if court.budget.left < LEAST_S:
                raise BudgetOver("the time was over")
            if one.passed and (how := rival(court, won.proposal, proposal)):
                tell(f"{proposal.repairer}: {proposal.why}: passes as well")
                return f"ambiguous: several changes pass every gate and do different things ({how}); no test says which is right"
        except BudgetOver:
            court.not_checked("whether another change of this size would pass as well: the time was over")
            break
    return won


def _as_small(one: Proposal, other: Proposal) -> bool:
    return (one.repairer, one.kind, one.rank) == (other.repairer, other.kind, other.rank)


def judge(court: Court, proposal: Proposal) -> Tried:
    """Gate after gate, until one does not pass. HOLD counts as FAIL: there is nothing to wait for."""
    try:
        files = read(proposal.diff)
    except NotADiff as error:
        return Tried(proposal, (GateResult("policy", Verdict.FAIL, f"a diff that can be read: {error}"),))
    trial, said = Trial(court, proposal, files), list[GateResult]()
    for gate in GATES:
        try:
            said.append(asked(gate, trial))
        except BudgetOver:
            said.append(GateResult(gate.__name__, Verdict.HOLD, "the time was over before it could tell"))
        if said[-1].verdict is not Verdict.PASS:
            break
    return Tried(proposal, tuple(said))


def _proposals(court: Court, one: Repairer, share: float, seen: set[str], tell: Tell) -> Iterator[Proposal]:
    """What nobody proposed before. share: of the time left; a repairer that breaks is told of and passed over."""
    seconds = court.budget.left * share
    tell(f"asking {one.name}, for up to {max(0.0, seconds):.0f} s")
    if seconds <= 0:
        raise BudgetOver(f"{court.budget.seconds:.0f} s are over", "give it more with --budget")
    try:
        for proposal in one.propose(court.reproducer.fault, court.workshop, court.base, seconds):
            if len(seen) >= PROPOSALS_MAX:
                court.not_checked(f"what else {one.name} would propose: {PROPOSALS_MAX} proposals are the most")
                return
            if proposal.diff not in seen:
                seen.add(proposal.diff)
                yield proposal
    except (BudgetOver, Refused):
        raise
    except NothingFits as error:
        court.learn(error.hint)
        tell(f"{one.name}: {error.message}; {error.hint}")
    except OutOfTime as error:
        court.unfinished = f"{one.name}: {error.message}"
        court.learn(error.hint)
        court.not_checked(f"what else {one.name} would propose: {error.message}")
        tell(court.unfinished)
    except Exception as error:  # noqa: BLE001 — a repairer may be anybody's: what it stumbles over ends it, not the story
        tell(f"{one.name} could not go on: {type(error).__name__}: {error}")
        why = error.message if isinstance(error, ProdwiseError) else f"it stopped with {type(error).__name__}"
        court.not_checked(f"what else {one.name} would propose: {why}")


def _kept(tried: list[Tried]) -> tuple[Tried, ...]:
    """The last of them: the winner, and what came before it."""
    return tuple(tried[-TRIED_KEPT:])


def _why_none(tried: list[Tried], repairers: Sequence[Repairer]) -> str:
    if not repairers:
        return "nobody was there to propose anything"
    if not tried:
        return "nobody had anything to propose"
    best = max(tried, key=lambda one: len(one.gates))
    return f"{len(tried)} proposed, none passed; the best one: {best.gates[-1].gate}: {best.gates[-1].reason}"
