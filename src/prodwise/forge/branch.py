"""Branches by git itself: one commit is made without a checkout and pushed, and nothing of the repository runs.

The commit is made in a folder of its own that borrows the repository's objects, so that neither the repository nor its
configuration (hooks, helpers, rewritten addresses, filters) has a say. The token reaches git through a helper that reads it
from an open, unnamed file in memory: it stands in no argument, no environment, no address and no file on disk.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from prodwise import quiet_git
from prodwise.forge.api import LOOPBACK
from prodwise.loop.publish.decide import forbidden
from prodwise.model.errors import ConfigError, ForgeError, GateFailed, Refused
from prodwise.model.pull import BRANCH_PREFIX

NAME, EMAIL = "Prodwise", "prodwise@localhost"
COMMAND_S: Final = 60.0
OUTPUT_MAX: Final = 4_000_000
SUBJECTS: Final = 60
TIPS_MAX: Final = 1_000
TOKEN_MAX: Final = 4_096
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_BRANCH = re.compile(rf"{re.escape(BRANCH_PREFIX)}[a-z0-9-]{{1,60}}")
_PLAIN_MODES = frozenset({"000000", "100644", "100755"})
_SETTINGS: Final = (
    "core.hooksPath=/dev/null", "core.fsmonitor=false", "core.attributesFile=/dev/null", "core.quotePath=false",
    "credential.helper=", "protocol.allow=never", "protocol.file.allow=always", "protocol.https.allow=always",
    "protocol.http.allow=always", "protocol.ssh.allow=always", "http.followRedirects=false", "gc.auto=0",
    "commit.gpgSign=false", "push.recurseSubmodules=no", "http.lowSpeedLimit=1", "http.lowSpeedTime=30",
)  # fmt: skip


@dataclass(frozen=True)
class GitBranches:
    """repo: the local repository, read only; remote: its address, as git takes it; user: the name that goes with the token, ""
    without a token. Implements ports.Branches."""

    repo: Path
    remote: str
    user: str = ""
    token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.remote)
        if self.remote.startswith("-") or "::" in self.remote or parts.password is not None:
            raise ConfigError("forge.remote is no address that can be used", "an address without a password in it")
        if self.token and (
            parts.scheme not in ("http", "https") or len(self.token) > TOKEN_MAX or not self.token.isprintable()
        ):
            raise ConfigError("the token of [forge] is for an address with https://", "is forge.remote right?")
        if self.token and parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise ConfigError("forge.remote would send the token unencrypted", "write https://")

    def subjects(self, base: str) -> Sequence[str]:
        told = self._git(self.repo, "log", f"--max-count={SUBJECTS}", "--no-merges", "--no-show-signature", "--no-color",
                         "--format=%s", "--end-of-options", _commit_id(base))  # fmt: skip
        return tuple(line[:300] for line in told.splitlines())

    def main(self) -> str:
        return self.head()[0]

    def head(self) -> tuple[str, str]:
        """(the remote's default branch, the commit that it is at)."""
        told = self._remote("ls-remote", "--symref", "--end-of-options", self.remote, "HEAD")
        found = re.search(r"^ref: refs/heads/(\S{1,200})\tHEAD\n([0-9a-f]{40,64})\tHEAD$", told, re.MULTILINE)
        if found is None:
            raise ForgeError("the remote does not say which its main branch is", "is it empty?")
        return found[1], found[2]

    def has(self, commit: str) -> bool:
        """Whether the remote's default branch has it. What is newer there is fetched into a folder that is gone afterwards."""
        branch, head = self.head()
        with self.workshop() as shop:
            if self._git(shop, "cat-file", "--batch-check", given=f"{head}\n".encode()).endswith(" missing\n"):
                self.fetch(shop, f"refs/heads/{branch}", deep=True)
            told = self._git(shop, "rev-list", "--max-count=1", "--end-of-options", _commit_id(commit), f"^{head}")
        return not told.strip()

    def tips(self, *branches: str) -> dict[str, str]:
        """Branch → the commit that it is at on the remote; those that are not there are left out. A name may end with `*`."""
        refs = [f"refs/heads/{branch}" for branch in branches]
        told = self._remote("ls-remote", "--end-of-options", self.remote, *refs)
        pairs = [line.split("\t") for line in told.splitlines()[:TIPS_MAX] if line.count("\t") == 1]
        return {
            ref.removeprefix("refs/heads/"): sha
            for sha, ref in pairs
            if ref.startswith("refs/heads/") and _SHA.fullmatch(sha)
        }

    def drop(self, branch: str, tip: str) -> None:
        """Removes the branch from the remote if it is still at `tip`."""
        with self.workshop() as shop:
            self._push(shop, branch, tip, "")

    def push(self, branch: str, base: str, diff: str, message: str, at: float, known: str) -> str:
        """1. The commit. 2. Its paths, as git tells them. 3. Who holds the branch. 4. The push, bound to what was seen there."""
        if not _BRANCH.fullmatch(branch):
            raise Refused(f"{branch!r} is no branch of ours", f"they begin with {BRANCH_PREFIX}")
        with self.workshop() as shop:
            made = self._make(shop, _commit_id(base), diff, message, at)
            self._check_paths(shop, base, made)
            tip = self.tips(branch).get(branch, "")
            if tip == made:
                return made
            if tip and tip != known and not self._is_ours(shop, branch, tip, message):
                raise Refused(f"{branch} holds commits that are not ours", "it is left as it is: merge or close it")
            self._push(shop, branch, tip, made)
            return made

    def _push(self, shop: Path, branch: str, tip: str, made: str) -> None:
        """Bound to what was seen there. made: "" to remove the branch."""
        lease, ref = f"--force-with-lease=refs/heads/{branch}:{tip}", f"{made}:refs/heads/{branch}"
        self._remote("push", "--quiet", "--no-verify", lease, "--end-of-options", self.remote, ref, at=shop)

    @contextmanager
    def workshop(self) -> Iterator[Path]:
        """A bare folder that borrows the repository's objects, gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="prodwise-forge-") as folder:
            shop = Path(folder)
            asked = ("--path-format=absolute", "--git-path", "objects", "--git-path", "shallow", "--show-object-format")
            objects, shallow, form = self._git(self.repo, "rev-parse", *asked).splitlines()
            self._git(shop, "init", "--quiet", "--bare", "--template=", f"--object-format={form}", ".")
            (shop / "objects/info").mkdir(exist_ok=True)
            (shop / "objects/info/alternates").write_text(f"{objects}\n")
            if Path(shallow).is_file():
                (shop / "shallow").write_bytes(Path(shallow).read_bytes())
            yield shop

    def fetch(self, shop: Path, *refs: str, deep: bool = False) -> None:
        depth = () if deep else ("--depth=1",)
        wanted = ("--quiet", "--no-tags", "--no-write-fetch-head", *depth)
        self._remote("fetch", *wanted, "--end-of-options", self.remote, *refs, at=shop)

    def ask(self, shop: Path, *arguments: str, given: str = "") -> str:
        """A command that talks to nobody."""
        return self._git(shop, *arguments, given=given.encode())

    def _make(self, shop: Path, base: str, diff: str, message: str, at: float) -> str:
        dates = {f"GIT_{role}_DATE": f"@{int(at)} +0000" for role in ("AUTHOR", "COMMITTER")}
        own = {"GIT_INDEX_FILE": str(shop / "prodwise-index"), **dates}
        self._git(shop, "read-tree", "--end-of-options", base, env=own)
        try:
            self._git(
                shop,
                "apply",
                "--cached",
                "--whitespace=nowarn",
                "-",
                env=own,
                given=diff.encode(errors="surrogateescape"),
            )
        except ForgeError as error:
            raise GateFailed(f"the diff does not apply to {base[:7]}", error.message) from None
        except UnicodeEncodeError:
            raise GateFailed("the diff holds what is no text") from None
        tree = self._git(shop, "write-tree", env=own).strip()
        return self._git(shop, "commit-tree", "-p", base, "-F", "-", tree, env=own, given=message.encode()).strip()

    def _check_paths(self, shop: Path, base: str, made: str) -> None:
        told = self._git(shop, "diff-tree", "-r", "-z", "--no-renames", "--no-commit-id", base, made).split("\0")
        heads, paths = told[0:-1:2], told[1::2]
        if not paths:
            raise GateFailed("the diff changes nothing")
        if path := forbidden(paths):
            raise Refused(
                f"{path} may not be changed by a healing pull request",
                "a person changes what runs in CI and who reviews",
            )
        for head, path in zip(heads, paths, strict=True):
            old, new = head.lstrip(":").split(" ")[:2]
            if not {old, new} <= _PLAIN_MODES:
                raise Refused(f"{path} is no plain file", "links and submodules are changed by a person")

    def _is_ours(self, shop: Path, branch: str, tip: str, message: str) -> bool:
        """A commit that we made for the same fault, and nobody has changed since."""
        self.fetch(shop, f"refs/heads/{branch}")
        who, _, body = self._git(shop, "log", "-1", "--no-show-signature", "--format=%cn <%ce>%n%B", tip).partition(
            "\n"
        )
        mark = message.strip().rpartition("\n")[2]
        return who == f"{NAME} <{EMAIL}>" and body.strip().endswith(mark)

    def _remote(self, *arguments: str, at: Path | None = None) -> str:
        """A command that talks to the remote; the only ones that get the token."""
        with tempfile.TemporaryDirectory(prefix="prodwise-forge-") as nowhere:
            here = at or Path(nowhere)
            if not self.token:
                return self._git(here, *arguments)
            origin = urlsplit(self.remote)
            secret = os.memfd_create("prodwise")
            try:
                os.write(secret, f"username={self.user}\npassword={self.token}\n".encode())
                helper = f'!f() {{ test "$1" = get && cat /proc/self/fd/{secret}; }}; f'
                setting = f"credential.{origin.scheme}://{origin.netloc}.helper={helper}"
                return self._git(here, "-c", setting, *arguments, fds=(secret,))
            finally:
                os.close(secret)

    def _git(
        self,
        at: Path,
        *arguments: str,
        env: dict[str, str] | None = None,
        given: bytes = b"",
        fds: tuple[int, ...] = (),
    ) -> str:
        settings = [part for one in (*_SETTINGS, f"safe.directory={at}") for part in ("-c", one)]
        argv = ["git", "--no-replace-objects", *settings, "-C", str(at), *arguments]
        name = arguments[2] if arguments[0] == "-c" else arguments[0]
        try:
            done = subprocess.run(
                argv,
                input=given,
                capture_output=True,
                timeout=COMMAND_S,
                check=False,
                env=_environment() | (env or {}),
                pass_fds=fds,
            )
        except FileNotFoundError:
            raise ForgeError("git is not installed", "install git") from None
        except subprocess.TimeoutExpired:
            raise ForgeError(
                f"git {name} did not finish within {COMMAND_S:.0f} s", "is the remote reachable?"
            ) from None
        if done.returncode != 0:
            said = self._clean(done.stderr.decode(errors="replace"))
            raise ForgeError(f"git {name}: {said or f'exit code {done.returncode}'}", _hint(said))
        return done.stdout[:OUTPUT_MAX].decode(errors="replace")

    def _clean(self, said: str) -> str:
        """What git said, its last lines, without the token should the host have echoed it."""
        text = said.replace(self.token, "[token]") if self.token else said
        return "".join(c if c.isprintable() else " " for c in text.strip()[-400:]).strip()


def _commit_id(text: str) -> str:
    if not _SHA.fullmatch(text):
        raise ForgeError("the base is no full commit id")
    return text


def _hint(said: str) -> str:
    if "Authentication failed" in said or "could not read Username" in said or "401" in said:
        return "the token is missing, wrong or expired: [forge] says where it comes from"
    if "403" in said:
        return "the token may not write to this repository: it needs contents: write, or the like"
    if "stale info" in said or "rejected" in said:
        return "somebody else pushed to the branch meanwhile: it is left as it is"
    return ""


def _environment() -> dict[str, str]:
    """Where programs are, who commits, and the agent of ssh; no configuration and no prompt."""
    own = {
        **quiet_git.environment(),
        "GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o StrictHostKeyChecking=yes",
        **{
            f"GIT_{role}_{part}": text
            for role in ("AUTHOR", "COMMITTER")
            for part, text in (("NAME", NAME), ("EMAIL", EMAIL))
        },
    }
    return own | ({"SSH_AUTH_SOCK": os.environ["SSH_AUTH_SOCK"]} if "SSH_AUTH_SOCK" in os.environ else {})
