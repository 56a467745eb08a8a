"""How far a unified git diff reaches, for people to read. What it truly touches, git tells (forge/branch.py)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HUNK = re.compile(r"^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")


@dataclass(frozen=True, slots=True)
class Extent:
    """files: in order, tests among them."""

    added: int
    removed: int
    files: tuple[str, ...]

    @property
    def tests(self) -> tuple[str, ...]:
        return tuple(
            path
            for path in self.files
            if re.search(r"(?:^|/)(?:tests?|spec)(?:/|$)|(?:^|/)test_|_test\.|\.test\.", path)
        )


def extent(diff: str) -> Extent:
    """Lines are counted inside hunks only: what looks like a header there is content."""
    added = removed = old = new = 0
    files: dict[str, None] = {}
    for line in diff.split("\n"):  # as git does: a form feed in a line of code ends none
        if old > 0 or new > 0:
            added += line[:1] == "+"
            removed += line[:1] == "-"
            old -= line[:1] in ("-", " ", "")
            new -= line[:1] in ("+", " ", "")
        elif found := _HUNK.match(line):
            old, new = (int(count) if count is not None else 1 for count in found.groups())
        elif line.startswith("diff --git "):
            files[_path(line.removeprefix("diff --git "))] = None
    return Extent(added, removed, tuple(files))


def _path(names: str) -> str:
    """Of "a/x b/x": both halves are alike in a diff without renames; else the second one."""
    half = (len(names) - 1) // 2
    if names[:2] == "a/" and names[half : half + 3] == " b/" and names[2:half] == names[half + 3 :]:
        return names[2:half]
    return names.rpartition(" b/")[2].strip('"')
