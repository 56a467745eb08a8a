"""Rigs for the kit: a small repository with a remote, on a fake host of each kind or as a bare folder."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from prodwise.forge.branch import GitBranches
from prodwise.forge.git import GitNotes
from prodwise.forge.gitea import Gitea
from prodwise.forge.github import GitHub
from prodwise.forge.gitlab import GitLab
from prodwise.forge.publisher import Publisher
from prodwise.model.pull import Published
from prodwise.ports import Forge, Host
from prodwise.testing.fake_forge import REPO, TOKEN, FakeForge
from prodwise.testing.fake_forge_api import fake_forge
from prodwise.testing.forge_kit import WRITER

KINDS = ("github", "gitlab", "gitea")
SHOP = 'def total(cart):\n    price = cart["price"]\n    return price\n'
_HOSTS = {"github": GitHub, "gitlab": GitLab, "gitea": Gitea}


def git(at: Path, *arguments: str, who: str = "Ada") -> str:
    env = {"PATH": os.environ["PATH"], "HOME": os.devnull, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    env |= {
        f"GIT_{role}_{part}": text
        for role in ("AUTHOR", "COMMITTER")
        for part, text in (("NAME", who), ("EMAIL", f"{who}@x.invalid"))
    }
    return subprocess.run(
        ["git", "-C", str(at), *arguments], env=env, check=True, capture_output=True, text=True
    ).stdout.strip()


def repository(at: Path) -> tuple[Path, Path, str]:
    """(the local one, its bare remote below `at`/remote, the base commit): copies of one that is made once."""
    made = _made()
    shutil.copytree(made, at, dirs_exist_ok=True)
    local, bare = at / "local", at / "remote" / f"{REPO}.git"
    return local, bare, (bare / "refs/heads/main").read_text().strip()


@functools.cache
def _made() -> Path:
    at = Path(tempfile.mkdtemp(prefix="prodwise-forge-test-"))
    atexit.register(shutil.rmtree, at, ignore_errors=True)
    bare, local = at / "remote" / f"{REPO}.git", at / "local"
    bare.mkdir(parents=True)
    local.mkdir()
    git(bare, "init", "--quiet", "--bare", "--template=", "--initial-branch=main")
    git(local, "init", "--quiet", "--template=", "--initial-branch=main")
    for number, subject in enumerate(("feat(shop): sell", "fix(shop): count", "docs: say how")):
        (local / "shop.py").write_text(SHOP)
        (local / "count.txt").write_text(str(number))
        git(local, "add", ".")
        git(local, "commit", "--quiet", "-m", subject)
    git(local, "push", "--quiet", str(bare), "main")
    return at


@dataclass
class BareRig:
    local: Path
    bare: Path
    base: str
    notes: Path
    remote: str = ""
    token: str = ""
    talks: bool = False

    def branches(self) -> GitBranches:
        return GitBranches(self.local, self.remote or str(self.bare), "prodwise" if self.token else "", self.token)

    def forge(self) -> Forge:
        return Publisher(GitNotes(self.branches(), self.notes), self.branches(), plain=True)

    def tip(self, branch: str) -> str:
        return dict(reversed(line.split()) for line in git(self.bare, "show-ref", "--heads").splitlines()).get(
            f"refs/heads/{branch}", ""
        )

    def person(self, what: str, pull: Published) -> None:
        if what == "push":
            push_theirs(self.bare, pull.branch)
        elif what == "close":
            git(self.bare, "update-ref", "-d", f"refs/heads/{pull.branch}")
        else:
            squash(self.bare, pull.branch)

    def say(self, pull: Published, login: str, text: str) -> None:
        raise NotImplementedError

    def said(self, pull: Published) -> list[str]:
        return [Path(pull.url).read_text()]


@dataclass
class HostRig:
    local: Path
    base: str
    fake: FakeForge
    talks: bool = True
    pauses: list[float] = field(default_factory=list)

    def host(self, token: str = TOKEN) -> Host:
        made: Host = _HOSTS[self.fake.kind](REPO, token, self.fake.api, self.pauses.append)
        return made

    def branches(self) -> GitBranches:
        return GitBranches(self.local, self.fake.remote, "prodwise", TOKEN)

    def forge(self) -> Forge:
        return Publisher(self.host(), self.branches())

    def tip(self, branch: str) -> str:
        return self.fake.tip(branch)

    def person(self, what: str, pull: Published) -> None:
        if what == "push":
            push_theirs(self.fake.bare, pull.branch)
        else:
            self.fake.turn(pull.number, {"merge": "merged", "close": "closed"}[what], WRITER)

    def say(self, pull: Published, login: str, text: str) -> None:
        self.fake.comment(pull.number, login, text)

    def said(self, pull: Published) -> list[str]:
        found = self.fake.number(pull.number)
        return [one.body for one in found.comments] if found else []


@contextmanager
def host_rig(kind: str, at: Path) -> Iterator[HostRig]:
    local, _, base = repository(at)
    with fake_forge(kind, at / "remote") as fake:
        fake.permissions[WRITER] = "write"
        yield HostRig(local, base, fake)


@contextmanager
def bare_rig(at: Path) -> Iterator[BareRig]:
    local, bare, base = repository(at)
    yield BareRig(local, bare, base, at / "notes")


@contextmanager
def http_rig(at: Path) -> Iterator[BareRig]:
    """Plain git over HTTP with a token."""
    local, bare, base = repository(at)
    with fake_forge("github", at / "remote") as fake:
        yield BareRig(local, bare, base, at / "notes", fake.remote, TOKEN)


def push_theirs(bare: Path, branch: str) -> None:
    """A commit of a person's own, on top."""
    tree = git(bare, "rev-parse", f"{branch}^{{tree}}")
    made = git(bare, "commit-tree", "-p", branch, "-m", "my own touch", tree)
    git(bare, "update-ref", f"refs/heads/{branch}", made)


def squash(bare: Path, branch: str) -> None:
    """Merged as hosts do with "squash": the change in a new commit, the branch gone."""
    made = git(bare, "commit-tree", "-p", "main", "-m", "squashed", git(bare, "rev-parse", f"{branch}^{{tree}}"))
    git(bare, "update-ref", "refs/heads/main", made)
    git(bare, "update-ref", "-d", f"refs/heads/{branch}")
