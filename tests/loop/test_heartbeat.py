"""When a job is late, failed or stuck; and when nobody can know."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodwise.loop.choose.trust import hearsay
from prodwise.loop.detect.heartbeat import Beat, due, state, symptoms
from prodwise.model.outside import Heartbeat, Pings, Word

HOUR = 3600.0
DAY = 24 * HOUR
JOB = Heartbeat("nightly-backup", DAY, 600.0, "worker")
T = 1_000_000.0


@pytest.mark.parametrize(
    ("name", "pings", "listening_h", "now_h", "expected"),
    [
        ("never heard of, and not long listened to", Pings(), 0, 23, Beat.UNKNOWN),
        ("never heard of in a whole period", Pings(), 0, 24.2, Beat.LATE),
        ("on time", Pings(ok_at=T), 0, 24, Beat.WELL),
        ("within its grace", Pings(ok_at=T), 0, 24.1, Beat.WELL),
        ("late", Pings(ok_at=T), -100, 24.2, Beat.LATE),
        ("we were deaf for a while", Pings(ok_at=T), 20, 30, Beat.UNKNOWN),
        ("we were deaf, and have listened a whole period since", Pings(ok_at=T), 20, 44.2, Beat.LATE),
        ("runs", Pings(started_at=T + 24 * HOUR, ok_at=T, running=True), 0, 24.1, Beat.RUNNING),
        (
            "began in time and is not late while it runs",
            Pings(started_at=T + 24.1 * HOUR, ok_at=T, running=True),
            0,
            24.2,
            Beat.RUNNING,
        ),
        ("began and never ended", Pings(started_at=T + HOUR, ok_at=T, running=True), 0, 1.2, Beat.STUCK),
        (
            "began, and its end was not listened to",
            Pings(started_at=T + HOUR, ok_at=T, running=True),
            1.1,
            1.2,
            Beat.RUNNING,
        ),
        ("ended", Pings(started_at=T, ok_at=T + 60), 0, 1, Beat.WELL),
        ("failed", Pings(failed_at=T, failed=True, exit_code=3), 0, 0.1, Beat.FAILED),
        (
            "failed and runs again",
            Pings(failed_at=T, started_at=T + 60, running=True, failed=True),
            0,
            0.1,
            Beat.FAILED,
        ),
        ("failed and then ran well", Pings(failed_at=T, ok_at=T + 60), 0, 0.1, Beat.WELL),
        ("dated ahead by a clock that was set back", Pings(ok_at=T + 50 * HOUR), 0, 1, Beat.UNKNOWN),
    ],
)
def test_states(name: str, pings: Pings, listening_h: float, now_h: float, expected: Beat) -> None:
    listening, now = T + listening_h * HOUR, T + now_h * HOUR
    assert state(JOB, pings, listening, now) is expected, name
    assert bool(symptoms(JOB, pings, listening, now)) is expected.bad


def test_what_is_said_of_it() -> None:
    (late,) = symptoms(JOB, Pings(ok_at=T), T - DAY, T + 2 * DAY)
    assert (late.kind, late.service, late.source, late.subject) == (
        "heartbeat", "worker", "heartbeat:nightly-backup", "nightly-backup"
    )  # fmt: skip
    assert late.onset_at == due(JOB, Pings(ok_at=T), T - DAY, T + DAY) == T + DAY + 600
    assert "nightly-backup is late: due by 1970-01-13 13:56:40 UTC, last heard of at" in late.text
    (failed,) = symptoms(JOB, Pings(failed_at=T, failed=True, exit_code=3), T, T + 1)
    assert "failed with exit code 3" in failed.text
    assert hearsay((late, failed)), "it never leads to an action by itself"


pings = st.lists(st.tuples(st.sampled_from(list(Word)), st.floats(0, 3 * DAY)), max_size=8)


@given(pings, st.floats(0, 3 * DAY), st.floats(0, 3 * DAY))
def test_what_holds_of_every_history(said: list[tuple[Word, float]], listening: float, later: float) -> None:
    """Late only after a whole period that was listened to; a word that it ran well ends every trouble at once."""
    heard = Pings()
    for word, at in sorted(said, key=lambda one: one[1]):
        heard = heard.after(word, T + at, 1 if word is Word.FAIL else None)
    now = T + max([listening, *(at for _, at in said)]) + later
    found = state(JOB, heard, T + listening, now)
    if found is Beat.LATE:
        assert now - (T + listening) > JOB.every_s + JOB.grace_s
        assert now - heard.ok_at > JOB.every_s + JOB.grace_s
    assert state(JOB, heard.after(Word.OK, now), T + listening, now + 1) is Beat.WELL
    assert state(JOB, heard.after(Word.FAIL, now), T + listening, now + 1) is Beat.FAILED
    again = heard.after(Word.OK, now)
    assert state(JOB, again.after(Word.OK, now), T + listening, now) is state(JOB, again, T + listening, now)
