"""What a reader found in a log, before it is weighed."""

from __future__ import annotations

from dataclasses import dataclass, field

from prodwise.loop.diagnose.logs.weights import Reason
from prodwise.model.breakage import Ecosystem, Failure, Moved


@dataclass(frozen=True, slots=True)
class Clue:
    """One line that speaks for (or against) a package. share: 0…1 of the reason's weight; line: its number in the log."""

    reason: Reason
    name: str
    kind: Failure
    line: int
    version: str = ""
    share: float = 1.0


@dataclass(slots=True)
class Reading:
    """What one ecosystem's reader found. versions: what the log says is installed; moved: versions that it says changed."""

    ecosystem: Ecosystem
    clues: list[Clue] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    before: dict[str, str] = field(default_factory=dict)  # versions that packages probably had before
    moved: list[Moved] = field(default_factory=list)
    kind: Failure | None = None  # what the tool itself says failed
