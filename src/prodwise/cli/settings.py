"""`prodwise config`: every setting in force, where it came from, and nothing secret."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prodwise.config import FILE_NAME, PROCFILE, Config, load
from prodwise.config.environment import FROM_ENVIRONMENT, SIGNALS_FROM_ENVIRONMENT, state_dir

HIDDEN = "(hidden)"
SECRET_KEY = re.compile(r"(?i)(secret|token|password|passwd|api_?key|credential|dsn|private)")
SECRET_WORD = re.compile(r"(?i)\b(\w*(?:secret|token|password|passwd|key|dsn)\w*=)\S+")
USER_INFO = re.compile(r"(://)[^/@\s]+@")


@dataclass(frozen=True, slots=True)
class Setting:
    """One value in force. value: JSON-ready, secrets already hidden; source: file, default or environment, by name."""

    key: str
    value: Any
    source: str

    @property
    def shown(self) -> str:
        if isinstance(self.value, list):
            return ", ".join(str(item) for item in self.value) or "(none)"
        return (
            "(none)"
            if self.value in ("", None)
            else str(self.value).lower()
            if isinstance(self.value, bool)
            else str(self.value)
        )


def merged(app_dir: Path) -> list[Setting]:
    """Raises ConfigError like any use of the file would."""
    config = load(app_dir)
    path = app_dir / FILE_NAME
    written = tomllib.loads(path.read_text()) if path.is_file() else {}
    procfile = (app_dir / PROCFILE).is_file() and not written.get("services")
    found = [
        Setting(key, _safe(key, value), _source(key, written, procfile=procfile))
        for key, value in _flat(config.model_dump(mode="json"))
    ]
    return [*found, *_environment(app_dir)]


def schema_of() -> dict[str, Any]:
    return Config.model_json_schema()


def _flat(data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in data.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _safe(key: str, value: Any) -> Any:
    """Values of a service's env and of keys that sound secret are hidden; so are passwords inside commands and addresses."""
    parts = key.split(".")
    secret = (
        (len(parts) > 3 and parts[2] == "env")
        or SECRET_KEY.search(parts[-1])
        or parts[-1] in ("notify_command", "forward")
    )
    if secret and value:
        return HIDDEN
    return USER_INFO.sub(rf"\1{HIDDEN}@", SECRET_WORD.sub(rf"\1{HIDDEN}", value)) if isinstance(value, str) else value


def _source(key: str, written: Mapping[str, Any], *, procfile: bool) -> str:
    named = f"PRODWISE_{key.upper().replace('.', '_')}"
    if key.replace(".", "_") in (*FROM_ENVIRONMENT, *SIGNALS_FROM_ENVIRONMENT) and named in os.environ:
        return f"environment {named}"
    at: Any = written
    for part in key.split("."):
        if not isinstance(at, Mapping) or part not in at:
            break
        at = at[part]
    else:
        return FILE_NAME
    if procfile and (key.endswith((".command", ".kind")) or (key == "release" and not written.get("release"))):
        return PROCFILE
    return "the folder's name" if key == "name" else "default"


def _environment(app_dir: Path) -> Iterator[Setting]:
    """Settings that only the environment has."""
    named = "PRODWISE_STATE_DIR"
    yield Setting("state_dir", str(state_dir(app_dir)), f"environment {named}" if os.environ.get(named) else "default")
    url = os.environ.get("PRODWISE_DATABASE_URL", "")
    if url:
        yield Setting("database", USER_INFO.sub(rf"\1{HIDDEN}@", url), "environment PRODWISE_DATABASE_URL")
    else:
        yield Setting("database", f"sqlite:///{state_dir(app_dir) / 'prodwise.db'}", "default")
