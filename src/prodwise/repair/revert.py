"""A commit taken back in a scratch repository: whole, in part, or with the reason why not."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from prodwise.loop.choose.reverts import Span, after, cautions, changed, spans
from prodwise.model.errors import Refused, TargetError, UsageError
from prodwise.model.revert import Clash, Revert
from prodwise.quiet_git import PLAIN
from prodwise.repair.scratch import Scratch

LATER_MAX: Final = 200
FILES_MAX: Final = 500
TITLE_CHARS: Final = 80
_PARTS: Final = re.compile(r"^(?=diff --git )", re.MULTILINE)


def revert(made: Scratch, base: str, commit: str, mainline: int = 1) -> Revert:
    """1. The commit's parent is merged into the base, with the commit as their common root. 2. What clashes is merged again, file
    by file, with the base's lines where both changed. 3. Who changed them is looked up. mainline: which parent of a merge is kept.

    Raises UsageError for a commit that the base does not hold, or that has no such parent.
    """
    parents, title = _facts(made, commit)
    if made.tried("merge-base", "--is-ancestor", commit, base)[0]:
        raise UsageError(f"{commit[:7]} is not part of {base[:7]}", "only what is in the history can be taken back")
    if not 1 <= mainline <= len(parents):
        raise UsageError(
            f"{commit[:7]} has no parent number {mainline}", "the first commit of all cannot be taken back"
        )
    parent = parents[mainline - 1]
    files = _files(made, parent, commit)
    told = Revert(commit, title, parent, len(parents) > 1, "", cautions=_cautions(made, parent, commit, files))
    tree, clashing = _merged(made, base, commit, parent)
    if clashing:
        texts = {path: _file_merged(made, base, commit, parent, path) for path in clashing}
        tree = made.tree_as(tree, base, clashing)
        tree = made.tree_with(tree, {path: text for path, text in texts.items() if text is not None})
    diff = made.diff(base, tree)
    paths = tuple(made.git("diff", "--no-renames", "--name-only", "-z", *PLAIN, base, tree).split("\0")[:-1])
    clashes = tuple(one for path in clashing for one in _clashes(made, base, commit, parent, path))
    if not diff and not clashes:
        raise Refused(f"nothing of {commit[:7]} is left in {base[:7]}", "it has been taken back already")
    return replace(told, diff=diff, paths=paths, clashes=clashes)


def only(found: Revert, paths: Collection[str]) -> Revert:
    """The part of it that lies in these files; all of it where none of it does."""
    parts = {path: part for part in _PARTS.split(found.diff) for path in found.paths if f" b/{path}\n" in part[:5000]}
    kept = tuple(path for path in found.paths if path in paths and path in parts)
    return replace(found, diff="".join(parts[path] for path in kept), paths=kept) if kept else found


def _facts(made: Scratch, commit: str) -> tuple[list[str], str]:
    told = made.git("log", "-1", "--format=%P%x00%s", "--no-show-signature", commit).rstrip("\n")
    parents, _, title = told.partition("\0")
    return parents.split(), "".join(c if c.isprintable() else " " for c in title)[:TITLE_CHARS]


def _files(made: Scratch, parent: str, commit: str) -> list[str]:
    return made.git("diff-tree", "-r", "-z", "--name-only", "--no-renames", parent, commit).split("\0")[:-1][:FILES_MAX]


def _cautions(made: Scratch, parent: str, commit: str, files: Sequence[str]) -> tuple[str, ...]:
    return cautions({path: made.text(commit, path) or made.text(parent, path) or "" for path in files})


def _commit(made: Scratch, tree: str, *parents: str) -> str:
    named = [part for one in parents for part in ("-p", one)]
    return made.git("commit-tree", *named, "-m", "scratch", f"{tree}^{{tree}}").strip()


def _merged(made: Scratch, base: str, commit: str, parent: str) -> tuple[str, list[str]]:
    """(the tree, with git's marks in files that clash; those files)."""
    root = _commit(made, commit)
    ours, theirs = _commit(made, base, root), _commit(made, parent, root)
    code, told = made.tried("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs)
    fields = told.split("\0")
    if code not in (0, 1) or len(fields[0]) < 40:
        raise TargetError(f"git merge-tree: exit code {code}", "git 2.38 or newer takes commits back in memory")
    return fields[0], sorted({path for path in fields[1:] if path})


def _file_merged(made: Scratch, base: str, commit: str, parent: str, path: str) -> str | None:
    """What of the file can go back, the base's lines elsewhere; None where it cannot be told."""
    texts = [made.text(one, path) for one in (base, commit, parent)]
    if any(text is None for text in texts):
        return None
    with tempfile.TemporaryDirectory(prefix="prodwise-merge-") as folder:
        names = []
        for name, text in zip(("ours", "root", "theirs"), texts, strict=True):
            (Path(folder) / name).write_bytes((text or "").encode())
            names.append(str(Path(folder) / name))
        return made.git("merge-file", "--stdout", "--ours", *names)


def _clashes(made: Scratch, base: str, commit: str, parent: str, path: str) -> Iterator[Clash]:
    """Lines of the commit, and the first later commit that changed each of them: along the main line, else anywhere."""
    own = spans(_diff(made, parent, commit, path))
    for main in (True, False):
        mine, found = own, False
        for later, first in _later(made, base, commit, path, main):
            if not mine:
                break
            mine, hit = after(mine, changed(_diff(made, first, later, path)))
            if hit:
                found = True
                yield Clash(path, ", ".join(str(one) for one in hit[:3]), later, _facts(made, later)[1])
        if found:
            return
    yield Clash(path, ", ".join(str(one) for one in own[:3]) or str(Span(1, 1)), "", "")


def _diff(made: Scratch, older: str, newer: str, path: str) -> str:
    return made.git("diff", "--no-renames", "--unified=0", "--inter-hunk-context=0", *PLAIN, older, newer, "--", path)


def _later(made: Scratch, base: str, commit: str, path: str, main: bool) -> Iterator[tuple[str, str]]:
    """(commit, its first parent) of those that changed the file since, oldest first. main: the merges and commits of the main line,
    but for the merge that brought the commit; else every commit that rests on it."""
    line = ("--first-parent",) if main else ("--ancestry-path", "--no-merges", "--topo-order")
    told = made.git(
        "log", *line, "--reverse", "--format=%H %P", f"--max-count={LATER_MAX}", f"{commit}..{base}", "--", path
    )
    for row in told.splitlines():
        later, first = row.split()[:2]
        if not main or made.tried("merge-base", "--is-ancestor", commit, first)[0] == 0:
            yield later, first
