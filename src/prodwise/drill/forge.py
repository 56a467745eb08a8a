"""A code host for an app on stage: a bare repository beside it, where Prodwise proposes fixes and a person merges them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from prodwise import clock
from prodwise.drill.git import git
from prodwise.model.errors import TargetError

PLACE = "origin.git"
MAIN = "main"
PROPOSED = "refs/heads/prodwise/*"
LOOK_S = 0.5
SHOWN_MOST = 20
SAYS = """
[forge]
kind = "git"  # fixes are proposed as branches of `origin`
"""


def open_forge(app_dir: Path, more: str = "") -> None:
    """Gives the app an `origin` with its main branch, and says so in its prodwise.toml. more: other settings for there."""
    place = app_dir.parent / PLACE
    git(app_dir, "init", "-q", "--bare", "-b", MAIN, str(place))
    config = app_dir / "prodwise.toml"
    config.write_text(config.read_text() + SAYS + more)
    git(app_dir, "commit", "-q", "-a", "-m", "Say where fixes are proposed")
    git(app_dir, "remote", "add", "origin", str(place))
    git(app_dir, "push", "-q", "origin", MAIN)


def merge_proposed(
    app_dir: Path, words: str, seconds: float, say: Callable[[str], None], over: Callable[[], bool]
) -> None:
    """Waits for a proposed fix whose text has `words`, shows it, and merges it as a person would.

    Raises TargetError when there is none in time.
    """
    branch = _proposed(app_dir, words, seconds, over)
    for line in _worth_reading(git(app_dir, "log", "-1", "-p", "--format=%B", "FETCH_HEAD").splitlines()):
        say(line)
    git(app_dir, "checkout", "-q", MAIN)
    git(app_dir, "merge", "-q", "--no-ff", "-m", f"Merge {branch}", "FETCH_HEAD")
    git(app_dir, "push", "-q", "origin", MAIN)


def _worth_reading(lines: list[str]) -> list[str]:
    """The title, what was run before and after, and the lines that change."""
    proof = [
        line.strip("| ").replace(" | ", ": ", 1) for line in lines if line.startswith(("| the failing", "| the tests"))
    ]
    diff = [line for line in lines if line.startswith(("+", "-")) and line[:3] not in ("+++", "---")]
    return [*lines[:1], *proof, *diff][:SHOWN_MOST]


def _proposed(app_dir: Path, words: str, seconds: float, over: Callable[[], bool]) -> str:
    """Its name; FETCH_HEAD is at it."""
    end = clock.monotonic() + seconds
    while clock.monotonic() < end and not over():
        for line in git(app_dir, "ls-remote", "origin", PROPOSED).splitlines():
            name = line.split()[1].removeprefix("refs/heads/")
            git(app_dir, "fetch", "-q", "origin", name)
            if words in git(app_dir, "log", "-1", "--format=%B", "FETCH_HEAD"):
                return name
        time.sleep(LOOK_S)
    raise TargetError(f"no fix was proposed within {seconds:g} s")
