"""The whole suite of the base, before and after: no test that passed may fail, or be gone."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Sequence
from itertools import islice
from typing import Final

from prodwise.heal.fixing.trial import Court, Trial, failed, held, passed
from prodwise.loop.verify.failure import NOTHING_RUN
from prodwise.loop.verify.nearby import imported
from prodwise.loop.verify.results import Results, Suite, instead, lost, own_tests, results, suite_of
from prodwise.model.gate import GateResult
from prodwise.ports.repair import Ran, Tree

GATE: Final = "suite"
WHOLE_SHARE: Final = 0.15
PART_SHARE: Final = 0.25
LAST_SHARE: Final = 0.4
"""Of the time that is left, for one run at the base: of the whole suite, which may turn out to be too long, of a part, and of what
there is nothing smaller than."""
LONGER: Final = 3.0
"""With the change, the same may take so many times as long."""
LEAST_S: Final = 5.0
HURRIED_S: Final = LEAST_S / WHOLE_SHARE
"""With less than this left the check's own test files are asked first; where those are not QUICK_S, only the FEW nearest are as well,
if there is FEW_OF times as much time as those took."""
QUICK_S: Final = LEAST_S / 4
FILES_MAX: Final = 20
FEW: Final = 4
FEW_OF: Final = 5.0
READ_MAX: Final = 400
AGAIN: Final = 3
OUTPUT: Final = 2_000_000
LATE: Final = "it takes too long"
HURRIED: Final = "too little time was left"
TOLD_MAX: Final = 3


def suite(trial: Trial) -> GateResult:
    """1. The base's results, once for all proposals. 2. The same with the change. 3. What is lost is asked again on both sides."""
    court = trial.court
    if not court.looked:
        court.suite, court.before, court.late = None, None, ""
        _before(court, [one.path or one.before for one in trial.files])
        court.looked = True  # not where that failed: what could not be asked is no suite without tests
    before, asked = court.before, court.suite
    if court.late:
        return held(GATE, f"no other test could be asked: {court.late}; more time may tell")
    if before is None or asked is None:
        return passed(GATE, "there is no other test to lose")
    court.tell(f"the suite with the change ({court.suite_s:.0f} s at the base)")
    with trial.head() as tree:
        ran = _run(court, tree, asked, max(LEAST_S, LONGER * court.suite_s))
    after = trial.suite = results(asked, ran.code, ran.output)
    if not before.known:
        return _by_exit(before, after, ran.ended)
    if ran.ended and not after.known:
        return held(GATE, f"with the change, the suite was ended ({ran.ended})")
    missing = lost(before, after) - court.wobbly
    if left := _taken_along(trial, asked, missing - after.failed):
        missing -= left
        court.not_checked(f"{len(left)} tests that came with the commit, and go with it: {_some(left)}")
    if missing and (doubt := _again(trial, asked, missing)) is not None:
        return doubt
    if before.code == 0 != after.code and not court.wobbly:
        return failed(GATE, f"the suite passed before, and ends with {after.code} with the change")
    skipped = (court.reproducer.reason.tests & before.failed) - after.passed
    if skipped:
        return failed(GATE, f"no longer fails, but does not pass either: {_some(skipped)}")
    whole = f"{len(before.passed)} tests passed before, all of them pass with the change"
    return passed(
        GATE,
        whole + (f"; {len(before.failed - after.failed)} that failed pass now" if before.failed - after.failed else ""),
    )


def notices(trial: Trial, tree: Tree) -> bool:
    """Whether a test that passes with the change does not pass in this tree."""
    court, known = trial.court, trial.suite
    if court.suite is None or known is None or not known.passed:
        return False
    ran = _run(court, tree, court.suite, max(LEAST_S, LONGER * court.suite_s))
    told = results(court.suite, ran.code, ran.output)
    return told.known and bool(known.passed - told.passed - court.wobbly)


def _before(court: Court, changed: Sequence[str]) -> None:
    """Chooses what is run, by what there is and what there is time for: the whole suite, else a part of it."""
    found = suite_of(court.reproducer.fault.command, court.repository.paths)
    for one in (found, instead(found)) if found else ():
        if one is None:
            continue
        parts = _parts(court, one, changed)
        if court.budget.left < HURRIED_S and (told := _of(court, parts[-1:], HURRIED)) and court.suite_s > QUICK_S:
            few = parts[-2:-1] if court.budget.left > FEW_OF * court.suite_s else []
            told = _of(court, few, HURRIED, PART_SHARE) or told
            court.not_checked(f"the whole suite: {HURRIED}; {told} were run")
            return
        court.tell("running the suite at the base")
        ran = _on_base(court, one, WHOLE_SHARE if parts else LAST_SHARE)
        if "No module named pytest" in ran.output:
            continue
        if why := _taken(court, one, ran):
            told = _of(court, parts, why)
            court.not_checked(f"the whole suite: {why}; {told} were run" if told else f"other tests: {why}")
            court.late = why if why == LATE and not told else ""
        return
    none = "no runner for them is installed" if found else "none were found that could be run here"
    court.not_checked(f"other tests: {none}")


def _parts(court: Court, whole: Suite, changed: Sequence[str]) -> list[tuple[Suite, str]]:
    """Less than the whole, in words too: test files that import what is changed, the nearest of them, that of the failing check."""
    own = list(own_tests(court.reproducer.fault.command, court.repository.paths))
    near = list(dict.fromkeys([*own, *_near(court, changed)]))[:FILES_MAX]
    many, found = len(_tests(court)), list[tuple[Suite, str]]()
    for files, words in ((near, "near the change"), (near[:FEW], "nearest to the change"), (own, "of the check")):
        fewer = whole.only(files) if files and len(files) < many else None
        if fewer is not None and all(fewer != one for one, _ in found):
            found.append((fewer, f"{len(files)} test files {words}"))
    return found


