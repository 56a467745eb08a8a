"""A release that no user met: which of its words are kept, and what makes two of them the same fault. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Final

from prodwise.loop.diagnose import tracebacks
from prodwise.loop.group.template import template_of
from prodwise.loop.ship import ShipPhase
from prodwise.loop.verify.failure import Failure, failure
from prodwise.model.release import Release, ReleaseState
from prodwise.model.unmet import Unmet, UnmetAt

SAID_MAX: Final = 6_000
RECENT_S: Final = 3600.0
_AT: Final = {
    ShipPhase.BUILDING: UnmetAt.BUILD,
    ShipPhase.STARTING: UnmetAt.START,
    ShipPhase.CHECKING: UnmetAt.CHECKS,
}
_ANSWERS: Final = re.compile(r"(/\S{0,2000}) answers 5\d\d, on the running release ")


def at_of(refused: str) -> UnmetAt | None:
    """refused: the phase as the turn keeps it, "" for none."""
    return _AT[ShipPhase(refused)] if refused else None


def built(reason: str) -> str:
    """What a build printed, of the words that it failed with: neither what failed, nor where the whole log is."""
    return "\n".join(line for line in reason.split("\n")[1:] if not line.startswith("the whole log: "))


def line_of(reason: str) -> str:
    """The line of the build that failed, as it is declared or as we call it."""
    return re.split(r" (?:failed \(exit code|did not finish within) ", reason, maxsplit=1)[0]


def answers(path: str, status: int, before: int) -> str:
    """What a check says of a path that does not answer as it should; a status of 0 is no answer."""
    return f"{path} answers {status or 'nothing'}, on the running release {before or 'nothing'}"


def path_in(reason: str) -> str:
    """The first path of those that `answers` tells of a server error, "" for none."""
    found = _ANSWERS.search(reason)
    return found[1] if found else ""


def due(releases: Sequence[Release], at: float) -> Release | None:
    """Of which a fix may be looked for: the newest release of all, refused within the hour. What came after another one, good or
    bad, says more than that one does."""
    newest = max(releases, key=lambda one: one.number, default=None)
    if newest is None or newest.state is not ReleaseState.FAILED or at - newest.created_at > RECENT_S:
        return None
    return newest


def key(unmet: Unmet) -> str:
    """Alike for two releases that are refused for one reason: the error and where it is raised, the tests, else the last lines."""
    told, found = tracebacks.read(unmet.said), failure(1, unmet.said, "")
    own = [one for one in told.frames if one.in_app or "/src/" in one.file]
    where = (own[-1].file.rpartition("/src/")[2], own[-1].function) if own else ("", "")
    said = (found.error, *sorted(found.tests), template_of(found.end)) if found else ()
    line, path = line_of(unmet.reason) if unmet.at is UnmetAt.BUILD else "", "" if own else unmet.path
    named = "\n".join((unmet.at.value, unmet.service, path, line, *said, template_of(told.message), *where))
    return f"unmet-{hashlib.sha256(named.encode(errors='replace')).hexdigest()[:16]}"


def alike(said: str, found: Failure) -> bool:
    """Whether a check fails as it failed on the way to production. said: what was printed there."""
    live = failure(1, said, "")
    if live is None or not said.strip():
        return not (found.error or found.tests)
    if live.error or live.tests:
        return live.error == found.error and (not live.tests or bool(live.tests & found.tests))
    return not (found.error or found.tests) and live.end.rpartition(" / ")[2] == found.end.rpartition(" / ")[2]
