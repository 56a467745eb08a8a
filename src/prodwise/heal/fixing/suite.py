"""The whole suite of the base, before and after: no test that passed may fail, or be gone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from prodwise.heal.fixing.trial import Court, Trial, failed, held, passed
from prodwise.loop.verify.nearby import imported
from prodwise.loop.verify.patch.protected import is_test
from prodwise.loop.verify.results import Results, Suite, instead, lost, results, suite_of
from prodwise.model.gate import GateResult
from prodwise.ports.repair import Ran, Tree

GATE: Final = "suite"
SHARE: Final = 0.3
"""Of the time that is left, for one run of the whole suite."""
FILES_MAX: Final = 20
OUTPUT: Final = 2_000_000
TOLD_MAX: Final = 3


def suite(trial: Trial) -> GateResult:
    """1. The base's results, once for all proposals. 2. The same with the change. 3. What is lost is asked again on both sides."""
    court = trial.court
    if not court.looked:
        court.looked = True
        _before(court, [one.path or one.before for one in trial.files])
    before, asked = court.before, court.suite
    if before is None or asked is None:
        return passed(GATE, "there is no other test to lose")
    with trial.head() as tree:
        ran = _run(court, tree, asked)
    after = results(asked, ran.code, ran.output)
    if not before.known:
        return _by_exit(before, after, ran.ended)
    if ran.ended and not after.known:
        return held(GATE, f"with the change, the suite was ended ({ran.ended})")
    missing = lost(before, after) - court.wobbly
    if missing and (doubt := _again(trial, asked, missing)) is not None:
        return doubt
    if before.code == 0 != after.code:
        return failed(GATE, f"the suite passed before, and ends with {after.code} with the change")
    skipped = (court.reproducer.reason.tests & before.failed) - after.passed
    if skipped:
        return failed(GATE, f"no longer fails, but does not pass either: {_some(skipped)}")
    whole = f"{len(before.passed)} tests passed before, all of them pass with the change"
    return passed(
        GATE,
        whole + (f"; {len(before.failed - after.failed)} that failed pass now" if before.failed - after.failed else ""),
    )


def _before(court: Court, changed: Sequence[str]) -> None:
    """Chooses what is run, by what there is and what there is time for."""
    found = suite_of(court.reproducer.fault.command, court.repository.paths)
    if found is None:
        court.not_checked("other tests: none were found that could be run here")
        return
    for one in (found, instead(found)):
        if one is None:
            continue
        ran = _on_base(court, one)
        if "No module named pytest" in ran.output:
            continue
        if ran.ended == "time":
            near = _near(court, changed)
            court.not_checked(
                "the whole suite: it takes too long"
                + (f"; {len(near)} test files near the change were run" if near else "")
            )
            if not near or one.kind != "pytest":
                return
            one = one.only(near)
            ran = _on_base(court, one)
            if ran.ended:
                return
        told = results(one, ran.code, ran.output)
        if ran.code == 5 or (one.kind == "unittest" and not told.known):
            court.not_checked("other tests: none were found that could be run here")
            return
        court.suite, court.before = one, told
        return
    court.not_checked("other tests: no runner for them is installed")


def _run(court: Court, tree: Tree, asked: Suite) -> Ran:
    return tree.run(asked.argv, court.budget.limits(max(5.0, SHARE * court.budget.left), OUTPUT))


def _on_base(court: Court, asked: Suite) -> Ran:
    with court.workshop.fresh(court.base) as tree:
        return _run(court, tree, asked)


def _near(court: Court, changed: Sequence[str]) -> list[str]:
    """Test files that import what is changed, and those that lie beside it."""
    repository, found = court.repository, list[str]()
    for path in sorted(repository.paths):
        named = is_test(path) and path.endswith(".py") and path.rsplit("/", 1)[-1].startswith("test")
        if named and set(changed) & set(imported(path, repository.text(path) or "", repository.paths)):
            found.append(path)
    return found[:FILES_MAX]


def _by_exit(before: Results, after: Results, ended: str) -> GateResult:
    if after.code == 0:
        return passed(GATE, "the whole suite passes with the change")
    if before.code == 0:
        return failed(GATE, f"the suite passed before, and {'was ended' if ended else 'fails'} with the change")
    return held(GATE, "the suite fails before and after, and does not tell its tests apart")


def _again(trial: Trial, asked: Suite, missing: frozenset[str]) -> GateResult | None:
    """Tests that pass now and then at the base prove nothing; one that does so only with the change holds it up."""
    court = trial.court
    ran = _on_base(court, asked)
    if ran.ended or not results(asked, ran.code, ran.output).known:
        return failed(GATE, f"{len(missing)} passed before and fail or are gone with the change: {_some(missing)}")
    court.wobbly |= missing - results(asked, ran.code, ran.output).passed
    if court.wobbly:
        court.not_checked(f"{len(court.wobbly)} tests that pass now and then at the base: {_some(court.wobbly)}")
    left = missing - court.wobbly
    if not left:
        return None
    with trial.head() as tree:
        again = _run(court, tree, asked)
    still = left - results(asked, again.code, again.output).passed
    if still:
        return failed(GATE, f"{len(still)} passed before and fail or are gone with the change: {_some(still)}")
    return held(GATE, f"flaky with the change: {_some(left)}")


def _some(names: frozenset[str]) -> str:
    told = sorted(names)[:TOLD_MAX]
    return ", ".join(name[:120] for name in told) + (
        f" and {len(names) - len(told)} more" if len(names) > len(told) else ""
    )