def _of(court: Court, parts: Sequence[tuple[Suite, str]], why: str, last: float = LAST_SHARE) -> str:
    """The first part that can be run is what counts; its words, "" for none. last: the share of the time for the last of them."""
    for part, words in parts:
        court.tell(f"the whole suite: {why}; now {words}")
        share = last if part is parts[-1][0] else PART_SHARE
        if not _taken(court, part, _on_base(court, part, share)):
            return words
    return ""


def _taken(court: Court, asked: Suite, ran: Ran) -> str:
    """Keeps this as what counts; says why it is not enough, "" if it is."""
    told = results(asked, ran.code, ran.output)
    if ran.ended == "time":
        return LATE
    if ran.code == NOTHING_RUN or (asked.kind == "unittest" and not told.known):
        return "none were found that could be run here"
    if told.known or ran.code == 0:
        court.suite, court.before, court.suite_s = asked, told, ran.seconds
    return "no test of it passes here" if ran.code != 0 and not told.passed else ""


def _run(court: Court, tree: Tree, asked: Suite, seconds: float) -> Ran:
    return tree.run(asked.command, court.budget.limits(seconds, OUTPUT))


def _on_base(court: Court, asked: Suite, share: float) -> Ran:
    with court.workshop.fresh(court.base) as tree:
        return _run(court, tree, asked, max(LEAST_S, share * court.budget.left))


def _near(court: Court, changed: Sequence[str]) -> list[str]:
    """Test files that import what is changed, those first that name it most: as many as are run, and so many read at the most."""
    text, paths, wanted = court.repository.text, court.repository.paths, frozenset(changed)
    words = tuple(name for path in changed for name in _names(path))
    named = {path: sum((text(path) or "").count(word) for word in words) for path in _tests(court)}
    naming = sorted((path for path, many in named.items() if many), key=lambda path: -named[path])
    importing = (
        path for path in islice(naming, READ_MAX) if not wanted.isdisjoint(imported(path, text(path) or "", paths))
    )
    return list(islice(importing, FILES_MAX))


def _names(path: str) -> tuple[str, ...]:
    """One of these stands in whatever imports the file."""
    stem, folder = posixpath.basename(path).partition(".")[0], posixpath.basename(posixpath.dirname(path))
    return (folder, "from .") if stem == "__init__" and folder else (stem,)


def _tests(court: Court) -> list[str]:
    return sorted(
        path for path in court.repository.paths if re.fullmatch(r"(?:.*/)?(?:tests?[_.].*|[^/]*_tests?\.)py", path)
    )


def _by_exit(before: Results, after: Results, ended: str) -> GateResult:
    if after.code == 0:
        return passed(GATE, "the whole suite passes with the change")
    if before.code == 0:
        return failed(GATE, f"the suite passed before, and {'was ended' if ended else 'fails'} with the change")
    return held(GATE, "the suite fails before and after, and does not tell its tests apart")


def _again(trial: Trial, asked: Suite, missing: frozenset[str]) -> GateResult | None:
    """Tests that pass now and then at the base prove nothing; nor does one that failed once with the change and then no more."""
    court = trial.court
    asked = _of_these(asked, missing, court.repository.paths) or asked
    court.tell(f"{len(missing)} tests again: {_some(missing)}")
    with court.workshop.fresh(court.base) as tree:
        ran = _run(court, tree, asked, max(LEAST_S, LONGER * court.suite_s))
    told = results(asked, ran.code, ran.output)
    if ran.ended or not told.known:
        return failed(GATE, f"{len(missing)} passed before and fail or are gone with the change: {_some(missing)}")
    left = missing & told.passed
    for turn in range(AGAIN if left else 0):
        with trial.head() as tree:
            again = _run(court, tree, asked, max(LEAST_S, LONGER * court.suite_s))
        still = left - results(asked, again.code, again.output).passed
        if still and turn:
            return held(GATE, f"flaky with the change: {_some(still)}")
        if still:
            return failed(GATE, f"{len(still)} passed before and fail or are gone with the change: {_some(still)}")
    court.wobbly |= missing
    court.not_checked(f"{len(court.wobbly)} tests that do not always pass: {_some(court.wobbly)}")
    return None


def _of_these(asked: Suite, tests: frozenset[str], paths: Collection[str]) -> Suite | None:
    """The files of these tests, where their names tell them."""
    files = {posixpath.normpath(posixpath.join(asked.folder, name.split("::")[0])) for name in tests}
    return asked.only(sorted(files)) if asked.kind == "pytest" and files <= set(paths) else None


def _taken_along(trial: Trial, asked: Suite, gone: frozenset[str]) -> frozenset[str]:
    """Those that stand in test files of a commit that is taken back exactly, where their names tell; they are gone, not failing."""
    if not trial.tests:
        return frozenset()
    return frozenset(name for name in gone if any(_in(name, file, asked) for file in trial.tests))


def _in(name: str, file: str, asked: Suite) -> bool:
    """Whether a test's name says that it stands there: "tests/test_a.py::test_b", or "test_b (tests.test_a.Tests.test_b)"."""
    if asked.kind == "unittest":
        module = posixpath.relpath(file, asked.folder or ".").removesuffix(".py").replace("/", ".")
        return f"({module}." in name
    return asked.kind == "pytest" and posixpath.normpath(posixpath.join(asked.folder, name.split("::")[0])) == file


def _some(names: frozenset[str]) -> str:
    told = sorted(names)[:TOLD_MAX]
    return ", ".join(name[:120] for name in told) + (
        f" and {len(names) - len(told)} more" if len(names) > len(told) else ""
    )
