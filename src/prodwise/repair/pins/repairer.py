"""Proposes that a package which moved lately goes back, where the fault speaks of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final

from prodwise.clock import monotonic
from prodwise.loop.changes.locks import is_lock
from prodwise.loop.choose.pins import seen
from prodwise.loop.choose.pins.guilty import guilty
from prodwise.loop.diagnose.logs.manifests import ecosystem_of
from prodwise.loop.diagnose.logs.manifests import moved as moved_in
from prodwise.loop.diagnose.logs.versions import newer
from prodwise.model.action import ActionKind
from prodwise.model.breakage import Ecosystem, Moved
from prodwise.model.errors import ProdwiseError, TargetError
from prodwise.model.patch import Fault, Proposal
from prodwise.model.pin import HOLDS_FILE, Hold
from prodwise.ports.repair import Workshop
from prodwise.repair.base import known
from prodwise.repair.pins.pin import HISTORY_MAX, manifests, pinned
from prodwise.repair.scratch import Scratch, scratch

HOLD_DAYS: Final = 30
LATELY: Final = 5
"""Changes of each lock file that count as lately."""
BACK_MAX: Final = 2
"""Versions tried of one package: the last good one, and the one before it."""


class PinRepairer:
    """Implements ports.repair.Repairer. today: the first day of a hold, which is part of what is proposed."""

    name = "pin"

    def __init__(self, repo: Path, today: Callable[[], date]) -> None:
        self._repo = repo
        self._today = today

    def propose(self, fault: Fault, workshop: Workshop, base: str, seconds: float) -> Iterator[Proposal]:
        """Raises TargetError at the end, where a pin of a guilty package could not be made: why is for a person."""
        until = monotonic() + seconds
        try:
            with scratch(self._repo) as made:
                yield from self._proposals(fault, made, known(made, workshop, base), until)
        except TargetError:
            raise
        except ProdwiseError:
            return

    def _proposals(self, fault: Fault, made: Scratch, base: str, until: float) -> Iterator[Proposal]:
        now, lacking = manifests(made, base), list[str]()
        for rank, one in enumerate(guilty(fault, lately(made, base, now))):
            for back, version in enumerate(_older(made, base, now, one)):
                left = until - monotonic()
                if left <= 0:
                    break
                try:
                    found = pinned(made, base, self._hold(one, version), left)
                except ProdwiseError as error:
                    lacking.append(f"{one.name} {version}: {error.message}" + (f"; {error.hint}" if error.hint else ""))
                    continue
                if set(found.plan.edits) - {HOLDS_FILE} and found.seen is not None:
                    why = _why(one, version, self._today())
                    yield Proposal(self.name, ActionKind.PIN, found.diff, why, rank + back / 10)
        if lacking:
            raise TargetError(lacking[0])

    def _hold(self, one: Moved, version: str) -> Hold:
        today = self._today()
        reason = f"{one.name} {one.after} broke what worked with {version}"
        return Hold(one.name, one.ecosystem, version, reason, today, today + timedelta(days=HOLD_DAYS))


def _why(one: Moved, version: str, today: date) -> str:
    until = (today + timedelta(days=HOLD_DAYS)).isoformat()
    moved = f"it moved {one.before} → {one.after} ({one.where}), and the fault speaks of it"
    return f"pin {one.name} to {version} until {until}: {moved}"


def lately(made: Scratch, base: str, now: Mapping[str, str]) -> list[Moved]:
    """What the last changes of the lock files moved, the newest of each package."""
    found: dict[tuple[Ecosystem, str], Moved] = {}
    for path in (one for one in now if is_lock(one)):
        history = made.history(path, LATELY + 1, base)
        for (commit, after), (_, before) in pairwise(history):
            for one in moved_in(path, before, after, f"{path} in {commit[:8]}"):
                found.setdefault((one.ecosystem, one.name), one)
    return list(found.values())


def _older(made: Scratch, base: str, now: Mapping[str, str], one: Moved) -> list[str]:
    """Versions in the lock history that are older than the one in use, the newest commit's first."""
    versions: dict[str, None] = {}
    for path in (path for path in now if is_lock(path) and ecosystem_of(path) is one.ecosystem):
        for found in seen(path, made.history(path, HISTORY_MAX, base), one.name):
            if newer(one.after, found.version):
                versions.setdefault(found.version)
    return list(versions)[:BACK_MAX]
