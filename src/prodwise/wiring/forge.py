"""Which forge an app has, and where its token is read. The token stays in this process: nothing else is handed it."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from prodwise.config.forge import ForgeConfig
from prodwise.forge import github, gitlab
from prodwise.forge.branch import GitBranches
from prodwise.forge.git import GitNotes
from prodwise.forge.gitea import Gitea
from prodwise.forge.github import GitHub
from prodwise.forge.github_app import KEY_MAX, AppTokens
from prodwise.forge.gitlab import GitLab
from prodwise.forge.publisher import Publisher
from prodwise.model.errors import ConfigError
from prodwise.ports import Forge, Host

TOKEN_MAX: Final = 4_096
NOTES: Final = "pulls"
_USERS: Final = {"github": "x-access-token", "gitlab": "oauth2", "gitea": "prodwise", "git": "prodwise"}


def forge(config: ForgeConfig, app_dir: Path, state: Path) -> Forge:
    """For one publishing or look; a token that was renewed is read anew. state: where plain git's notes are kept.

    Raises ConfigError when there is no token or no remote."""
    base = config.api or {"github": github.BASE, "gitlab": gitlab.BASE}.get(config.kind, "")
    token = token_of(config, app_dir)
    if config.app_id:
        token = _app(config.repo, config.app_id, app_dir / config.key_file, base).token()
    if config.kind == "git":
        remote = _address(app_dir, config.remote or "origin")
        git = GitBranches(app_dir, remote, _USERS["git"] if token else "", token)
        return Publisher(GitNotes(git, state / NOTES), git, plain=True)
    branches = GitBranches(app_dir, f"{origin_of(base)}/{config.repo}.git", _USERS[config.kind], token)
    hosts: dict[str, type[GitHub] | type[GitLab] | type[Gitea]] = {"github": GitHub, "gitlab": GitLab, "gitea": Gitea}
    host: Host = hosts[config.kind](config.repo, token, base)
    return Publisher(host, branches)


@cache
def _app(repo: str, app_id: int, key: Path, base: str) -> AppTokens:
    """One for each, so that a token is used while it lives."""

    def read() -> str:
        try:
            return _read(key, KEY_MAX)
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"forge: {key} cannot be read ({type(error).__name__})", "is it there, and readable?"
            ) from None

    return AppTokens(repo, app_id, read, base)


def token_of(config: ForgeConfig, app_dir: Path) -> str:
    """Raises ConfigError for one that is named and cannot be had; the message names the place, never what is in it."""
    if not (config.token_env or config.token_file):
        return ""
    where = f"the variable {config.token_env}" if config.token_env else str(app_dir / config.token_file)
    try:
        token = os.environ.get(config.token_env, "") if config.token_env else _read(app_dir / config.token_file)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"forge: {where} cannot be read ({type(error).__name__})", "is it there, and readable?"
        ) from None
    if not token.strip().isascii() or not token.strip().isprintable() or not token.strip() or len(token) > TOKEN_MAX:
        raise ConfigError(f"forge: {where} holds no token", "put the token there, and nothing else")
    return token.strip()


def origin_of(api: str) -> str:
    """Where a host serves git: github.com for its API's own name, else the API's address without its last part."""
    if api.rstrip("/") == github.BASE:
        return "https://github.com"
    parts = urlsplit(api.rstrip("/"))
    path = parts.path
    for end in ("/api/v3", "/api/v4", "/api/v1"):
        path = path.removesuffix(end)
    return f"{parts.scheme}://{parts.netloc}{path}"


def _read(path: Path, most: int = TOKEN_MAX) -> str:
    with path.open(encoding="utf-8") as file:
        return file.read(most + 1)


def _address(app_dir: Path, remote: str) -> str:
    """A remote's address as the repository has it; an address is one already."""
    if ":" in remote or "/" in remote:
        return remote
    argv = ["git", "-c", "safe.directory=*", "-C", str(app_dir), "config", "--get", f"remote.{remote}.url"]
    try:
        found = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        found = ""
    if not found:
        raise ConfigError(
            f"forge: the repository has no remote {remote!r}", "git remote add origin ADDRESS, or set forge.remote"
        )
    return found
