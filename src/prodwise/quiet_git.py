"""git, asked so that nothing of a repository runs: no hook, filter, monitor, pager, external diff, helper or signer."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from prodwise.model.errors import TargetError

NEVER: Final = (
    "core.hooksPath=/dev/null", "core.fsmonitor=false", "core.pager=cat", "core.quotePath=false", "core.attributesFile=/dev/null",
    "diff.external=", "log.showSignature=false", "protocol.allow=never", "safe.directory=*", "gc.auto=0",
)  # fmt: skip
PLAIN: Final = ("--no-ext-diff", "--no-textconv", "--no-color", "--src-prefix=a/", "--dst-prefix=b/")
"""Of a diff that a program reads."""
SAID_MAX: Final = 500


def command(*settings: str) -> list[str]:
    """What stands before git's own words. settings: more of them, which win over ours."""
    return ["git", "--no-replace-objects", *(part for one in (*NEVER, *settings) for part in ("-c", one))]


def environment() -> dict[str, str]:
    """Nothing of ours but where programs are; no configuration but the repository's own, and no lock that others wait for."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.devnull,
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }


def run(
    arguments: Sequence[str], where: Path, seconds: float, *, settings: Sequence[str] = (), env: Mapping[str, str] | None = None,
    given: bytes = b"",
) -> tuple[int, bytes, str]:  # fmt: skip
    """(exit code, what it printed, the last that it complained of). Raises TargetError where it does not run, or does not end."""
    argv, whole = [*command(*settings), "-C", str(where), *arguments], environment() | dict(env or {})
    try:
        done = subprocess.run(argv, input=given, capture_output=True, env=whole, timeout=seconds, check=False)
    except FileNotFoundError:
        raise TargetError("git is not installed", "install git") from None
    except subprocess.TimeoutExpired:
        raise TargetError(f"git {arguments[0]} did not finish within {seconds:.0f} s") from None
    return done.returncode, done.stdout, last(done.stderr)


def last(said: bytes) -> str:
    return "".join(c if c.isprintable() else " " for c in said.decode(errors="replace").strip()[-SAID_MAX:])
