"""Who may propose repairs, and where they are tried: the concrete classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from prodwise.model.errors import UsageError
from prodwise.ports.repair import Repairer
from prodwise.repair.search_repairer import SearchRepairer
from prodwise.sandbox.workshop import Workshop

NO_MODEL = "none"


def workshop(repo: Path, commands: Sequence[str]) -> Workshop:
    """Of what is in the directory now. Raises Refused where no sandbox can be had."""
    return Workshop(repo, commands)


def repairers(model: str) -> tuple[Repairer, ...]:
    """Smallest first. model: the name of one, or "none". Raises UsageError for a model that is not known."""
    if model != NO_MODEL:
        raise UsageError(f"there is no model {model!r}", "--model none uses none")
    return (SearchRepairer(),)
