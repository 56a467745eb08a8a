"""A log as text that can be searched and shown: decoded, without terminal codes, its lines numbered and bounded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Final

LINE_CHARS_MAX: Final = 1_500
QUOTE_CHARS_MAX: Final = 300
HITS_MAX: Final = 400  # of one pattern
BLOCK_CHARS: Final = 2_048

_CODES: Final = re.compile(
    r"\x1b\[[0-9;:?]{0,40}[ -/]{0,4}[@-~]|\x1b\][^\x07\x1b]{0,400}(?:\x07|\x1b\\)|\x1b[@-Z\\^_=>()78]"
)
_DATE: Final = r"\d{4}[-/]\d\d[-/]\d\d"
_CLOCK: Final = r"\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
_SHORT_CLOCK: Final = r"\d{1,2}:\d\d:\d\d(?:[.,]\d{1,9})?(?: [AP]M:)?"
_STAMP: Final = re.compile(
    r"^(?:"
    rf"[^\t\n]{{1,100}}\t[^\t\n]{{1,100}}\t(?=\ufeff?{_DATE}T)|"  # job and step, as a forge's client prints them
    rf"\ufeff?\[?{_DATE}[T ]{_CLOCK}(?: ?Z| ?[+-]\d\d:?\d\d)?\]?(?: (?:stdout|stderr) [FP]| \d\d[OE][+ ]?)?(?: |$)|"
    rf"\[?{_CLOCK}\](?:[WEi]:)? ?|{_SHORT_CLOCK} {{1,2}}(?=\S|  )|"
    r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d [\w.-]{1,60} |"  # syslog
    r"[\w./-]{1,40}\[(?:\d{1,8}|[\w-]{1,30}\.\d{1,5})\]: |"  # the program, as syslog and platforms name it
    r"#\d{1,4} \d{1,6}\.\d{1,4} |"  # a container's build
    r"[A-Za-z][\w./-]{0,40} {0,20}\|(?: |$)|"  # one of several programs that share a terminal
    r"##\[(?:error|warning|debug|command)\]"
    r"){1,4}",
    re.MULTILINE,
)
_SHORT_STAMP: Final = re.compile(r"^\d{1,6}\.\d{2,4} ", re.MULTILINE)
_GONE: Final = re.compile(
    "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ufeff]"
)
_DRIVEN: Final = re.compile(r"(?<![\w\\])(?:[A-Za-z]:|\.{1,2})\\[^\s\"'<>|:?()]{1,400}")
_BACKSLASHED: Final = re.compile(
    r"(?<![\w.@+!$*~-])(?:[\w.@+!$*~-]{0,100}\\){1,30}[\w.@+!$*~-]{1,100}\.(?:[cm]?jsx?|[cm]?tsx?|vue|py|rb|go|php|rs|java|kt|jar)\b"
)
_LEAD: Final = re.compile(
    r"(?i:> ?|\[(?!(?:info|err|error|warn|warning|debug|trace|fatal)\])[a-z][\w .:/-]{0,40}\] {1,4})|[ \t]{1,16}"
)
_CONTROLS: Final = bytes([*range(9), 11, 12, *range(14, 32), 127])
_PLAIN: Final = bytes(range(128))
_DIGITS: Final = frozenset("0123456789")
_STAMPS_BEGIN: Final = frozenset("0123456789#\ufeff")
_STAMPED_OF: Final = 200  # lines looked at, at either end, to see whether a log's lines begin with times or names
_STAMPED_MIN: Final = 3
_STAMPED_SHARE: Final = 0.1


@dataclass(frozen=True)
class Log:
    """text: cleaned; cut: lines left out of the middle, because the log was too large."""

    text: str
    cut: bool = False

    @classmethod
    def of(cls, lines: list[str], cut: bool) -> Log:
        """One whose lines are known, which need not be split again."""
        log = cls("\n".join(lines), cut)
        log.__dict__["lines"] = lines
        return log

    @cached_property
    def lines(self) -> list[str]:
        return self.text.split("\n")

    @cached_property
    def _above(self) -> list[int]:
        """How many lines end before each block of the text."""
        blocks = range(0, len(self.text) + 1, BLOCK_CHARS)
        return [*accumulate((self.text.count("\n", at, at + BLOCK_CHARS) for at in blocks), initial=0)]

    def number(self, at: int) -> int:
        """The line's number, from 1."""
        block = at // BLOCK_CHARS
        return self._above[block] + self.text.count("\n", block * BLOCK_CHARS, at) + 1

    def line(self, number: int) -> str:
        """The line of that number; "" beyond the ends."""
        return self.lines[number - 1] if 1 <= number <= len(self.lines) else ""

    def hits(self, needle: str, at_most: int = HITS_MAX) -> Iterator[tuple[int, str]]:
        """(number, line) of the lines that contain it, the first ones."""
        at, found = self.text.find(needle), 0
        while at >= 0 and found < at_most:
            end = self.text.find("\n", at)
            end = len(self.text) if end < 0 else end
            yield self.number(at), self.text[self.text.rfind("\n", 0, at) + 1 : end]
            at, found = self.text.find(needle, end), found + 1

    def after(self, number: int, count: int) -> Iterator[tuple[int, str]]:
        """The lines that follow."""
        first = max(number, 0)
        return enumerate(self.lines[first : max(number + count, 0)], first + 1)


