"""A log in, causes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from prodwise.loop.diagnose.logs import go, java, node, php, python, ruby, rust
from prodwise.loop.diagnose.logs.clue import Reading
from prodwise.loop.diagnose.logs.text import Log
from prodwise.loop.diagnose.logs.weigh import weigh
from prodwise.model.breakage import Breakage, Moved

READERS: Final[tuple[Callable[[Log], Reading], ...]] = (
    java.read, python.read, node.read, ruby.read, go.read, php.read, rust.read,
)  # fmt: skip


def diagnose_log(log: Log, moved: Sequence[Moved] = ()) -> Breakage:
    """Which dependency broke what the log is of. moved: versions that changed in the repository lately."""
    readings = [reader(log) for reader in READERS]
    causes = tuple(weigh(log, readings, moved))
    return Breakage(causes, ())
