"""What is known before anything is tried: that the check fails each time, how, and which lines it runs that others do not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from prodwise.loop.diagnose.tracebacks import read as read_traceback
from prodwise.model.event import Frame
from prodwise.model.patch import Fault
from prodwise.ports.repair import Ran
from prodwise.repair import commands
from prodwise.repair.company import in_company
from prodwise.repair.localise import Spectrum
from prodwise.repair.probe import Covered, Probe, Test
from prodwise.repair.values import Calls

# No edit of the program ends these: a machine, a network, or an installation is at fault.
ELSEWHERE = frozenset((
    "ConnectionError", "ConnectionRefusedError", "ConnectionResetError", "BrokenPipeError", "PermissionError", "MemoryError",
    "TimeoutError", "gaierror", "SSLError", "ProxyError", "OperationalError", "ModuleNotFoundError", "KeyboardInterrupt",
    "SyntaxError", "IndentationError", "BlockingIOError", "InterruptedError", "ConnectError", "ConnectTimeout", "URLError",
))  # fmt: skip
ASSERTED = ("AssertionError", "Failed", "Skipped")
HANG_S = 2.0
"""Of processor time, with lines noted, after which a test is taken for endless; the plain run decides."""
HANG_PLAIN_S = 6.0
SLOW_S = 30.0
LEAST_S = 0.35
QUICK_S = 0.12
QUICK_MOST_S = 1.5
"""What the slowest test of the file tells of the failing one's time has this end."""
IDLE_S = 1.5
SAID_MOST = 20_000
_COUNTS = re.compile(r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed)\b")


@dataclass(frozen=True, slots=True)
class Told:
    """What the failing check told of its end."""

    error: str
    message: str
    frames: tuple[Frame, ...]


@dataclass(frozen=True, slots=True)
class Seconds:
    """each: processor time that one try may take; quick: a first look at it; plain: wall time of a run in a process of its own;
    idle: for which nothing of a try need compute."""

    each: float
    quick: float
    plain: float
    idle: float


@dataclass(frozen=True, slots=True)
class Scene:
    """passing: the tests of the file that pass; known: those that fail on the base beside the targets; targets: those to be ended,
    the quickest first; breaks: each of them ends with an error or never, none with a wrong answer."""

    check: commands.Check
    error: str
    message: str
    frames: tuple[Frame, ...]
    spectrum: Spectrum
    passing: frozenset[str]
    known: frozenset[str]
    targets: tuple[str, ...]
    breaks: bool
    limits: Seconds
    said: str = ""
    """The end of what the failing check printed."""
    calls: Calls = field(default_factory=Calls)


def look(probe: Probe, fault: Fault, seconds: float) -> Scene | None:
    """None where nothing should be tried: the check passes, passes sometimes, never started, or fails for a cause outside.

    1. With its lines noted. 2. Plainly: it must fail again, and the same way. 3. The rest of its file, for what passing tests run.
    """
    check = in_company(commands.read(fault.command, lambda path: (probe.tree.root / path).is_file()), probe)
    probe.env, probe.lean = check.env, bool(check.pytest)
    covered = probe.cover(check.command, None, max(20.0, seconds / 4), HANG_S)
    hangs = covered.ran.code is None or "computes without end" in covered.ran.output
    first = probe.plain(check.command, None, HANG_PLAIN_S if hangs else max(20.0, seconds / 4))
    if not _fails(first, bool(check.pytest)):
        return None
    slow = hangs and first.code is not None
    if slow or (probe.lean and not _alike(covered, first)):
        probe.lean = probe.lean and slow
        covered = probe.cover(check.command, None, max(20.0, seconds / 4), HANG_S if first.code is None else SLOW_S)
    if covered.ran.code == 0:
        return None
    told = read_traceback(first.output if first.code is not None else covered.ran.output, covered.root)
    error = told.error or fault.error
    message = told.message or fault.message or said_of(error, first.output)
    if error.rpartition(".")[2] in ELSEWHERE:
        return None
    if covered.tests and not any(test.failed for test in covered.tests):
        return None
    return _scene(probe, check, covered, Told(error, message, told.frames or fault.frames), first, seconds)


def said_of(error: str, output: str) -> str:
    """What stands beside the last error of this name: a runner may show it apart from its frames."""
    name = re.escape(error.rpartition(".")[2])
    found = re.findall(rf"^(?:E\s+)?(?:\w{{1,60}}\.){{0,6}}{name}: (.{{1,500}})", output[-SAID_MOST:], re.MULTILINE)
    return found[-1].strip() if error and found else ""


def _scene(probe: Probe, check: commands.Check, covered: Covered, told: Told, first: Ran, seconds: float) -> Scene:
    failing = sorted((test for test in covered.tests if test.failed), key=lambda test: test.cpu)
    lines = [test.lines for test in failing] or ([covered.loading] if covered.loading else [])
    rest = _rest(probe, check, sorted({path for one in lines for path in one}), seconds)
    targets = tuple(dict.fromkeys(test.name for test in failing))
    known = frozenset(test.name for test in rest.tests if test.failed) - set(targets)
    good = [test for test in (*covered.tests, *rest.tests) if not test.failed and test.name not in {*targets, *known}]
    spectrum = Spectrum(tuple(lines), tuple(test.lines for test in good), covered.loading)
    breaks = all(test.error not in ("", *ASSERTED) for test in failing)
    passing = frozenset(test.name for test in good)
    calls = Calls(tuple(test.calls for test in failing), tuple(call for test in good for call in test.calls))
    return Scene(check, told.error, told.message, told.frames, spectrum, passing, known, targets, breaks,
                 _limits(failing, good, first), first.output[-SAID_MOST:], calls)  # fmt: skip


def _limits(failing: Sequence[Test], good: Sequence[Test], first: Ran) -> Seconds:
    """In proportion to what the tests took with their lines noted, which is several times what they take in a try."""
    calm = [test.cpu for test in failing if test.error != "Hangs"]
    each = LEAST_S + 2 * sum(test.cpu for test in good) + 2 * sum(calm)
    quick = QUICK_S + min(QUICK_MOST_S, max((2 * test.cpu for test in good), default=0.0)) + 2 * sum(calm[:3])
    waited = max((test.wall for test in (*failing, *good) if test.error != "Hangs"), default=0.0)
    plain = HANG_PLAIN_S if first.code is None else max(5.0, 3 * first.seconds)
    return Seconds(each, min(quick, each), plain, max(IDLE_S, 1.5 * waited))


def _alike(covered: Covered, first: Ran) -> bool:
    """Whether the tests fail the same way without the installed plugins: as many, with the same error."""
    if not any(test.failed for test in covered.tests):
        return False
    if first.code is None:
        return True
    counts = [{word: many for many, word in _COUNTS.findall(ran.output)} for ran in (covered.ran, first)]
    hung = "computes without end" in covered.ran.output
    same = read_traceback(covered.ran.output, covered.root).error == read_traceback(first.output, covered.root).error
    return counts[0] == counts[1] and (same or hung)


def _fails(ran: Ran, pytest: bool) -> bool:
    """A run that was ended for its time may hang; any other end from outside says nothing about the program."""
    if ran.code is None:
        return ran.ended == "time"
    return ran.code != 0 and not (pytest and ran.code in (3, 4, 5)) and ran.code not in (126, 127)


def _rest(probe: Probe, check: commands.Check, paths: Sequence[str], seconds: float) -> Covered:
    if check.whole is None:
        return Covered(Ran(0, "", 0.0))
    return probe.cover(check.whole, paths, max(15.0, seconds / 5), HANG_S * 2)
