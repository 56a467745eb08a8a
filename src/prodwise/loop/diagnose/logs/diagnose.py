"""A log in, causes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from prodwise.loop.diagnose.logs import go, java, node, php, python, ruby, rust
from prodwise.loop.diagnose.logs.asked import asked, commands_of, failed
from prodwise.loop.diagnose.logs.clue import Reading
from prodwise.loop.diagnose.logs.text import Log, slashed
from prodwise.loop.diagnose.logs.thin import thinned
from prodwise.loop.diagnose.logs.weigh import weigh
from prodwise.model.breakage import Blamed, Breakage, Failure, Moved

READERS: Final[tuple[Callable[[Log], Reading], ...]] = (
    python.read, node.read, ruby.read, go.read, php.read, rust.read,
)  # fmt: skip
CLOSE: Final = 0.75  # a second cause with this share of the first one's confidence is about as likely
SURE: Final = 0.5


def diagnose_log(log: Log, moved: Sequence[Moved] | None = None) -> Breakage:
    """Which dependency broke what the log is of. moved: versions that changed in its repository lately; None if nobody looked."""
    readings = _read(slashed(log))
    causes = tuple(weigh(log, readings, moved or ()))
    return Breakage(causes, tuple(_unknown(log, readings, causes, moved)))


def _read(log: Log) -> list[Reading]:
    """Maven and Gradle say clearly that a log is theirs; of others, any may be mixed."""
    few = thinned(java.quiet(log))
    first = java.read(log, few)
    if first.kind is not None and first.clues:
        return [first]
    found = [first, *(reader(few) for reader in READERS)]
    commands = commands_of(few)
    for one in found:
        one.clues += asked(few, one, commands)
        if one.moved and one.kind is None and failed(few):
            one.kind = Failure.RUNTIME
    return found


def _unknown(
    log: Log, readings: Sequence[Reading], causes: Sequence[Blamed], moved: Sequence[Moved] | None
) -> list[str]:
    said: list[str] = []
    if log.cut:
        said.append("the log is larger than what is read of it: its beginning, its end, and telling lines between them")
    if not log.text.strip():
        return [*said, "the log is empty"]
    kind = next((one.kind for one in readings if one.kind is not None), None)
    if not causes:
        told = f"a {kind.value.replace('_', ' ')} is told" if kind else "no failure of a dependency is told"
        said.append(f"{told}, and no package is named that could be its cause")
        return said if moved is not None else [*said, "what changed lately: --repo DIR tells"]
    first = causes[0]
    if first.confidence < SURE:
        said.append(f"whether it is {first.what} at all: what speaks for it is weak")
    if len(causes) > 1 and causes[1].confidence >= CLOSE * first.confidence:
        said.append(f"which of {first.what} and {causes[1].what} it is: both are about as likely")
    if not first.version_from:
        where = "nothing that was read tells it" if moved is not None else "--repo DIR may tell"
        said.append(f"which version of {first.what} worked: {where}")
    if not first.version_to:
        said.append(f"which version of {first.what} is in use")
    if moved is not None and not moved:
        said.append("what changed: the last commits changed no versions in a file that is understood")
    return said
