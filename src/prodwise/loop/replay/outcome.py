"""How a request ended here, and whether that is the failure that was asked for, or only the want of what is not here."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from prodwise.loop.diagnose import tracebacks
from prodwise.loop.replay.text import NOT_HERE, TEST
from prodwise.loop.verify.traced import Traced
from prodwise.model.event import Frame

OUTSIDE: Final = frozenset({
    "ConnectionError", "ConnectionRefusedError", "ConnectionResetError", "ConnectionAbortedError", "BrokenPipeError",
    "TimeoutError", "ConnectTimeout", "ReadTimeout", "ConnectError", "NewConnectionError", "MaxRetryError", "URLError", "gaierror",
    "NameResolutionError", "herror", "SSLError", "ProxyError", "OperationalError", "InterfaceError", "DatabaseError", "MemoryError",
    "ServerSelectionTimeoutError", "FileNotFoundError", "PermissionError", "ModuleNotFoundError", "ImportError", "BlockingIOError",
})  # fmt: skip
"""Errors of networks, databases, files and installations: here they say nothing about production."""
_ROWS: Final = frozenset({"DoesNotExist", "NoResultFound", "ObjectDoesNotExist", "MultipleResultsFound"})
"""Errors of what a database holds: believed only where production had them, too."""
_CHAINED: Final = ("The above exception was the direct cause", "During handling of the above exception")
_BEGIN: Final = "Traceback (most recent call last):"
_CHANGING = re.compile(r"0x[0-9a-fA-F]+|\d+(?:\.\d+)?")
MESSAGE_MAX: Final = 120


@dataclass(frozen=True, slots=True)
class Outcome:
    """status: what was answered, 0 when it failed; error, message, frame: of the exception, frame: the innermost of the app's own;
    missing: what it fails for and is not here; refused: what was not here on the way, and may not matter; why: in words, when there
    is nothing to compare."""

    status: int = 0
    error: str = ""
    message: str = ""
    frame: Frame | None = None
    missing: str = ""
    refused: str = ""
    why: str = ""

    @property
    def words(self) -> str:
        where = f" in {self.frame.function} of {self.frame.file}" if self.frame else ""
        return f"{self.error}{where}" if self.error else self.why or f"it is answered with {self.status}"


def outcome(code: int | None, output: str, ended: str, root: str, inside: Callable[[str], str]) -> Outcome:
    """inside: a frame's file → a file of the repository, "" for none."""
    if code is None:
        return Outcome(why=f"it did not end by itself ({ended})")
    if code == 0:
        found = re.findall(r"^answered with (\d{3})$", output, re.MULTILINE)
        return Outcome(int(found[-1])) if found else Outcome(why="it ended without an answer")
    last = _last(output)
    read = tracebacks.read(last, root)
    error = read.error.rpartition(".")[2]
    if missing := re.search(rf"{NOT_HERE}([^\n]{{1,200}})", last):
        return Outcome(error=error, missing=missing[1])
    if not any(frame.file == "<string>" and frame.function == TEST for frame in read.frames):
        return Outcome(why=f"the app cannot be loaded: {error or f'exit code {code}'}: {read.message[:200]}")
    if error in OUTSIDE:
        return Outcome(error=error, missing=f"what {error} speaks of ({read.message[:200]})")
    if read.frames and re.fullmatch(r"<frozen os>|.*/os\.py", read.frames[-1].file):
        return Outcome(error=error, missing=f"the setting {read.message[:100]}")
    own = [frame for frame in read.frames if frame.in_app and inside(frame.file)]
    refused = re.search(rf"^{NOT_HERE}([^\n]{{1,200}})", output, re.MULTILINE)
    return Outcome(
        error=error, message=read.message, frame=own[-1] if own else None, refused=refused[1] if refused else ""
    )


def _last(output: str) -> str:
    """The traceback at the end, with those that it is said to have come from."""
    at = output.rfind(_BEGIN)
    while at > 0 and any(mark in output[max(0, at - 200) : at] for mark in _CHAINED):
        before = output.rfind(_BEGIN, 0, at)
        if before < 0:
            break
        at = before
    return output[max(at, 0) :]


def expected(trace: Traced, inside: Callable[[str], str]) -> Outcome | str:
    """What a report says that is to be seen again; a sentence when it cannot be seen here at all."""
    error = trace.error.rpartition(".")[2]
    if error in OUTSIDE:
        return f"{error} is about what is not here: a network, a database, a file"
    own = [(frame, path) for frame in trace.frames if frame.in_app is not False and (path := inside(frame.file))]
    if not (error and own):
        return "" if not error else "no frame of its trace lies in this repository"
    frame, path = own[-1]
    return Outcome(
        error=error, message=trace.message, frame=Frame(frame.function, "", path, frame.line, True, frame.code)
    )


def unlike(want: Outcome, got: Outcome, lines: bool = False) -> str:
    """ "" when it is the same failure, else why not. lines: both are of one tree, so that the lines must agree."""
    if got.missing:
        return f"it needs what is not here: {got.missing}"
    if not got.error or got.frame is None:
        return f"here {got.words}"
    if want.frame is None or got.error != want.error or _place(got.frame) != _place(want.frame):
        return f"here it fails for another reason: {got.words}, not {want.words}"
    codes = " ".join(got.frame.code.split()), " ".join(want.frame.code.split())
    if (lines and got.frame.line != want.frame.line) or (all(codes) and codes[0] != codes[1]):
        return f"here it fails at another line of {got.frame.function}"
    if _message(want.message) and _message(got.message) != _message(want.message):
        return f"here {got.error} says something else"
    return ""


def first(got: Outcome) -> str:
    """Why a failure of which nothing was reported is not taken for what it seems, "" if it is."""
    if got.error in _ROWS:
        return f"it needs data that is not here ({got.error})"
    if got.error == "AssertionError" and got.frame is None:
        return f"{got.message}, and the app does not tell why: give its trace as well (--trace)"
    if got.refused and not got.missing:
        return f"{got.refused} was not here on the way, which may be why: give its trace as well (--trace)"
    return unlike(got, got)


def _place(frame: Frame) -> tuple[str, str]:
    return frame.file, frame.function.rpartition(".")[2]


def _message(text: str) -> str:
    """Comparable; "" for one that was cut or cleaned on its way."""
    line = (text.strip().splitlines() or [""])[0][:MESSAGE_MAX]
    return (
        "" if "[redacted" in text or "…" in line or "[Filtered]" in line else " ".join(_CHANGING.sub("#", line).split())
    )
