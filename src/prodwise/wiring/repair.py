"""Who may propose repairs, and where they are tried: the concrete classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from prodwise.config.environment import state_dir
from prodwise.config.repair import load_repair
from prodwise.heal.fixing.trial import Means
from prodwise.ports.repair import Repairer
from prodwise.repair.pins.advisories import AdvisoryFolder
from prodwise.repair.pins.repairer import PinRepairer
from prodwise.repair.reverts import RevertRepairer
from prodwise.repair.search_repairer import SearchRepairer
from prodwise.repair.settings.repairer import SettingsRepairer
from prodwise.repair.undo import MergedFixes
from prodwise.sandbox.workshop import Workshop
from prodwise.wiring.fitting import LockFitter
from prodwise.wiring.sandbox import sandbox

NO_MODEL = "none"
CONFIGURED = "configured"


def workshop(repo: Path, commands: Sequence[str]) -> Workshop:
    """Of what is in the directory now. Raises Refused where no sandbox can be had."""
    return Workshop(repo, commands, sandbox=sandbox(repo))


def means(shop: Workshop) -> Means:
    """What the gates may use. Raises ConfigError for a file of this instance that cannot be read."""
    setup = load_repair(state_dir(shop.directory))
    advisories = AdvisoryFolder(Path(setup.advisories).expanduser()) if setup.advisories else None
    return Means(LockFitter(shop), MergedFixes(shop.directory), advisories, setup.licences)


def repairers(model: str, repo: Path, tell: Callable[[str], None]) -> tuple[Repairer, ...]:
    """Smallest first. model: "none", "configured" (what this instance set up) or "provider:model". Raises UsageError for one that
    is not known, ConfigError with what is missing for it."""
    repo = repo.resolve()
    without = (SettingsRepairer(repo, tell), PinRepairer(repo, date.today), RevertRepairer(repo), SearchRepairer())
    if model == NO_MODEL:
        return without
    from prodwise.wiring import models

    return (*without, *models.asked_for(model, repo, tell))


def unhurried(found: Sequence[Repairer]) -> tuple[Repairer, ...]:
    """Where no user waits, a few lines that keep a commit's work come before taking the commit back. A model is asked last."""
    names = [one.name for one in found]
    if RevertRepairer.name not in names or SearchRepairer.name not in names:
        return tuple(found)
    rest = [one for one in found if one.name != RevertRepairer.name]
    at = [one.name for one in rest].index(SearchRepairer.name) + 1
    return (*rest[:at], found[names.index(RevertRepairer.name)], *rest[at:])
