"""A pin lets nothing new in: only versions that this repository had before."""

from __future__ import annotations

import re
from typing import Final

from prodwise.heal.fixing.trial import Trial, failed, held, passed
from prodwise.model.action import ActionKind
from prodwise.model.gate import GateResult

GATE: Final = "dependencies"
HISTORY_MAX: Final = 60
_VERSION = re.compile(r"(?<![\w.])v?\d+(?:\.\d+)+[\w.+!-]*")
_NAMED = re.compile(r"[A-Za-z@][\w.@/-]*")


def dependencies(trial: Trial) -> GateResult:
    """Offline: what was locked here once is known, with its licence and its faults; anything else waits for a person."""
    if trial.proposal.kind is not ActionKind.PIN:
        return passed(GATE, "none is changed")
    seen = list[str]()
    for file in trial.files:
        seen += [text for _, text in trial.court.workshop.history(file.path, HISTORY_MAX)]
        seen.append(trial.court.repository.text(file.path) or "")
    before = "\n".join(seen)
    versions = set(_VERSION.findall(before))
    words = {word.lower() for word in _NAMED.findall(before)}
    for file in trial.files:
        for line in file.added:
            if new := next((one for one in _VERSION.findall(line) if one not in versions), ""):
                return held(GATE, f"{file.path}: version {new} was never locked here: a person decides")
            name = _NAMED.search(line)
            if name and name[0].lower() not in words:
                return failed(GATE, f"{file.path}: {name[0][:80]} was never a dependency here")
    return passed(GATE, "only versions that this repository had before")
