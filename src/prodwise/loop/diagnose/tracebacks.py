"""What a failed check printed, read for the exception and its frames: Python's own traceback, pytest's and unittest's."""

from __future__ import annotations

import re
from dataclasses import dataclass

from prodwise.model.event import Frame

LINES_MOST = 4_000
WIDTH_MOST = 600
FRAMES_MOST = 100

_FRAME = re.compile(r'^\s*File "([^"]{1,400})", line (\d{1,7})(?:, in (\S{1,200}))?')
_PYTEST = re.compile(r"^([^\s:][^:]{0,400}\.py):(\d{1,7}):(?: in (\S{1,200})| ([A-Za-z_][\w.]{0,200}))?$")
_ERROR = re.compile(r"^(?:E\s{1,8})?([A-Za-z_][\w.]{0,200})(?::\s(.{0,500}))?$")
_NAMED = re.compile(
    r"(?:Error|Exception|Warning|Exit|Interrupt|Iteration|Timeout|Failed|Refused|NotFound|DoesNotExist|\.error)$"
)
_SUMMARY = re.compile(r"^(?:FAILED|ERROR) ([^\s(]\S{0,400})(?: - (.{0,500}))?$")


@dataclass(frozen=True, slots=True)
class Traceback:
    """error, message: of the exception that ended the check, "" when none was told; frames: outermost call first; failed: the
    tests that the runner names as failed."""

    error: str = ""
    message: str = ""
    frames: tuple[Frame, ...] = ()
    failed: tuple[str, ...] = ()


def read(output: str, root: str = "") -> Traceback:
    """The last traceback in the output. Paths below `root` become relative to it.

    1. Frames are gathered line by line, in Python's form or pytest's; a new "Traceback" or a rule of underscores starts anew.
    2. The first line after frames that looks like an exception ends them; the last such group is the one that is told.
    """
    reading = _Reading(root.rstrip("/") + "/" if root else "")
    for line in output.splitlines()[-LINES_MOST:]:
        reading.take(line[:WIDTH_MOST].rstrip())
    return reading.told()


class _Reading:
    def __init__(self, root: str) -> None:
        self.root = root
        self.frames: list[Frame] = []
        self.last: tuple[str, str, tuple[Frame, ...]] = ("", "", ())
        self.pending: tuple[str, str] = ("", "")
        self.failed: list[str] = []

    def take(self, line: str) -> None:
        if line.startswith(("Traceback (most recent", "____", "======")):
            self.frames, self.pending = [], ("", "")
        elif found := _SUMMARY.match(line):
            self.failed.append(found[1])
            self._summary(found[2] or "")
        elif found := _FRAME.match(line):
            self._frame(found[1], int(found[2]), found[3] or "")
        elif found := _PYTEST.match(line):
            self._pytest(found)
        elif self.frames and self._wants_code() and line.startswith("    "):
            self._code(line.strip())
        elif found := _ERROR.match(line):
            self._error(line, found[1], found[2] or "")

    def _pytest(self, found: re.Match[str]) -> None:
        """`path:12: in name` comes before its code; `path:12: KeyError` ends the excerpt of the innermost frame."""
        self._frame(found[1], int(found[2]), found[3] or "")
        if found[4] and _NAMED.search(found[4]):
            kind, message = self.pending
            self.last = (found[4], message if kind in ("", found[4]) else "", tuple(self.frames))
            self.pending = ("", "")

    def _error(self, line: str, kind: str, message: str) -> None:
        if line.startswith("E "):
            if _NAMED.search(kind) and not self.pending[0]:
                self.pending = (kind, message)
            elif not self.pending[0] and line[1:].strip().startswith("assert"):
                self.pending = ("AssertionError", line[1:].strip()[:500])
            if self.pending[0] and self.frames:
                self.last = (*self.pending, tuple(self.frames))
        elif self.frames and _NAMED.search(kind):
            self.last = (kind, message, tuple(self.frames))
            self.frames = []

    def _summary(self, text: str) -> None:
        kind, _, message = text.partition(": ")
        if not self.last[0] and _NAMED.search(kind):
            self.last = (kind, message, tuple(self.frames))

    def _frame(self, path: str, line: int, function: str) -> None:
        file = path[len(self.root) :] if self.root and path.startswith(self.root) else path
        inside = not file.startswith(("/", "<")) and "site-packages/" not in file
        if len(self.frames) < FRAMES_MOST:
            self.frames.append(Frame(function, "", file.removeprefix("./"), line, inside))

    def _wants_code(self) -> bool:
        return not self.frames[-1].code

    def _code(self, text: str) -> None:
        last = self.frames[-1]
        self.frames[-1] = Frame(last.function, last.module, last.file, last.line, last.in_app, text)

    def told(self) -> Traceback:
        kind, message, frames = self.last
        if not kind and self.pending[0]:
            kind, message = self.pending
        return Traceback(kind, message, frames or tuple(self.frames), tuple(dict.fromkeys(self.failed))[:FRAMES_MOST])
