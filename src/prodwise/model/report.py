"""What one delivery of a program's own reports holds, decoded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from prodwise.model.event import ErrorEvent
from prodwise.model.telemetry import Calls, Measured


class Reason(StrEnum):
    """Why something was refused, left out or cleaned: the small fixed set that is counted."""

    TOO_LARGE = "body too large"
    BOMB = "unpacks to too much"
    ENCODING = "content encoding not known"
    UNPACK = "body does not unpack"
    ENVELOPE = "envelope not readable"
    ITEM_HEADER = "item header not readable"
    ITEM_CUT = "item shorter than its length says"
    ITEMS = "too many items in one delivery"
    UNKNOWN_ITEM = "kind of item not known"
    NOT_JSON = "item is no JSON"
    TOO_DEEP = "JSON nested too deeply"
    TOO_MANY = "JSON with too many values"
    SHAPE = "item without the fields it needs"
    ITEM_LARGE = "item too large"
    DETAIL_LARGE = "details not kept: too large"
    CLOCK = "clock corrected"
    NUMBER = "number out of range replaced"
    TEXT = "unreadable characters replaced"
    CUT_TEXT = "text shortened"
    SDK_DROPPED = "dropped by the program itself"
    QUIET_LOG = "log line below error"
    KEY = "key not known"
    REPEATED = "sent before"
    BUSY = "more than can be taken at once"
    QUOTA = "more than the project may send"
    SLOW = "body not sent in time"
    CUT_OFF = "sender went away"
    NOT_STORED = "could not be stored"
    SAMPLED = "details not kept: enough like it are"
    PRIVATE = "private values taken out"
    GROUPS = "more groups than are told apart"
    CONTENT_TYPE = "content type not known"
    FIELDS = "message with too many fields"
    PROTOBUF = "body is no such protobuf message"
    DEEP = "messages nested too deeply"
    CALLS = "more calls between services than are told apart"
    SERIES = "more series than are told apart"
    NOT_FORWARDED = "not passed on: the other receiver is slow or gone"


@dataclass(frozen=True, slots=True)
class Reported:
    """One event as it came in. payload: all that was sent, private values included; None where it is too large to keep."""

    event: ErrorEvent
    payload: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Timed:
    """One request as the program itself timed it. at: Unix seconds of its end; ms: how long it took; ok: False when it failed;
    service: what the program calls itself, "" when it does not say; source: the way in."""

    at: float
    route: str
    release: str
    ms: float
    ok: bool
    service: str = ""
    source: str = "sentry"


@dataclass(frozen=True, slots=True)
class Sessions:
    """Sessions of users that ended in one minute. at: Unix seconds of the minute; errored and crashed are parts of `total`."""

    at: float
    release: str
    environment: str
    total: int
    errored: int = 0
    crashed: int = 0


@dataclass(frozen=True, slots=True)
class CheckIn:
    """A scheduled job's sign of life. status: "in_progress", "ok" or "error"; seconds: how long it ran, None when not said."""

    at: float
    monitor: str
    status: str
    seconds: float | None = None


Counts = Mapping[Reason, int]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything of one delivery. id: what the sender calls it, "" without; counts: what was refused or cleaned, and how often;
    left_out: how many records of it were not taken; whole: a hash of all of it, by which a repetition is known, "" for none."""

    id: str = ""
    events: tuple[Reported, ...] = ()
    timed: tuple[Timed, ...] = ()
    sessions: tuple[Sessions, ...] = ()
    check_ins: tuple[CheckIn, ...] = ()
    counts: Counts = field(default_factory=dict)
    calls: tuple[Calls, ...] = ()
    measured: tuple[Measured, ...] = ()
    left_out: int = 0
    whole: str = ""


class Rejected(Exception):
    """A delivery that cannot be taken. status: the HTTP status that says so."""

    def __init__(self, reason: Reason, status: int = 400) -> None:
        super().__init__(str(reason))
        self.reason, self.status = reason, status
