"""A pin lets nothing new in: only versions, from the places, that this repository had before."""

from __future__ import annotations

from typing import Final

from prodwise.heal.fixing.trial import Trial, held, passed
from prodwise.loop.changes.locks import is_lock
from prodwise.loop.verify.dependencies import moved, strange
from prodwise.model.action import ActionKind
from prodwise.model.gate import GateResult
from prodwise.model.pin import HOLDS_FILE

GATE: Final = "dependencies"
HISTORY_MAX: Final = 60


def dependencies(trial: Trial) -> GateResult:
    """Offline: what was locked here once is known; anything else waits for a person."""
    if trial.proposal.kind is not ActionKind.PIN:
        return passed(GATE, "none is changed")
    court, after = trial.court, trial.after
    files = [file for file in trial.files if file.path != HOLDS_FILE]
    then = {file.path: [text for _, text in court.workshop.history(file.path, HISTORY_MAX)] for file in files}
    now = {file.path: court.repository.text(file.path) or "" for file in files}
    before = "\n".join(text for path in now for text in (now[path], *then[path]))
    for file in files:
        if is_lock(file.path):
            try:
                moves = moved(file.path, now[file.path], after.get(file.path, ""), [now[file.path], *then[file.path]])
            except ValueError as error:
                return held(GATE, f"{file.path}: {error}")
            if new := next((one for one in moves if not one.known), None):
                version = ", ".join(new.versions)
                return held(GATE, f"{file.path}: {new.name} {version} was never locked here: a person decides")
        if new_line := next(strange(file.path, file.added, before), ""):
            return held(GATE, f"{file.path}: {new_line}: a person decides")
    return passed(GATE, "only versions that this repository had before")
