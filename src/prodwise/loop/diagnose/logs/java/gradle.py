"""What Gradle itself says: which task failed, and what its resolver names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from prodwise.loop.diagnose.logs.clue import Clue
from prodwise.loop.diagnose.logs.java.catalogue import Catalogue
from prodwise.loop.diagnose.logs.text import Log
from prodwise.loop.diagnose.logs.versions import newer
from prodwise.loop.diagnose.logs.weights import Reason
from prodwise.model.breakage import Failure

_TASK: Final = re.compile(r"(?:Execution failed for task '|> Task )(:?[\w:.-]{1,200})(?:'| FAILED)")
_NAMED: Final = re.compile(r"(?<![\w.-])([a-zA-Z][\w.-]{1,150}):([\w.-]{1,120}):(?:\{strictly )?([\dv][\w.+-]{0,80})")
_ARROW: Final = re.compile(
    r"(?<![\w.-])([a-zA-Z][\w.-]{1,150}):([\w.-]{1,120}):([\dv][\w.+-]{0,80}) -> ([\dv][\w.+-]{0,80})"
)
_STEPS: Final = (
    (("duplicate", "enforce", "lint", "animalsniffer", "aarmetadata"), Failure.ENFORCER),
    (("compile", "kapt", "ksp", "javadoc"), Failure.COMPILATION),
    (("test", "check"), Failure.TEST),
    (("lock", "verifylock"), Failure.LOCK),
)
_SAID: Final = (
    ("Could not find ", Reason.NOT_FOUND, 1.0),
    ("Could not resolve ", Reason.NOT_FOUND, 0.7),
    ("No matching variant of ", Reason.NOT_FOUND, 1.0),
    ("No matching configuration of ", Reason.NOT_FOUND, 1.0),
    ("Cannot find a version of '", Reason.CONFLICTS, 1.0),
    ("Dependency resolved to '", Reason.DIFFERS, 1.0),
    ("Conflict found for ", Reason.CONFLICTS, 1.0),
    ("Conflict(s) found for ", Reason.CONFLICTS, 1.0),
    ("which is not part of the dependency lock state", Reason.DIFFERS, 1.0),
    ("Resolved '", Reason.DIFFERS, 1.0),
    ("Dependency verification failed", Reason.DIFFERS, 0.8),
    ("requires libraries and applications that", Reason.FORBIDDEN, 1.0),
    ("Failed to transform ", Reason.BROKEN_FILE, 1.0),
)


def step(log: Log) -> Failure | None:
    """The step that Gradle says failed."""
    resolution = (
        "Could not resolve all",
        "Could not determine the dependencies of task",
        "Could not resolve all files for configuration",
    )
    if "* What went wrong:" not in log.text and " FAILED" not in log.text:
        return None
    if "dependency lock state" in log.text:
        return Failure.LOCK
    if any(words in log.text for words in resolution):
        return Failure.RESOLUTION
    for found in _TASK.finditer(log.text):
        task = found[1].rpartition(":")[2].lower()
        kind = next((kind for words, kind in _STEPS if any(word in task for word in words)), None)
        if kind is Failure.COMPILATION and (
            "warnings found and -Werror specified" in log.text or "allWarningsAsErrors" in log.text
        ):
            return Failure.WERROR
        if kind is not None:
            return kind
    return None


def clues(log: Log, known: Catalogue) -> Iterator[Clue]:
    """What the resolver names, and what it was required by."""
    if "* What went wrong:" not in log.text and "A problem occurred " not in log.text:
        return
    for words, reason, share in _SAID:
        for number, line in log.hits(words, 30):
            found = _NAMED.search(line)
            kind = {Reason.DIFFERS: Failure.LOCK, Reason.FORBIDDEN: Failure.ENFORCER}.get(reason, Failure.RESOLUTION)
            if found is None:
                continue
            yield Clue(reason, f"{found[1]}:{found[2]}", kind, number, found[3], share)
            yield from _required(log, number)
    for found in _ARROW.finditer(log.text):
        if newer(found[4], found[3]):
            known.add(found[1], found[2], found[3])
            known.add(found[1], found[2], found[4], jar=True)


def _required(log: Log, number: int) -> Iterator[Clue]:
    """The chain under "Required by": its first artifact is what the build asked for."""
    below = [*log.after(number, 12)]
    start = next((i for i, (_, line) in enumerate(below) if "Required by:" in line), None)
    if start is None:
        return
    for at, line in below[start + 1 :]:
        found = _NAMED.search(line)
        if found:
            yield Clue(Reason.LEADS_TO, f"{found[1]}:{found[2]}", Failure.RESOLUTION, at, found[3], 0.8)
            return
        if "project" not in line:
            return