def clean(data: bytes, cut: bool = False) -> Log:
    """Bytes of any kind as a log: what is not text is dropped or replaced."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.decode("utf-16", errors="replace").encode()
    if b"\x1b" in data:
        data = _CODES.sub("", data.decode(errors="replace")).encode()
    text = data.translate(None, _CONTROLS).decode(errors="replace")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not data.isascii() and _GONE.search(data.translate(None, _PLAIN).decode(errors="replace")):
        text = _GONE.sub("", text)
    return Log(_unled(_unstamped(_unled(_shortened(text)))), cut)


def _shortened(text: str) -> str:
    """Without what makes a line longer than is read of one."""
    kept: list[str] = []
    begin = at = 0
    while len(text) - at > LINE_CHARS_MAX:
        end = text.rfind("\n", at, at + LINE_CHARS_MAX + 1)
        if end < 0:
            kept.append(text[begin : at + LINE_CHARS_MAX])
            end = text.find("\n", at + LINE_CHARS_MAX)
            begin = end = end if end >= 0 else len(text)
        at = end + 1
    return "".join([*kept, text[begin:]]) if kept else text


def _unled(text: str) -> str:
    """Without what stands before every line alike: an indentation, a quote's mark, the name of a step."""
    ends = [*text.split("\n", _STAMPED_OF)[:_STAMPED_OF], *text.rsplit("\n", _STAMPED_OF)[1:]]
    lines = [line for line in ends if line.strip()]
    found = _LEAD.match(lines[0]) if len(lines) >= _STAMPED_MIN else None
    if found is None:
        return text
    lead = found[0] if found[0].strip() else found[0][: min(len(line) - len(line.lstrip()) for line in lines)]
    if not lead or not all(line.startswith(lead) or line == lead.rstrip() for line in lines):
        return text
    return "\n".join(line.removeprefix(lead if line.startswith(lead) else lead.rstrip()) for line in text.split("\n"))


def _unstamped(text: str) -> str:
    """Without what a CI, a container or a terminal puts before each line, where enough lines of either end have it."""
    head, tail = text.split("\n", _STAMPED_OF)[:_STAMPED_OF], text.rsplit("\n", _STAMPED_OF)[-_STAMPED_OF:]
    for lines in (head, tail):
        if sum(1 for line in lines if _STAMP.match(line)) >= max(_STAMPED_MIN, _STAMPED_SHARE * len(lines)):
            text = "\n".join(_without_stamps(text.split("\n")))
            return _SHORT_STAMP.sub("", text) if "\n------\n > [" in text else text
    return text


def _without_stamps(lines: list[str]) -> Iterator[str]:
    """A stamp of the shape of the last one is cut off without another look, where no second one can follow it."""
    lead, ending, width = "", "", 0
    for line in lines:
        if width and line.startswith(lead) and line[width - 2 : width] == ending:
            rest = line[width : width + 60]
            if rest[:1] not in _STAMPS_BEGIN and "|" not in rest and "]: " not in rest and rest[1:2] not in _DIGITS:
                yield line[width:]
                continue
        found = _STAMP.match(line)
        if found is not None:
            width = found.end()
            lead, ending = line[:8], line[width - 2 : width]
        yield line[width:] if found is not None else line


def slashed(log: Log) -> Log:
    """The same with paths of Windows written as others write them, each character where it was."""
    if "\\" not in log.text:
        return log
    lines = log.text.split("\n")
    for at, line in enumerate(lines):
        if "\\" in line:
            lines[at] = _BACKSLASHED.sub(_forward, _DRIVEN.sub(_forward, line))
    return Log("\n".join(lines), log.cut)


def _forward(found: re.Match[str]) -> str:
    return found[0].replace("\\", "/")


def shown(line: str) -> str:
    """One line for a person: no edge of blanks, not longer than fits."""
    text = " ".join(line.split())
    return text if len(text) <= QUOTE_CHARS_MAX else text[: QUOTE_CHARS_MAX - 1] + "…"
