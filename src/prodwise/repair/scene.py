"""What is known before anything is tried: that the check fails each time, how, and which lines it runs that others do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from prodwise.loop.diagnose.tracebacks import read as read_traceback
from prodwise.model.event import Frame
from prodwise.model.patch import Fault
from prodwise.ports.repair import Ran
from prodwise.repair import commands
from prodwise.repair.localise import Spectrum
from prodwise.repair.probe import Covered, Probe

# No edit of the program ends these: a machine, a network, or an installation is at fault.
ELSEWHERE = frozenset((
    "ConnectionError", "ConnectionRefusedError", "ConnectionResetError", "BrokenPipeError", "PermissionError", "MemoryError",
    "TimeoutError", "gaierror", "SSLError", "ProxyError", "OperationalError", "ModuleNotFoundError", "KeyboardInterrupt",
    "SyntaxError", "IndentationError", "BlockingIOError", "InterruptedError", "ConnectError", "ConnectTimeout", "URLError",
))  # fmt: skip
HANG_S = 4.0


@dataclass(frozen=True, slots=True)
class Scene:
    """whole: names of the tests of the file that pass, known: those that fail on the base; hangs: it never ends by itself;
    each_s: how long one try may take."""

    check: commands.Check
    error: str
    message: str
    frames: tuple[Frame, ...]
    spectrum: Spectrum
    passing: frozenset[str]
    known: frozenset[str]
    targets: frozenset[str]
    each_s: float


def look(probe: Probe, fault: Fault, seconds: float) -> Scene | None:
    """None where nothing should be tried: the check passes, passes sometimes, never started, or fails for a cause outside.

    1. Once plainly. 2. Once with its lines noted: it must fail again. 3. The rest of its file, for what passing tests run.
    """
    check = commands.read(fault.command, lambda path: (probe.tree.root / path).is_file())
    first = probe.plain(check.command, None, max(20.0, seconds / 4))
    if not _fails(first, bool(check.pytest)):
        return None
    covered = probe.cover(check.command, None, max(20.0, seconds / 4), HANG_S if first.code is None else 30.0)
    if covered.ran.code == 0:
        return None
    told = read_traceback(first.output or fault.output, covered.root)
    error, message = told.error or fault.error, told.message or fault.message
    if error.rpartition(".")[2] in ELSEWHERE:
        return None
    failing = [test for test in covered.tests if test.failed]
    if covered.tests and not failing:
        return None
    lines = [test.lines for test in failing] or ([covered.loading] if covered.loading else [])
    rest = _rest(probe, check, sorted({path for one in lines for path in one}), seconds)
    good = [test for test in (*covered.tests, *rest.tests) if not test.failed]
    targets = frozenset(test.name for test in failing)
    spectrum = Spectrum(tuple(lines), tuple(test.lines for test in good), covered.loading)
    known = frozenset(test.name for test in rest.tests if test.failed) - targets
    each = 1.5 if first.code is None else max(0.8, 2.0 * first.seconds)
    return Scene(check, error, message, told.frames or fault.frames, spectrum, frozenset(test.name for test in good), known,
                 targets, each)  # fmt: skip


def _fails(ran: Ran, pytest: bool) -> bool:
    """A run that was ended for its time may hang; any other end from outside says nothing about the program."""
    if ran.code is None:
        return ran.ended == "time"
    return ran.code != 0 and not (pytest and ran.code in (3, 4, 5)) and ran.code not in (126, 127)


def _rest(probe: Probe, check: commands.Check, paths: Sequence[str], seconds: float) -> Covered:
    if check.whole is None:
        return Covered(Ran(0, "", 0.0))
    return probe.cover(check.whole, paths, max(15.0, seconds / 5), HANG_S * 2)
