"""What a program says went wrong, in one shape for every way in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Frame:
    """One call as the SDK reported it. `line` is 0 when unknown; `in_app` None when the SDK did not say; `code` is the
    source text of the blamed line, "" when unknown."""

    function: str
    module: str
    file: str
    line: int
    in_app: bool | None
    code: str = ""


@dataclass(frozen=True, slots=True)
class Thrown:
    """One exception of a chain. frames: outermost call first, so that the last one is where it was raised."""

    kind: str
    message: str
    frames: tuple[Frame, ...] = ()
    handled: bool | None = None


@dataclass(frozen=True, slots=True)
class ErrorEvent:
    """One error as it was reported, decoded but not judged.

    at: Unix seconds, as the sender's clock had it; message: the text with its values filled in, template: the same before
    (`"order %s failed"`), "" when the sender did not give one; chain: root cause first, as Sentry sends it, so that the
    last one is what reached the top, () for a plain message; fingerprint: what the sender asked to be grouped by;
    source: the way in ("sentry", "otlp", …); logger: the name of the logger that it came through.
    """

    id: str
    at: float
    project: int
    platform: str
    level: str
    message: str
    template: str = ""
    chain: tuple[Thrown, ...] = ()
    release: str = ""
    environment: str = ""
    route: str = ""
    user: str = ""
    fingerprint: tuple[str, ...] = ()
    source: str = ""
    logger: str = ""


@dataclass(frozen=True, slots=True)
class Grouped:
    """Which group an event belongs to, and why.

    key: 16…32 hex digits, equal for events of one fault; title: ≤ 200 characters, one line; where: "file:function" of the
    blamed frame of the app's own code, "" without one; rule: the name of the rule that made the key.
    """

    key: str
    title: str
    where: str
    rule: str


@dataclass(frozen=True, slots=True)
class ErrorSeen:
    """One stored error event, as detectors get it. at: Unix seconds; user: a hash, "" when unknown; id: the sender's."""

    at: float
    service: str
    release: str
    route: str
    group: str
    title: str
    user: str
    level: str
    handled: bool | None
    source: str
    id: str = ""
