"""What settings files of a repository hold otherwise than before, as its history tells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from prodwise.loop.choose.settings import NotPut, changed, form_of, is_example, put_back
from prodwise.loop.choose.settings.guarded import hidden
from prodwise.loop.verify.patch.protected import is_lock, is_manifest, is_test, protected
from prodwise.model.errors import TargetError
from prodwise.model.setting import Change, Left, Moves, Then
from prodwise.repair.scratch import Scratch

COMMITS: Final = 20
"""So far back settings files are looked for, where it is not known since when."""
RANGE_MAX: Final = 200
FILES_MAX: Final = 12
LATELY: Final = 5
"""Changes of each settings file that count as lately."""
TITLE_CHARS: Final = 60
AROUND: Final = (3, 1)
"""Lines that a diff shows about each change: fewer where more would show what looks like a secret; git needs one."""


def lately(made: Scratch, base: str, since: str = "") -> Moves:
    """since: the commit of the release before; what changed in between goes back to what that release had. Without it, the last
    changes of files that changed in the last commits. The newest first."""
    ranged = bool(since) and since != base and made.tried("merge-base", "--is-ancestor", since, base)[0] == 0
    found, left = list[Change](), list[Left]()
    paths = _paths(made, base, since if ranged else "")
    for path in paths[:FILES_MAX]:
        if _kept(path):
            left.append(Left(path, "", _kept(path)))
            continue
        moves = _of_file(made, base, path, since if ranged else "")
        found += moves.changes
        left += moves.left
    left += [Left(path, "", f"more than {FILES_MAX} settings files changed") for path in paths[FILES_MAX:]]
    return Moves(tuple(found), tuple(left))


def _kept(path: str) -> str:
    """Why the patch policy would not let this file be touched."""
    if is_example(path):
        return ""
    if is_manifest(path) or is_lock(path):
        return "it says which dependencies are installed"
    return "it belongs to the tests" if is_test(path) else f"it belongs to {kind}" if (kind := protected(path)) else ""


def _paths(made: Scratch, base: str, since: str) -> list[str]:
    """Settings files that changed, those of the newest commits first, and that are still there."""
    span = (f"--max-count={RANGE_MAX}", f"{since}..{base}") if since else (f"--max-count={COMMITS}", base)
    told = made.git(
        "log", "--first-parent", "-m", "--no-renames", "--diff-filter=M", "--name-only", "-z", "--format=", *span
    )
    changed_ones = dict.fromkeys(path.lstrip("\n") for path in told.split("\0") if path.strip())
    there = set(made.files(base))
    return [path for path in changed_ones if path in there and form_of(path) is not None]


def _of_file(made: Scratch, base: str, path: str, since: str) -> Moves:
    older = [Then(commit, text) for commit, text in made.history(path, RANGE_MAX if since else LATELY + 1, base)]
    now = made.text(base, path)
    if now is None or not older:
        return Moves((), (Left(path, "", "it is no text"),))
    if since:
        inside = set(made.git("rev-list", f"--max-count={RANGE_MAX}", f"{since}..{base}").split())
        before = made.text(since, path)
        if before is None:
            return Moves((), (Left(path, "", "the release before did not have it"),))
        older = [*(one for one in older if one.commit in inside), Then(since, before)]
    return changed(path, now, older, whole=bool(since))


def diff_of(made: Scratch, base: str, changes: Sequence[Change]) -> str:
    """What puts these back. Raises NotPut; TargetError where it would show what looks like a secret."""
    texts = dict[str, str | None]()
    for path in dict.fromkeys(one.path for one in changes):
        text = made.text(base, path) or ""
        texts[path] = put_back(text, [one for one in changes if one.path == path])
        if texts[path] == text:
            raise NotPut("nothing would change")
    tree = made.tree_with(base, texts)
    for around in AROUND:
        diff = made.diff(base, tree, around)
        if not hidden(diff.splitlines()):
            return diff
    raise TargetError("the lines about it look like a secret, and a diff shows them")


def named(made: Scratch, commit: str, base: str) -> str:
    """A commit as people know it."""
    if commit == base and made.tried("merge-base", "--is-ancestor", base, made.head)[0]:
        return "what is not committed yet"
    title = made.git("log", "-1", "--format=%s", "--no-show-signature", commit).strip()
    return f"{commit[:7]} '{''.join(c if c.isprintable() else ' ' for c in title)[:TITLE_CHARS]}'"
