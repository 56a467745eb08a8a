"""Who may propose repairs, and where they are tried: the concrete classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from prodwise.ports.repair import Fitter, Repairer, TakesBack
from prodwise.repair.pins.repairer import PinRepairer
from prodwise.repair.reverts import RevertRepairer
from prodwise.repair.search_repairer import SearchRepairer
from prodwise.repair.undo import MergedFixes
from prodwise.sandbox.workshop import Workshop
from prodwise.wiring.fitting import LockFitter
from prodwise.wiring.sandbox import sandbox

NO_MODEL = "none"


def workshop(repo: Path, commands: Sequence[str]) -> Workshop:
    """Of what is in the directory now. Raises Refused where no sandbox can be had."""
    return Workshop(repo, commands, sandbox=sandbox(repo))


def fitter(shop: Workshop) -> Fitter:
    """Who installs what a lock names, so that a pin is tried where its version is."""
    return LockFitter(shop)


def takes_back(repo: Path) -> TakesBack:
    """Who tells what takes a commit back, byte for byte."""
    return MergedFixes(repo)


def repairers(model: str, repo: Path, tell: Callable[[str], None]) -> tuple[Repairer, ...]:
    """Smallest first. model: "none", "configured" (what this instance set up) or "provider:model". Raises UsageError for one that
    is not known, ConfigError with what is missing for it."""
    repo = repo.resolve()
    without = (PinRepairer(repo, date.today), RevertRepairer(repo), SearchRepairer())
    if model == NO_MODEL:
        return without
    from prodwise.wiring import models

    return (*without, *models.asked_for(model, repo, tell))
