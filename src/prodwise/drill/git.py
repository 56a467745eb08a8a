"""git itself, without the user's settings, hooks or prompts."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from prodwise.model.errors import UsageError

_TIMEOUT_S = 60


def git(repo: Path, *arguments: str) -> str:
    """Runs one git command in `repo` as "Kettle & Leaf"; returns its output. Raises UsageError with what git said."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
    for role in ("AUTHOR", "COMMITTER"):
        environment |= {f"GIT_{role}_NAME": "Kettle & Leaf", f"GIT_{role}_EMAIL": "shop@example.invalid"}
    command = ["git", "-c", "core.hooksPath=/dev/null", *arguments]
    try:
        done = subprocess.run(
            command, cwd=repo, env=environment, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise UsageError(f"git {arguments[0]} did not end within {_TIMEOUT_S} s in {repo}") from None
    except OSError as error:
        raise UsageError(f"git could not be run: {error}", "install git, or check the folder") from error
    if done.returncode:
        raise UsageError(f"git {arguments[0]} failed in {repo}: {done.stderr.strip()}", "is it a git repository?")
    return done.stdout
