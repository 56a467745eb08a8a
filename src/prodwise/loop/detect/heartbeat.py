"""Whether a job that must say that it ran has said so in time. Pure: pings and times in, at most one symptom out."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from prodwise.model.incident import Symptom
from prodwise.model.outside import Heartbeat, Pings

KIND: Final = "heartbeat"
AHEAD_S: Final = 5.0
"""A ping from further in the future was dated by a clock that was set back since: it says nothing about now."""


class Beat(StrEnum):
    UNKNOWN = "unknown"  # not heard yet, and not listened to for a whole period either
    WELL = "well"
    RUNNING = "running"
    LATE = "late"
    FAILED = "failed"
    STUCK = "stuck"  # began, and did not end in time

    @property
    def bad(self) -> bool:
        return self in (Beat.LATE, Beat.FAILED, Beat.STUCK)


def state(beat: Heartbeat, pings: Pings, listening_since: float, now: float) -> Beat:
    """1. A failure stands until the job says that it ran well.
    2. A run that began is given its grace to end; while it does, the job is not late.
    3. Late is what a whole period and its grace passed for, all of it listened to: our own deafness is never its fault.
    """
    if pings.failed:
        return Beat.FAILED
    if pings.running:
        began = max(_known(pings.started_at, now), listening_since)
        return Beat.STUCK if now > began + beat.grace_s else Beat.RUNNING
    ok = _known(pings.ok_at, now)
    if now > max(ok, listening_since) + beat.every_s + beat.grace_s:
        return Beat.LATE
    return Beat.WELL if ok and now <= ok + beat.every_s + beat.grace_s else Beat.UNKNOWN


def due(beat: Heartbeat, pings: Pings, listening_since: float, now: float) -> float:
    """When it is late, unless it is heard of before."""
    return max(_known(pings.ok_at, now), listening_since) + beat.every_s + beat.grace_s


def _known(at: float, now: float) -> float:
    return at if at <= now + AHEAD_S else 0.0


def symptoms(beat: Heartbeat, pings: Pings, listening_since: float, now: float) -> tuple[Symptom, ...]:
    """What a person is told; it rests on the heartbeat's own word, so it never leads to an action by itself."""
    match state(beat, pings, listening_since, now):
        case Beat.FAILED:
            code = "" if pings.exit_code is None else f" with exit code {pings.exit_code}"
            onset, text = pings.failed_at, f"{beat.name} failed{code} at {_clock(pings.failed_at)}"
        case Beat.STUCK:
            onset = max(pings.started_at, listening_since) + beat.grace_s
            text = f"{beat.name} began at {_clock(pings.started_at)} and has not ended since"
        case Beat.LATE:
            onset = due(beat, pings, listening_since, now)
            heard = f"last heard of at {_clock(pings.ok_at)}" if pings.ok_at else "never heard of"
            text = f"{beat.name} is late: due by {_clock(onset)}, {heard}"
        case _:
            return ()
    source = f"{KIND}:{beat.name}"
    return (Symptom(KIND, beat.service, text, onset, now, severity=0.0, source=source, subject=beat.name),)


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
