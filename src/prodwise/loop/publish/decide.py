"""Whether a healing pull request may be opened, is one already, or was answered with no."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from prodwise.loop.publish.why import why
from prodwise.model.action import ActionKind
from prodwise.model.gate import Verdict, worst
from prodwise.model.pull import BRANCH_PREFIX, HealingPull, Published, PullSeen, PullState

OPEN_MAX = 3
_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,38}[a-z0-9]")
_CI_FILES = frozenset({
    ".gitlab-ci.yml", ".gitlab-ci.yaml", ".travis.yml", ".drone.yml", ".appveyor.yml", "appveyor.yml", "jenkinsfile",
    "azure-pipelines.yml", "bitbucket-pipelines.yml", ".woodpecker.yml", ".woodpecker.yaml", "codeowners", "cloudbuild.yaml",
})  # fmt: skip
_CI_FOLDERS = frozenset({".circleci", ".buildkite", ".woodpecker", ".drone", ".teamcity", ".semaphore"})
_HOST_FOLDERS = frozenset({".github", ".gitlab", ".gitea", ".forgejo"})


@dataclass(frozen=True, slots=True)
class Open:
    branch: str


@dataclass(frozen=True, slots=True)
class Update:
    pull: Published


@dataclass(frozen=True, slots=True)
class No:
    reason: str
    hint: str = ""


Decision: TypeAlias = Open | Update | No


def decide(pull: HealingPull, history: Sequence[Published], open_now: int, merged: bool = True) -> Decision:
    """1. What is not proven is not proposed, nor while users are still hurt. 2. What was refused before it was merged is mended where
    it is. 3. A fault that has an open one keeps it. 4. One that was closed stays closed until a person asks. 5. No more than three
    are open. open_now: of ours, as the host counts; merged: the base is on the host's main branch."""
    if worst(pull.gates) is not Verdict.PASS:
        failed = ", ".join(gate.gate for gate in pull.gates if gate.verdict is not Verdict.PASS) or "none was asked"
        return No(f"not all gates passed: {failed}", "a note about it is all that may be left")
    if not pull.calm:
        return No("production is not calm yet", "a change of code is proposed once users are served again")
    if not pull.met and not merged:
        return _unmerged(pull)
    mine = [one for one in history if one.key == pull.key]
    if standing := next((one for one in reversed(mine) if one.state is PullState.OPEN), None):
        return Update(standing)
    last = mine[-1] if mine else None
    if last and last.state is PullState.CLOSED and not last.retried:
        by = f" by {last.by}" if last.by else ""
        return No(
            f"it was proposed before and closed{by}: that means no", "comment `/prodwise retry` on it to have another"
        )
    if open_now >= OPEN_MAX:
        return No(
            f"{open_now} healing pull requests are open already",
            f"merge or close one; {OPEN_MAX} is the most at a time",
        )
    return Open(branch_of(pull.key, len({one.branch for one in mine}) + 1))


def _unmerged(pull: HealingPull) -> No:
    """A proposal for the main branch would bring along what is not merged yet."""
    if pull.proposal.kind is ActionKind.REVERT:
        return No(f"{pull.base[:7]} is not merged: there is nothing to take back", "leave it unmerged")
    return No(f"{pull.base[:7]} is not merged: what passes all gates is for its own branch: {why(pull.proposal)}")


def branch_of(key: str, attempt: int = 1) -> str:
    """The branch of a fault's n-th pull request. Keys that would not do as a name are hashed."""
    name = (
        key
        if _KEY.fullmatch(key) and "--" not in key
        else hashlib.sha256(key.encode(errors="replace")).hexdigest()[:16]
    )
    return f"{BRANCH_PREFIX}{name}" if attempt == 1 else f"{BRANCH_PREFIX}{name}--{attempt}"


def remembered(key: str, history: Sequence[Published], seen: Iterable[PullSeen]) -> tuple[Published, ...]:
    """The fault's history as the host knows it: what was lost here is found again, and what turned there is told.

    seen: those from this fault's branches, oldest first. What the host has at a branch's end may be anybody's: whether it is
    ours is for git to tell, so that `head` stays empty for what is found again."""
    known = {(one.branch, one.number): one for one in history if one.key == key}
    for now in seen:
        before = known.get((now.branch, now.number))
        if before is None:
            known[now.branch, now.number] = Published(key, now.branch, now.number, now.url, "", now.state, now.by)
        else:
            known[now.branch, now.number] = turned(before, now)
    return tuple(known.values())


def turned(before: Published, now: PullSeen) -> Published:
    """What is remembered, brought up to date. Our own last commit stays what we pushed, whatever others pushed since."""
    return replace(before, url=now.url or before.url, state=now.state, by=now.by or before.by)


def forbidden(paths: Iterable[str]) -> str:
    """The first path that no healing pull request may touch: what runs in CI, who must review, git's own files. "" if none."""
    return next((path for path in paths if _is_forbidden(path)), "")


def _is_forbidden(path: str) -> bool:
    parts = [unicodedata.normalize("NFKC", part).casefold().rstrip(". ") for part in path.split("/")]
    if any(part in _CI_FOLDERS or (part.startswith(".git") and part not in _HOST_FOLDERS) for part in parts):
        return True
    return parts[-1] in _CI_FILES or parts[-1].startswith("jenkinsfile") or bool(_HOST_FOLDERS.intersection(parts))
