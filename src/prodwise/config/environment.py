"""What one instance is told by its environment: keys that go before the file, an app's own variables, where our state lives."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prodwise.model.errors import ConfigError

FROM_ENVIRONMENT = ("address", "dashboard", "notify_command")
"""Keys that PRODWISE_<KEY> sets for one instance, whatever the file says: a drill's copy must not take the app's own place."""
SIGNALS_FROM_ENVIRONMENT = ("signals_address", "signals_receivers")
"""The same for keys of [signals]."""


def with_environment(data: Mapping[str, Any]) -> dict[str, Any]:
    """The file's data with the keys that the environment sets."""
    found = {**data, **_set(FROM_ENVIRONMENT)}
    signals = {key.removeprefix("signals_"): value for key, value in _set(SIGNALS_FROM_ENVIRONMENT).items()}
    if signals and isinstance(data.get("signals", {}), dict):
        found["signals"] = {**data.get("signals", {}), **signals}
    return found


def _set(keys: tuple[str, ...]) -> dict[str, str]:
    return {key: os.environ[name] for key in keys if (name := f"PRODWISE_{key.upper()}") in os.environ}


def read_env_file(path: Path) -> dict[str, str]:
    """KEY=VALUE lines, `export` and matching quotes allowed, nothing expanded. Raises ConfigError with the line's number."""
    values: dict[str, str] = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        text = line.strip().removeprefix("export ").strip()
        if not text or text.startswith("#"):
            continue
        key, equals, value = text.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", key.strip()):
            raise ConfigError(f"{path}:{number}: not KEY=VALUE", "correct that line, or put # before it")
        value = value.strip()
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        values[key.strip()] = value
    return values


def state_dir(app_dir: Path) -> Path:
    """Where everything of ours for one app lives; PRODWISE_STATE_DIR moves it."""
    return Path(os.environ.get("PRODWISE_STATE_DIR") or app_dir / ".prodwise")
