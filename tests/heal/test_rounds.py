"""A look every so often: what it fails of is told once, and ends nothing."""

from __future__ import annotations

import pytest

from prodwise.heal.rounds import Rounds
from prodwise.model.errors import TargetError
from prodwise.testing.apps import until


def test_a_failure_is_told_once_until_it_changes_or_a_look_succeeds(capfd: pytest.CaptureFixture[str]) -> None:
    unseen, failures = TargetError("the target cannot be seen"), list[Exception | None]()
    failures += [unseen, unseen, ValueError("x"), ValueError("y"), None, unseen]
    told, looks = list[str](), list[int]()

    def look() -> None:
        looks.append(1)
        failure = failures[len(looks) - 1] if len(looks) <= len(failures) else None
        if failure is not None:
            raise failure

    rounds = Rounds("test", look, lambda: 0.001, told.append)
    rounds.start()
    rounds.start()
    until(lambda: len(looks) > len(failures))
    rounds.stop()
    ended = len(looks)
    assert told == ["the target cannot be seen", "ValueError", "the target cannot be seen"]
    assert capfd.readouterr().err.count("Traceback") == 1, "what is expected to happen needs no trace"
    rounds.start()
    assert len(looks) == ended, "what was stopped does not begin again"


def test_where_a_failure_cannot_be_told_the_looks_go_on() -> None:
    looks = list[int]()

    def look() -> None:
        looks.append(1)
        raise OSError

    def deaf(said: str) -> None:
        raise OSError

    rounds = Rounds("test", look, lambda: 0.001, deaf)
    rounds.start()
    until(lambda: len(looks) > 3)
    rounds.stop()


def test_the_pause_is_asked_each_time_and_the_first_may_be_left_out() -> None:
    looks = list[int]()
    rounds = Rounds("test", lambda: looks.append(1), lambda: 0.001 if len(looks) < 3 else 600.0, at_once=True)
    rounds.start()
    until(lambda: len(looks) == 3)
    rounds.stop()
    assert len(looks) == 3
