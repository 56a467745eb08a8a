"""The configuration that a long-lived process runs with."""

from __future__ import annotations

from pathlib import Path

from prodwise.config import Config, load
from prodwise.model.errors import ConfigError
from prodwise.targets.local.layout import keep


def last_usable(app_dir: Path, kept: Path) -> tuple[Config, str]:
    """(the configuration, "") or, while a person's edit has broken it, (the last one that could be used, what is wrong).

    Someone who is half-way through an edit must not lose the healer with it. Raises ConfigError when there is none to fall
    back to.
    """
    try:
        config = load(app_dir)
    except ConfigError as error:
        if not kept.exists():
            raise
        wrong = f"the configuration cannot be used, and the one before is kept: {error.message}"
        return Config.model_validate_json(kept.read_text()), wrong
    keep(kept, config.model_dump_json())
    return config, ""
