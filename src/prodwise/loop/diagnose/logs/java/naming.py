"""What an error names."""

from __future__ import annotations

from dataclasses import dataclass

from prodwise.loop.diagnose.logs.weights import Reason
from prodwise.model.breakage import Failure


@dataclass(frozen=True, slots=True)
class Naming:
    """A class or package that an error names. artifact, version: when the error names its file, too, of whatever group if it begins
    with ":"; by: the class that asked.
    """

    name: str
    reason: Reason
    kind: Failure
    line: int
    share: float = 1.0
    artifact: str = ""
    version: str = ""
    by: str = ""
