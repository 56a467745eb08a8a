"""A pin is tried where its version is installed: the check fails with the base's dependencies, and must pass with its own."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import Final

from prodwise.heal.fixing.trial import Court, Trial, failed, held, passed
from prodwise.loop.verify.failure import failure
from prodwise.loop.verify.patch.protected import is_lock, is_manifest
from prodwise.model.action import ActionKind
from prodwise.model.errors import TargetError
from prodwise.model.gate import GateResult
from prodwise.ports.repair import Workshop

GATE: Final = "installed"
MAKE_S: Final = 120.0
SHARE: Final = 0.4
"""Of the time that is left, for one environment: two are made."""


def installed(trial: Trial) -> GateResult:
    """1. The base's dependencies, from its lock. 2. The check fails there too, for its reason. 3. The change's. What is asked after
    this runs the base with the one and the change with the other."""
    if trial.proposal.kind is not ActionKind.PIN:
        return passed(GATE, "the dependencies stay as they are")
    court = trial.court
    if court.means.fitter is None:
        return held(GATE, "nobody is here who could install what the lock names")
    folder = _folder(trial)
    base = _base(court, folder)
    if isinstance(base, GateResult):
        return base
    court.tell("installing what the change names")
    with court.workshop.fresh(court.base) as tree:
        tree.apply(trial.proposal.diff)
        head = court.means.fitter.fitted(tree.root, folder, court.budget.limits(_share(court)).seconds)
    if head is None:
        return failed(GATE, "with the change, there is no lock that can be installed here")
    if head == base.workshop:
        return failed(GATE, "what is installed stays the same with the change")
    trial.court, trial.dependencies = base, head
    return passed(
        GATE, "the check fails with what the base's lock installs; what follows runs with what the change's does"
    )


def _base(court: Court, folder: str) -> Court | GateResult:
    """The court with the dependencies of the base's lock, made once for all proposals; a verdict where it cannot be."""
    known = court.installed.get(folder)
    if known is None:
        known = court.installed[folder] = _made(court, folder)
    return known


def _made(court: Court, folder: str) -> Court | GateResult:
    assert court.means.fitter is not None
    court.tell("installing what the base's lock names")
    seconds = court.budget.limits(_share(court)).seconds
    try:
        with court.workshop.fresh(court.base) as tree:
            shop: Workshop | None = court.means.fitter.fitted(tree.root, folder, seconds)
    except TargetError as error:
        return held(GATE, f"what the base's lock names cannot be installed: {error.message}")
    if shop is None:
        return held(GATE, "no lock is here that can be installed: uv.lock, requirements*.txt or package-lock.json")
    check = court.reproducer
    with shop.fresh(court.base) as tree:
        ran = check.run(tree, court.budget)
    found = failure(ran.code, ran.output, ran.ended)
    if found is None:
        return held(GATE, "the check passes with what the base's lock installs: what fails is installed otherwise")
    if found != check.reason:
        return held(GATE, f"with what the base's lock installs, the check fails otherwise: {found.words}")
    return replace(court, workshop=shop, looked=False, suite=None, before=None, wobbly=frozenset(), linted={})


def _folder(trial: Trial) -> str:
    """Where the lock lies that is changed."""
    paths = [file.path or file.before for file in trial.files]
    locks = [path for path in paths if is_lock(path)] or [path for path in paths if is_manifest(path)]
    return posixpath.dirname(locks[0]) if locks else ""


def _share(court: Court) -> float:
    return min(MAKE_S, SHARE * court.budget.left)
