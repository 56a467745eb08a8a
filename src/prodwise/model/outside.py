"""What machines outside tell us: pings of jobs, alarms of other monitors, deploys that others made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from prodwise.model.change import Change

WHOLE_APP = ""
"""The service of what is about no service that we know: the app as a whole."""


class Word(StrEnum):
    """What a job says with a ping."""

    START = "start"
    OK = "ok"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A job that must say that it ran: once in every_s, at most grace_s late, and done within grace_s of its start."""

    name: str
    every_s: float
    grace_s: float
    service: str = WHOLE_APP


@dataclass(frozen=True, slots=True)
class Pings:
    """The last ping of each kind, Unix seconds, 0 = never. What came last is kept by itself: clocks are set back at times.

    running: the last word was that it starts; failed: the last end was none; exit_code: of that, None when it named none.
    """

    started_at: float = 0.0
    ok_at: float = 0.0
    failed_at: float = 0.0
    running: bool = False
    failed: bool = False
    exit_code: int | None = None
    count: int = 0

    def after(self, word: Word, at: float, exit_code: int | None = None) -> Pings:
        """With one ping more. The same ping once more changes nothing but its time."""
        more = replace(self, running=word is Word.START, count=self.count + 1)
        if word is Word.START:
            return replace(more, started_at=at)
        if word is Word.OK:
            return replace(more, ok_at=at, failed=False, exit_code=None)
        return replace(more, failed_at=at, failed=True, exit_code=exit_code)


@dataclass(frozen=True, slots=True)
class Alarm:
    """What another monitor says. source: the way it came in by; subject: the same alarm has the same one.

    about: what it names, as the sender wrote it (a label, a project): looked up in the configuration, never used as a target.
    service: what that stands for here. lasts_s: so long it stands when nobody says more.
    """

    source: str
    subject: str
    name: str
    text: str
    began_at: float
    seen_at: float
    firing: bool
    about: str = ""
    service: str = WHOLE_APP
    lasts_s: float = 86_400.0


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a hook. headers: lower-case names."""

    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Genuine:
    """A delivery that proved itself. id: what it is known by when it comes again ("": it says how things are, and may say so
    again); kept_s: for how long that is remembered."""

    id: str = ""
    kept_s: float = 10 * 365 * 86_400.0


@dataclass(frozen=True, slots=True)
class Told:
    """What one delivery says. skipped: what was left out on purpose, in words."""

    alarms: tuple[Alarm, ...] = ()
    changes: tuple[Change, ...] = ()
    skipped: tuple[str, ...] = ()
