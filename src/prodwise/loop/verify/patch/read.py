"""Reads a unified git diff, strictly: what git itself writes and nothing besides. Hostile text ends in NotADiff, in linear time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from prodwise.loop.verify.patch.names import unquoted
from prodwise.model.diff import DiffHunk, DiffLine, FileDiff

TEXT_MAX: Final = 1_000_000
LINES_MAX: Final = 40_000
FILES_MAX: Final = 200
_HUNK = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@(?: .*)?")
_MODE = r"(100644|100755|120000|160000)"
_HEADS: Final = {
    "old_mode": re.compile(rf"old mode {_MODE}"),
    "mode": re.compile(rf"new mode {_MODE}"),
    "made": re.compile(rf"new file mode {_MODE}"),
    "gone": re.compile(rf"deleted file mode {_MODE}"),
    "alike": re.compile(r"(?:dis)?similarity index (\d{1,3})%"),
    "rename_from": re.compile(r"rename from (.+)"),
    "rename_to": re.compile(r"rename to (.+)"),
    "copy_from": re.compile(r"copy from (.+)"),
    "copy_to": re.compile(r"copy to (.+)"),
    "index": re.compile(rf"index ([0-9a-f]{{4,64}}\.\.[0-9a-f]{{4,64}}(?: {_MODE})?)"),
}
_BINARY = re.compile(r"(?:literal|delta) \d{1,12}|[A-Za-z][0-9A-Za-z!#$%&()*+;<=>?@^_`{|}~-]{5,65}|")
_NO_END: Final = "\\ No newline at end of file"


class NotADiff(ValueError):
    """It is not a whole unified diff as git writes it."""


def read(text: str) -> tuple[FileDiff, ...]:
    """Its files, at least one. Raises NotADiff, which says in which line and why."""
    if len(text) > TEXT_MAX:
        raise NotADiff(f"it is longer than {TEXT_MAX:,} characters")
    if "\0" in text:
        raise NotADiff("it holds a NUL")
    if not text.endswith("\n"):
        raise NotADiff("its last line does not end")
    lines = text.split("\n")[:-1]
    if len(lines) > LINES_MAX:
        raise NotADiff(f"it has more than {LINES_MAX:,} lines")
    reader = _Reader(lines)
    found: list[FileDiff] = []
    while reader.at < len(lines):
        if len(found) >= FILES_MAX:
            raise NotADiff(f"it changes more than {FILES_MAX} files")
        found.append(reader.file())
    names = [name for one in found for name in one.names]
    if len(set(names)) != len(names):
        raise NotADiff("it changes one file twice")
    return tuple(found)


@dataclass(slots=True)
class _Reader:
    lines: list[str]
    at: int = 0
    heads: dict[str, str] = field(default_factory=dict)

    def wrong(self, why: str) -> NotADiff:
        return NotADiff(f"line {self.at + 1}: {why}")

    def peek(self) -> str | None:
        return self.lines[self.at] if self.at < len(self.lines) else None

    def file(self) -> FileDiff:
        """1. `diff --git`. 2. What git says about modes and names. 3. Both names, and hunks; or binary content; or neither."""
        first = self.lines[self.at]
        if not first.startswith("diff --git "):
            raise self.wrong("a file begins with `diff --git`")
        self.at += 1
        self.heads = {}
        while (line := self.peek()) is not None and self._head(line):
            self.at += 1
        line = self.peek()
        hunks: tuple[DiffHunk, ...] = ()
        binary = False
        old = new = ""
        if line is not None and line.startswith("--- "):
            old, new = self._name("--- "), self._name("+++ ")
            hunks = self._hunks()
        elif line == "GIT binary patch" or (line or "").startswith("Binary files "):
            binary = True
            self._skip_binary()
        return self._file(first.removeprefix("diff --git "), old, new, hunks, binary)

    def _head(self, line: str) -> bool:
        for name, form in _HEADS.items():
            if found := form.fullmatch(line):
                if name in self.heads:
                    raise self.wrong("it says the same twice")
                self.heads[name] = found[1]
                return True
        return False

    def _name(self, begin: str) -> str:
        line = self.peek()
        if line is None or not line.startswith(begin):
            raise self.wrong(f"`{begin.strip()}` is missing")
        self.at += 1
        name = line.removeprefix(begin)
        return name[:-1] if name.endswith("\t") and " " in name else name

    def _skip_binary(self) -> None:
        self.at += 1
        while (line := self.peek()) is not None and not line.startswith("diff --git "):
            if not _BINARY.fullmatch(line):
                raise self.wrong("this is no binary content")
            self.at += 1

    def _hunks(self) -> tuple[DiffHunk, ...]:
        found: list[DiffHunk] = []
        after, shift = 0, 0
        while (line := self.peek()) is not None and line.startswith("@@"):
            head = _HUNK.fullmatch(line)
            if head is None:
                raise self.wrong("a hunk's head is `@@ -a,b +c,d @@`")
            old, olds, new, news = (int(one) if one is not None else 1 for one in head.groups())
            begin = old + (olds == 0)
            if (begin <= after and after) or begin < 1 or new + (news == 0) != begin + shift:
                raise self.wrong("its line numbers do not follow from what is before it")
            after, shift = begin + olds - 1, shift + news - olds
            found.append(DiffHunk(old, new, self._body(olds, news)))
        if not found:
            raise self.wrong("a hunk is missing")
        return tuple(found)

    def _body(self, olds: int, news: int) -> tuple[DiffLine, ...]:
        body: list[DiffLine] = []
        left = {"-": olds, "+": news}
        self.at += 1
        while left["-"] > 0 or left["+"] > 0 or self.peek() == _NO_END:
            line = self.peek()
            if line == _NO_END:
                if not body or not body[-1].ended:
                    raise self.wrong("no line is before it")
                body[-1] = DiffLine(body[-1].sign, body[-1].text, ended=False)
            elif not line or line[0] not in " -+":
                raise self.wrong("a hunk's line begins with a blank, + or -")
            else:
                for sign in "-+" if line[0] == " " else line[0]:
                    left[sign] -= 1
                body.append(DiffLine(line[0], line[1:]))
            if min(left.values()) < 0:
                raise self.wrong("the hunk has more lines than its head says")
            self.at += 1
        if all(line.sign == " " for line in body):
            raise self.wrong("the hunk changes nothing")
        for sides in (" -", " +"):
            if any(not line.ended for line in [one for one in body if one.sign in sides][:-1]):
                raise self.wrong("only a last line has no end")
        return tuple(body)

    def _file(self, both: str, old: str, new: str, hunks: tuple[DiffHunk, ...], binary: bool) -> FileDiff:
        """Names are told up to three times; all must say the same."""
        heads = self.heads
        moved = "rename" if "rename_to" in heads or "rename_from" in heads else "copy" if "copy_to" in heads else ""
        if ("rename_from" in heads) != ("rename_to" in heads) or ("copy_from" in heads) != ("copy_to" in heads):
            raise self.wrong("a rename names both files")
        if ("made" in heads) + ("gone" in heads) + bool(moved) > 1 or ("old_mode" in heads) != ("mode" in heads):
            raise self.wrong("its heads contradict each other")
        if ("made" in heads or "gone" in heads) and "mode" in heads:
            raise self.wrong("its heads contradict each other")
        if not (hunks or binary or moved or "mode" in heads or "made" in heads or "gone" in heads):
            raise self.wrong("nothing is changed")
        names = _renamed(heads, moved) if moved else _same_twice(both)
        if names is None or both != f"{names[0]} {names[1]}":
            raise self.wrong("`diff --git` names other files than the lines that follow")
        if hunks:
            expected = ("/dev/null" if "made" in heads else names[0], "/dev/null" if "gone" in heads else names[1])
            if (old, new) != expected:
                raise self.wrong("`---` and `+++` name other files than `diff --git`")
        before, path = self._plain(names[0], "a/"), self._plain(names[1], "b/")
        self._whole(hunks)
        index_mode = heads.get("index", "").partition(" ")[2]
        return FileDiff(
            before="" if "made" in heads or moved == "copy" else before,
            path="" if "gone" in heads else path,
            old_mode=heads.get("old_mode") or heads.get("gone") or index_mode,
            mode=heads.get("mode") or heads.get("made") or ("" if "gone" in heads else index_mode),
            binary=binary, copied=moved == "copy", hunks=hunks,
        )  # fmt: skip

    def _whole(self, hunks: tuple[DiffHunk, ...]) -> None:
        """A new file has no lines before, one that goes none after."""
        for head, sign in (("made", "-"), ("gone", "+")):
            other = {" ", sign}
            if head in self.heads and any(line.sign in other for hunk in hunks for line in hunk.lines):
                raise self.wrong("a file that is new or goes has lines on one side only")

    def _plain(self, name: str, prefix: str) -> str:
        plain = unquoted(name)
        if plain is None or not plain.startswith(prefix) or len(plain) == len(prefix):
            raise self.wrong("a file's name cannot be read")
        return plain[len(prefix) :]


def _renamed(heads: Mapping[str, str], moved: str) -> tuple[str, str]:
    return _prefixed("a/", heads[f"{moved}_from"]), _prefixed("b/", heads[f"{moved}_to"])


def _prefixed(prefix: str, name: str) -> str:
    return f'"{prefix}{name[1:]}' if name.startswith('"') else prefix + name


def _same_twice(both: str) -> tuple[str, str] | None:
    """`a/NAME b/NAME`, quoted or not."""
    half, odd = divmod(len(both) - 1, 2)
    first, second = both[:half], both[half + 1 :]
    if odd or both[half : half + 1] != " ":
        return None
    opening = 3 if first.startswith('"') else 2
    beginnings = ('"a/', '"b/') if opening == 3 else ("a/", "b/")
    same = first[opening:] == second[opening:] and (first[:opening], second[:opening]) == beginnings
    return (first, second) if same else None
