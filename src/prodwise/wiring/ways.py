"""Which hooks are open, and where their secrets lie: a variable, a file, or a file that is made beside the app."""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from prodwise.config import Config, HookConfig
from prodwise.ports import Hook
from prodwise.signals.hooks.ways import hook

SECRET_MAX = 4096


def hooks(config: Config, app_dir: Path, folder: Path) -> Mapping[str, Hook]:
    """By name. folder: where secrets that nobody gave us are made."""
    return {way: hook(way, one, *_secret(way, one, app_dir, folder)) for way, one in config.hooks.items()}


def _secret(way: str, config: HookConfig, app_dir: Path, folder: Path) -> tuple[Callable[[], str], str]:
    """(reads it anew, where it is kept)."""
    if name := config.secret_env:
        return lambda: os.environ.get(name, ""), f"the variable {name}"
    path = app_dir / config.secret_file if config.secret_file else folder / way
    if not config.secret_file:
        _make(path)
    return lambda: _read(path), str(path)


def _make(path: Path) -> None:
    """Once, for this user only. Its form is a Standard Webhooks secret; as a bearer token it is the same text."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError), open(path, "x", opener=_private) as made:
        made.write(f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}\n")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _read(path: Path) -> str:
    """A file that is missing or unreadable opens nothing."""
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(SECRET_MAX).strip()
    except (OSError, UnicodeDecodeError):
        return ""
