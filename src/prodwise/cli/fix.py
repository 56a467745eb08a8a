"""`prodwise fix`: a failing check, or a trace, in; a verified patch out. The repository itself is never touched."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final

from prodwise.cli.codes import Code
from prodwise.cli.desk import SCHEMA_VERSION, Desk, colourful, paint
from prodwise.cli.fit import tell
from prodwise.cli.interrupts import once
from prodwise.clock import monotonic
from prodwise.heal.fixing.budget import Budget, BudgetOver
from prodwise.heal.fixing.check import Wanted, check, planned
from prodwise.heal.fixing.gates import GATES
from prodwise.heal.fixing.given import Given, NotReproduced
from prodwise.heal.fixing.story import Fix, repair
from prodwise.loop.publish.why import why
from prodwise.model.errors import Refused, UsageError
from prodwise.model.gate import GateResult, Verdict
from prodwise.server.views.words import visible
from prodwise.wiring import repair as parts

TRACE_MAX: Final = 4_000_000
QUIET_S: Final = 15.0
_MARKS: Final = {Verdict.PASS: ("✓", "good"), Verdict.HOLD: ("▲", "warn"), Verdict.FAIL: ("✗", "bad")}
_DIFF: Final = {"+": "good", "-": "bad", "@": "accent"}


@dataclass(frozen=True)
class Wish:
    """What is to be fixed: a test's command, a file with a trace or with a request, or an incident of the app in `repo`. budget:
    seconds."""

    repo: Path
    test: str = ""
    trace: str = ""
    request: str = ""
    incident: str = ""
    model: str = parts.NO_MODEL
    budget: float = 120.0
    json: str = ""
    dry_run: bool = False


def fix_command(desk: Desk, wish: Wish) -> int:
    """Exit 0 fixed, 1 no fix, 2 usage, 6 refused, 124 when the budget is over."""
    if not (wish.test or wish.trace or wish.request or wish.incident):
        raise UsageError(
            "say what is to be fixed",
            "give --test with a failing command, --trace or --request with a file, or --incident with an id",
        )
    if wish.request and wish.test:
        raise UsageError("both a command and a request are given", "a failing command says all: leave --request out")
    if not wish.repo.is_dir():
        raise UsageError(f"{wish.repo} is not a folder", "--repo takes the folder of a repository")
    budget = Budget(wish.budget)

    said = monotonic()

    def say(line: str) -> None:
        nonlocal said
        said = monotonic()
        desk.say(f"{budget.spent:5.1f} s  {line}", "dim")

    names = parts.repairers(wish.model, wish.repo, say)
    with once(), _opened(wish) as (workshop, base, wanted), not_silent(say, lambda: said):
        asked = planned(wanted, workshop, base, str(workshop.directory)) if wish.dry_run else None
        if isinstance(asked, Given):
            return _plan(desk, asked, [one.name for one in names], budget)
        if isinstance(asked, NotReproduced):
            fix = Fix("refused" if asked.refused else "no_fix", asked.reason, seconds=budget.spent)
        else:
            order = parts.unhurried(names) if wanted.suspects else names
            fix = _fix(wanted, workshop, base, order, budget, say)
    _hand_over(desk, fix, wish.json, wish.repo)
    return _code(fix)


@contextmanager
def _opened(wish: Wish) -> Iterator[tuple[Any, str, Wanted]]:
    """(workshop, base, what is wanted): what is in the folder now; for an incident the release with the fault, and how it showed."""
    if not wish.incident:
        trace = _read(wish.trace, "--trace") if wish.trace else ""
        request = _read(wish.request, "--request") if wish.request else ""
        with parts.workshop(wish.repo, [wish.test]) as workshop:
            yield workshop, workshop.base, Wanted(wish.test, trace, request)
        return
    from prodwise.wiring import mending

    asked = mending.asked(wish.repo, wish.incident)
    with mending.workshop(wish.repo, asked.release.id) as workshop:
        yield workshop, asked.release.commit, mending.wanted(wish.repo, asked)


@contextmanager
def not_silent(say: Callable[[str], None], said: Callable[[], float], quiet: float = QUIET_S) -> Iterator[None]:
    """Says that it is still at it whenever nothing was said for a while. said: when something was said last."""
    over = Event()

    def watch() -> None:
        while not over.wait(min(1.0, quiet)):
            if monotonic() - said() >= quiet:
                say("still at it")

    watching = Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield
    finally:
        over.set()
        watching.join()


def _fix(wanted: Wanted, workshop: Any, base: str, names: Any, budget: Budget, say: Any) -> Fix:
    try:
        found = check(wanted, workshop, base, budget, str(workshop.directory), say)
        return repair(found, names, workshop, base, budget, say, parts.means(workshop))
    except BudgetOver as error:
        return Fix("no_fix", error.message, seconds=budget.spent, over=True)
    except Refused as error:
        return Fix("refused", error.message, seconds=budget.spent)


def _code(fix: Fix) -> int:
    if fix.status == "fixed":
        return Code.OK
    if fix.status == "refused":
        return Code.REFUSED
    return Code.TIMED_OUT if fix.over else Code.FAILED


def _read(name: str, option: str) -> str:
    try:
        with sys.stdin.buffer if name == "-" else Path(name).open("rb") as file:
            content = file.read(TRACE_MAX + 1)
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror}", f"{option} takes a file, or - for stdin") from None
    if len(content) > TRACE_MAX:
        raise UsageError(f"{name} is longer than {TRACE_MAX // 1_000_000} MB", "give the part with the failure")
    return content.decode("utf-8", "replace")


def _plan(desk: Desk, asked: Given, names: list[str], budget: Budget) -> int:
    """What would be done; nothing of the repository is run."""
    desk.show(f"check     {paint(asked.shown, 'bold')}", f"ask       {paint(', '.join(names) or 'nobody', '')}")
    desk.show(
        f"gates     {', '.join(gate.__name__.replace('_', ' ') for gate in GATES)}", f"within    {budget.seconds:.0f} s"
    )
    if asked.text:
        desk.show("", *(paint(line, "dim") for line in asked.text.splitlines()))
    return Code.OK


def _hand_over(desk: Desk, fix: Fix, json_file: str, repo: Path) -> None:
    if json_file == "-":
        desk.data(**as_json(fix))
        return
    if json_file:
        try:
            Path(json_file).write_text(json.dumps({"schema_version": SCHEMA_VERSION, **as_json(fix)}, indent=2) + "\n")
        except OSError as error:
            raise UsageError(
                f"cannot write {json_file}: {error.strerror}", "--json takes a file, or - for stdout"
            ) from None
    _tell(desk, fix, json_file, repo)


def as_json(fix: Fix) -> dict[str, Any]:
    return {
        "status": fix.status,
        "diff": fix.proposal.diff if fix.proposal else "",
        "repairer": fix.proposal.repairer if fix.proposal else "",
        "gates": [_gate(one) for one in fix.gates],
        "seconds": round(fix.seconds, 3),
        "reason": fix.reason,
        "kind": fix.proposal.kind.value if fix.proposal else "",
        "not_checked": list(fix.unchecked),
        "reproducer": fix.reproducer,
        "tried": [
            {"repairer": one.proposal.repairer, "why": one.proposal.why, "passed": one.passed, **_gate(one.gates[-1])}
            for one in fix.tried
        ],
    }


def _gate(one: GateResult) -> Mapping[str, str]:
    return {"name": one.gate, "verdict": one.verdict.value, "reason": one.reason}


def _tell(desk: Desk, fix: Fix, json_file: str, repo: Path) -> None:
    """The diff, what each gate said, what none could look at, and what to do next."""
    if fix.proposal:
        for line in fix.proposal.diff.splitlines():
            print(_painted(line))
        print()
    for one in fix.gates:
        mark, style = _MARKS[one.verdict]
        tell(f"{paint(mark, style)} {one.verdict.value:<4}  {one.gate:<13} {paint(one.reason, '')}")
    for line in fix.unchecked:
        tell(f"{paint('Not checked:', 'dim')} {paint(line, '')}")
    mark, style, word = {
        "fixed": ("✓", "good", "Fixed"), "no_fix": ("▲", "warn", "No fix"), "refused": ("■", "bad", "Refused"),
    }[fix.status]  # fmt: skip
    by = f" ({fix.proposal.repairer})" if fix.proposal else ""
    said = f"; {why(fix.proposal)}" if fix.proposal else f": {fix.reason}"
    tell(f"\n{paint(mark, style)} {paint(word, 'bold')}{by} after {fix.seconds:.1f} s{paint(said, '')}")
    if fix.proposal:
        how = (
            f"jq -r .diff {json_file} | git -C {repo} apply"
            if json_file
            else f"save the diff, then git -C {repo} apply FILE"
        )
        desk.say(f"next     {how}", "accent")


def _painted(line: str) -> str:
    style = _DIFF.get(line[:1], "")
    shown = visible(line, 4000)
    return paint(shown, style) if style and colourful(sys.stdout) else shown
