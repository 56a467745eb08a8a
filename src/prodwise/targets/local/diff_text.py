"""git's unified diff without context, read into nouns. What cannot be read is skipped, and said."""

from __future__ import annotations

import re
from typing import Final

from prodwise.model.commit import FileChange, Hunk

FILES_MAX: Final = 1_000
LINES_MAX: Final = 40_000
LINE_CHARS: Final = 400
_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_ESCAPE = re.compile(r"\\([0-7]{3}|.)")
_PLAIN: Final = {
    "n": b"\n",
    "t": b"\t",
    "r": b"\r",
    "a": b"\a",
    "b": b"\b",
    "f": b"\f",
    "v": b"\v",
    '"': b'"',
    "\\": b"\\",
}


def changes_in(text: str) -> tuple[tuple[FileChange, ...], bool]:
    """(the files, whether all of the diff was read). Binary files come without hunks."""
    reader = _Reader()
    for line in text.split("\n"):
        if not reader.take(line):
            break
    return reader.end(), reader.whole


class _Reader:
    """Line by line: a file's head, then its hunks; a hunk's own lines are counted, so that none is taken for a head."""

    def __init__(self) -> None:
        self.whole = True
        self._files: list[FileChange] = []
        self._names: list[str] | None = None
        self._hunks: list[Hunk] = []
        self._at = (0, 0)
        self._left = [0, 0]
        self._removed: list[str] = []
        self._added: list[str] = []
        self._kept = 0

    def take(self, line: str) -> bool:
        """False when enough was read."""
        if self._left != [0, 0] and line[:1] in ("-", "+"):
            self._line(line)
        elif line.startswith("diff --git "):
            self._close_file()
            if len(self._files) >= FILES_MAX:
                self.whole = False
                return False
            self._names = _both(line.removeprefix("diff --git "))
        elif self._names is not None:
            self._head(line)
        return True

    def _line(self, line: str) -> None:
        added = line[0] == "+"
        self._left[added] -= 1
        self._kept += 1
        self.whole = self.whole and self._kept <= LINES_MAX
        (self._added if added else self._removed).append(
            line[1:][:LINE_CHARS].rstrip("\r") if self._kept <= LINES_MAX else ""
        )
        if self._left == [0, 0]:
            self._close_hunk()

    def _head(self, line: str) -> None:
        names = self._names or ["", ""]
        for begins, which in (
            ("--- ", 0),
            ("+++ ", 1),
            ("rename from ", 0),
            ("rename to ", 1),
            ("copy from ", 0),
            ("copy to ", 1),
        ):
            if line.startswith(begins):
                name = _unquoted(line.removeprefix(begins).rstrip("\t"))
                names[which] = "" if name == "/dev/null" else name[2:] if len(begins) == 4 else name
        if line.startswith("new file"):
            names[0] = ""
        elif line.startswith("deleted file"):
            names[1] = ""
        elif found := _HUNK.match(line):
            old, olds, new, news = (int(one) if one is not None else 1 for one in found.groups())
            self._at = (old + (olds == 0), new + (news == 0))
            self._left = [olds, news]
            self._removed, self._added = [], []

    def _close_hunk(self) -> None:
        if self._removed or self._added:
            self._hunks.append(Hunk(*self._at, tuple(self._removed), tuple(self._added)))
        self._removed, self._added, self._left = [], [], [0, 0]

    def _close_file(self) -> None:
        self.whole = self.whole and self._left == [0, 0]
        self._close_hunk()
        if self._names is not None and any(self._names):
            self._files.append(FileChange(self._names[0], self._names[1], tuple(self._hunks)))
        self._names, self._hunks = None, []

    def end(self) -> tuple[FileChange, ...]:
        self._close_file()
        return tuple(self._files)


def _both(text: str) -> list[str]:
    """The names of a `diff --git` line, which are the same but for their prefixes: others are told by the lines that follow."""
    if text.startswith('"'):
        first = re.match(r'"(?:[^"\\]|\\.)*"', text)
        name = _unquoted(first[0])[2:] if first else ""
    else:
        name = text[2 : (len(text) - 1) // 2]
    return [name, name]


def _unquoted(name: str) -> str:
    """git writes names with strange characters as C strings."""
    if not (name.startswith('"') and name.endswith('"') and len(name) > 1):
        return name
    raw = b""
    last = 0
    body = name[1:-1]
    for found in _ESCAPE.finditer(body):
        raw += body[last : found.start()].encode(errors="replace")
        code = found[1]
        raw += bytes([int(code, 8) & 255]) if len(code) == 3 else _PLAIN.get(code, code.encode(errors="replace"))
        last = found.end()
    return (raw + body[last:].encode(errors="replace")).decode(errors="replace")
