"""A merged fix taken back: found in the history, by its commit or its mark, and undone as any commit is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prodwise.model.errors import Refused
from prodwise.model.revert import Revert
from prodwise.repair.revert import revert
from prodwise.repair.scratch import Scratch, scratch

LOOKED_AT: Final = 500
_ID: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True)
class MergedFixes:
    """Implements ports.repair.TakesBack. The repository is only read."""

    repo: Path

    def inverse(self, base: str, commit: str) -> str:
        if not _ID.fullmatch(commit):
            return ""
        with scratch(self.repo) as made:
            code, told = made.tried("rev-list", "--parents", "--max-count=1", commit)
            there = base if made.tried("cat-file", "-e", f"{base}^{{commit}}")[0] == 0 else made.head
            ids = told.split()
            if code or len(ids) != 2 or made.tried("merge-base", "--is-ancestor", commit, there)[0]:
                return ""
            return made.diff(commit, ids[1])

    def undo(self, base: str, fix: str, mark: str) -> Revert:
        with scratch(self.repo) as made:
            commit = _merged(made, base, fix, mark)
            if not commit:
                raise Refused(f"the fix is not in the history of {base[:7]}", "was it taken back already?")
            found = revert(made, base, commit)
        if not found.whole:
            first = found.clashes[0]
            by = f" by {first.by[:7]}" if first.by else ""
            raise Refused(
                f"{commit[:7]} cannot go back whole: {first.path}, line {first.lines}, was changed since{by}",
                f"prodwise revert {commit[:7]} --part takes back what can go",
            )
        if found.cautions:
            raise Refused(f"{commit[:7]} is not taken back by itself: {'; '.join(found.cautions)}", "a person decides")
        return found


def _merged(made: Scratch, base: str, fix: str, mark: str) -> str:
    """The commit itself, else (squashed, rebased) the newest one of no merge whose message has the line. "" for none."""
    if fix and made.tried("merge-base", "--is-ancestor", fix, base)[0] == 0:
        return fix
    told = made.git("log", "--no-merges", "-z", f"--max-count={LOOKED_AT}", "--format=%H%n%B", base)
    for entry in told.split("\0"):
        commit, _, message = entry.strip("\n").partition("\n")
        if mark in message.splitlines():
            return commit
    return ""
