"""The configuration that a long-lived process runs with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from prodwise.config import Config, load
from prodwise.loop.changes import compare
from prodwise.model.delta import Setting
from prodwise.model.errors import ConfigError
from prodwise.ports import Ledger
from prodwise.targets.local.layout import keep

SAID_MAX: Final = 8


def last_kept(kept: Path) -> Config | None:
    """The one that ran last; None before the first."""
    try:
        return Config.model_validate_json(kept.read_text())
    except (OSError, ValueError):
        return None


def note_difference(ledger: Ledger, before: Config | None, config: Config) -> None:
    """What is set otherwise than last time is a change, and stands in the ledger: keys, and values that can be no secret."""
    if before is None:
        return
    settings = compare.settings(before.model_dump(mode="json"), config.model_dump(mode="json"))
    if settings:
        data = {"settings": [asdict(one) for one in settings]}
        ledger.append("settings_file", in_words(settings), actor="prodwise up", data=data)


def in_words(settings: Sequence[Setting]) -> str:
    """ "settings in prodwise.toml changed: ramp.watch_seconds 600 → 60; notify_command added"."""
    said = [
        f"{one.key} {one.before} → {one.after}" if one.before and one.after else f"{one.key} {one.how}"
        for one in settings[:SAID_MAX]
    ]
    more = f"; {len(settings) - SAID_MAX} more" if len(settings) > SAID_MAX else ""
    return f"settings in prodwise.toml changed: {'; '.join(said)}{more}"


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
