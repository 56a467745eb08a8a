"""What a pin brings in: vulnerabilities that are known of it, and the licence that it states. Offline, with what a person gave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from prodwise.heal.fixing.trial import Trial, failed, held, passed
from prodwise.loop.changes.locks import is_lock
from prodwise.loop.diagnose.logs.manifests import ecosystem_of
from prodwise.loop.verify.advisories import affects, allowed
from prodwise.loop.verify.dependencies import Moved, moved
from prodwise.model.action import ActionKind
from prodwise.model.breakage import Ecosystem
from prodwise.model.errors import TargetError
from prodwise.model.gate import GateResult

GATE: Final = "audit"
SHOWN: Final = 3


def audit(trial: Trial) -> GateResult:
    """1. No vulnerability comes that the version in use has not. 2. The licence is allowed, and a change of it is told."""
    if trial.proposal.kind is not ActionKind.PIN:
        return passed(GATE, "none is changed")
    told = list[str]()
    for one in _moves(trial):
        for look in (_vulnerable, _licensed):
            said = look(trial, one)
            if isinstance(said, GateResult):
                return said
            told.append(said)
    return passed(
        GATE, "; ".join(part for part in dict.fromkeys(told) if part) or "what was asked for was found in order"
    )


def _moves(trial: Trial) -> Iterator[Moved]:
    for file in trial.files:
        if is_lock(file.path):
            before = trial.court.repository.text(file.path) or ""
            yield from moved(file.path, before, trial.after.get(file.path, ""), ())


def _vulnerable(trial: Trial, one: Moved) -> GateResult | str:
    means, ecosystem = trial.court.means, ecosystem_of(one.path)
    if means.advisories is None or ecosystem is None:
        trial.court.not_checked(f"known vulnerabilities of {one.name}: no database of them was given")
        return ""
    trial.court.budget.limits(1.0)  # raises when the time is over: each package has the whole database read
    try:
        entries = means.advisories.known(ecosystem, one.name)
        found, had = (_ids(entries, ecosystem, one.name, versions) for versions in (one.versions, one.before))
    except (TargetError, ValueError) as error:
        return held(GATE, f"the database of vulnerabilities cannot be used: {error}")
    what = f"{one.name} {', '.join(one.versions)}"
    if new := sorted(found - had):
        return failed(
            GATE, f"{what} is known to be vulnerable, and the version in use is not: {', '.join(new[:SHOWN])}"
        )
    return (
        f"{what} has known vulnerabilities, as the version in use: {', '.join(sorted(found)[:SHOWN])}" if found else ""
    )


def _ids(entries: Sequence[Mapping[str, Any]], ecosystem: Ecosystem, name: str, versions: tuple[str, ...]) -> set[str]:
    return {
        str(entry.get("id", "?"))[:60]
        for entry in entries
        for version in versions
        if affects(entry, ecosystem, name, version)
    }


def _licensed(trial: Trial, one: Moved) -> GateResult | str:
    means, head = trial.court.means, trial.dependencies
    if means.fitter is None or head is None:
        return held(GATE, "nothing is installed of which a licence could be read")
    now, then = (means.fitter.licence(shop, one.name) for shop in (trial.court.workshop, head))
    if means.licences and not then:
        return held(GATE, f"{one.name} {', '.join(one.versions)} states no licence")
    if means.licences and not allowed(then, means.licences):
        return failed(GATE, f"the licence of {one.name} {', '.join(one.versions)}, {then}, is not among those allowed")
    if not then:
        trial.court.not_checked(f"the licence of {one.name}: it states none")
    return (
        f"the licence of {one.name} goes from {now or 'none stated'} to {then or 'none stated'}" if now != then else ""
    )
