"""A pin is tried where its version is installed: the check fails with the base's dependencies, and must pass with its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from prodwise.heal.fixing.trial import Court, Trial, failed, held, passed
from prodwise.loop.changes.locks import is_lock
from prodwise.loop.verify.failure import failure
from prodwise.model.action import ActionKind
from prodwise.model.errors import TargetError
from prodwise.model.gate import GateResult
from prodwise.ports.repair import Workshop

GATE: Final = "installed"
KINDS: Final = "those of uv, pip, Poetry, PDM, npm, pnpm and Yarn are"
MAKE_S: Final = 120.0
SHARE: Final = 0.4
"""Of the time that is left, for one environment: two are made."""


def installed(trial: Trial) -> GateResult:
    """1. The base's dependencies, from its lock. 2. The check fails there too, for its reason. 3. The change's. What is asked after
    this runs the base with the one and the change with the other. Of several locks, the first that this can be done with."""
    if trial.proposal.kind is not ActionKind.PIN:
        return passed(GATE, "the dependencies stay as they are")
    court = trial.court
    if court.means.fitter is None:
        return held(GATE, "nobody is here who could install what the lock names")
    base: Court | GateResult = held(GATE, f"no lock is here that can be installed: {KINDS}")
    for lock in _locks(trial):
        base = _base(court, lock)
        if isinstance(base, Court):
            return _with(trial, base, lock)
    assert isinstance(base, GateResult)
    return base


def _with(trial: Trial, base: Court, lock: str) -> GateResult:
    court = trial.court
    assert court.means.fitter is not None
    court.tell(f"installing what {lock} names with the change")
    with court.workshop.fresh(court.base) as tree:
        tree.apply(trial.proposal.diff)
        head = court.means.fitter.fitted(tree.root, lock, court.budget.limits(_share(court)).seconds)
    if head is None:
        return failed(GATE, f"with the change, {lock} cannot be installed here")
    if head == base.workshop:
        return failed(GATE, "what is installed stays the same with the change")
    told = court.means.fitter.told(head)
    for one in told:
        court.not_checked(f"whether what was installed is what was there once: {one}")
    trial.court, trial.dependencies = base, head
    words = f"the check fails with what {lock} installs at the base; what follows runs with what the change's does"
    return passed(GATE, "; ".join((words, *told)))


def _base(court: Court, lock: str) -> Court | GateResult:
    """The court with the dependencies of the base's lock, made once for all proposals; a verdict where it cannot be."""
    known = court.installed.get(lock)
    if known is None:
        known = court.installed[lock] = _made(court, lock)
    return known


def _made(court: Court, lock: str) -> Court | GateResult:
    assert court.means.fitter is not None
    court.tell(f"installing what {lock} names at the base")
    seconds = court.budget.limits(_share(court)).seconds
    try:
        with court.workshop.fresh(court.base) as tree:
            shop: Workshop | None = court.means.fitter.fitted(tree.root, lock, seconds)
    except TargetError as error:
        return held(GATE, f"what {lock} names at the base cannot be installed: {error.message}")
    if shop is None:
        return held(GATE, f"{lock} is no lock that can be installed here: {KINDS}")
    check = court.reproducer
    with shop.fresh(court.base) as tree:
        ran = check.run(tree, court.budget)
    found = failure(ran.code, ran.output, ran.ended)
    if found is None:
        return held(GATE, "the check passes with what the base's lock installs: what fails is installed otherwise")
    if found != check.reason:
        return held(GATE, f"with what the base's lock installs, the check fails otherwise: {found.words}")
    return replace(court, workshop=shop, looked=False, suite=None, before=None, wobbly=frozenset(), linted={})


def _locks(trial: Trial) -> list[str]:
    """Those that are changed."""
    paths = [file.path or file.before for file in trial.files]
    return [path for path in paths if is_lock(path)]


def _share(court: Court) -> float:
    return min(MAKE_S, SHARE * court.budget.left)
