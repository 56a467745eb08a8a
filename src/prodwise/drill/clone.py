"""An app's copy for one scenario, and the patches that are put on it."""

from __future__ import annotations

import shutil
from pathlib import Path

from prodwise.config import load
from prodwise.drill.git import git
from prodwise.drill.scenario import APP_SHOP
from prodwise.drill.shop import make_repo
from prodwise.model.errors import UsageError

START = "refs/drill/start"
DIALECTS = ((), ("-p0",), ("--recount",))  # as git writes diffs; without a/ and b/; with lines counted wrongly by hand


def copy_app(app: str, start: str, dest: Path) -> None:
    """A copy of its own for one scenario: history, env_file and shared data; nothing of the original is touched."""
    if app == APP_SHOP:
        make_repo(dest)
    else:
        _clone(Path(app), dest)
    if start:
        git(dest, "checkout", "-q", start)
    git(dest, "update-ref", START, "HEAD")


def _clone(source: Path, dest: Path) -> None:
    git(source, "clone", "-q", "--no-hardlinks", str(source), str(dest))
    config = load(source)
    for name in (*config.shared, *([config.env_file] if config.env_file else [])):
        real, copy = source / name, dest / name
        if real.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(real, copy)
        elif real.is_dir():
            shutil.copytree(real, copy, dirs_exist_ok=True)


def apply_patch(repo: Path, patch: Path) -> None:
    """Commits a diff on what is checked out, or, when it only fits what ran first, on that; one without changes is a release
    like the one before. Raises UsageError with what git said."""
    try:
        _apply(repo, patch)
    except UsageError as refused:
        before = git(repo, "rev-parse", "HEAD").strip()
        git(repo, "checkout", "-q", "--detach", START)
        try:
            _apply(repo, patch)
        except UsageError:
            git(repo, "checkout", "-q", "--detach", before)
            raise refused from None
    git(repo, "commit", "-q", "--allow-empty", "-m", f"Apply {patch.name}")


def _apply(repo: Path, patch: Path) -> None:
    if not patch.read_bytes().strip():
        return
    refusals = []
    for dialect in DIALECTS:
        try:
            git(repo, "apply", "--index", *dialect, str(patch))
        except UsageError as refused:
            refusals.append(refused)
        else:
            return
    raise refusals[0]
