"""Releases of an app of several services, on a real history: what they changed of which, as the healer would find out."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.incidents.world import NEW, NOW, OLD
from bench.suspects.play import RUN_S, History
from prodwise.config.environment import state_dir
from prodwise.loop.diagnose.case import TouchFacts
from prodwise.model.release import Release, ReleaseState
from prodwise.targets.local import git
from prodwise.targets.local.compare import LocalCompare
from prodwise.targets.local.environment import NAMES_FILE
from prodwise.targets.local.layout import Layout

WORK: Final = "worker/jobs.py"
WHO: Final = {f"GIT_{who}_{what}": said for who in ("AUTHOR", "COMMITTER")
              for what, said in (("NAME", "Ana Lima"), ("EMAIL", "dev@shop.test"))}  # fmt: skip


@dataclass(frozen=True)
class Parts:
    """Whose the project's own files are, beside folders of a worker's and an admin's: "web", "web worker" for both, "worker" where
    web imports them and nobody declared it, "" for nobody's. guilty: the release is the guilty commit; else it changed a job only."""

    whose: str
    guilty: bool


def changed(history: History, parts: Parts, deployed: float) -> tuple[TouchFacts, ...]:
    """What is known of that release, () where it counts as a change of all. Asked of git by what the healer asks it by."""
    repo = history.repo
    roots = git.git(repo, "ls-tree", "--name-only", history.guilty).split()
    more = {
        "prodwise.toml": _settings(parts.whose, roots),
        WORK: "RETRIES = 1\n",
        "admin/pages.py": "",
        "web/app.py": "",
    }
    before = _commit(repo, f"{history.guilty}^", more)
    base = history.guilty if parts.guilty else f"{history.guilty}^"
    after = _commit(repo, base, more if parts.guilty else {**more, WORK: "RETRIES = 5\n"}, before)
    old, new = (
        Release(name, at, sha, "", NOW, ReleaseState.READY) for name, at, sha in ((OLD, 7, before), (NEW, 8, after))
    )
    for one in (old, new):
        place = Layout(repo.resolve(), state_dir(repo).resolve()).release(one.id)
        place.mkdir(parents=True, exist_ok=True)
        (place / NAMES_FILE).write_text(json.dumps({"PORT": "same"}))
    found = LocalCompare(repo).delta(old, new).touched
    return (TouchFacts(NEW, OLD, deployed, found.services, found.places),) if found.services else ()


def _settings(whose: str, roots: list[str]) -> str:
    own = {name: [name, *(roots if name in whose.split() else ())] for name in ("web", "worker", "admin")}
    return "version = 1\n" + "".join(f"[services.{name}]\npaths = {json.dumps(own[name])}\n" for name in own)


def _commit(repo: Path, base: str, files: Mapping[str, str], parent: str = "") -> str:
    """That commit's files and these, without touching the working copy."""
    with tempfile.TemporaryDirectory() as place:
        env = {**os.environ, **WHO, "GIT_INDEX_FILE": str(Path(place) / "index")}

        def ask(*arguments: str, given: str = "") -> str:
            done = subprocess.run(["git", "-C", str(repo), *arguments], input=given, text=True, env=env,
                                  capture_output=True, check=True, timeout=RUN_S)  # fmt: skip
            return done.stdout.strip()

        ask("read-tree", base)
        for path, text in files.items():
            ask(
                "update-index",
                "--add",
                "--cacheinfo",
                f"100644,{ask('hash-object', '-w', '--stdin', given=text)},{path}",
            )
        return ask("commit-tree", ask("write-tree"), "-m", "Release", *(("-p", parent) if parent else ()))
