"""Metrics that somebody watches, looked at now and then beside the intake: reading them never slows a look at the target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from prodwise.clock import now
from prodwise.heal.rounds import Rounds
from prodwise.loop.detect import watched as limit
from prodwise.loop.telemetry import readings
from prodwise.model.incident import Symptom
from prodwise.model.telemetry import Watched
from prodwise.ports import Telemetry

PACE_S: Final = 5.0
SERIES_MAX: Final = 100
"""Of one metric; those with the first keys."""
BEFORE_S: Final = 600.0
"""Minutes read beyond what must have lasted: a total's first one is compared with the one before."""


class Measures:
    """What stands is told by `look`; the thread begins with its first call."""

    def __init__(self, telemetry: Telemetry | None, watches: Sequence[Watched]) -> None:
        self._telemetry, self._watches = telemetry, watches
        self._standing: list[Symptom] = []
        self._rounds = Rounds("measures", self.turn, lambda: PACE_S, at_once=True)

    def look(self) -> list[Symptom]:
        """What stood stands while they cannot be read: that says nothing, good or bad."""
        if self._telemetry is not None and self._watches:
            self._rounds.start()
        return self._standing

    def stop(self) -> None:
        self._rounds.stop()

    def turn(self) -> None:
        """One look at every series of every metric that is watched."""
        if self._telemetry is not None:
            self._standing = [one for watched in self._watches for one in self._above(self._telemetry, watched, now())]

    @staticmethod
    def _above(telemetry: Telemetry, watched: Watched, at: float) -> list[Symptom]:
        found = []
        for kept in telemetry.series(name=watched.metric, limit=SERIES_MAX)[0]:
            if at - kept.last_seen <= limit.STALE_S + BEFORE_S:
                points = telemetry.points(kept.series.key, at - watched.for_s - limit.STALE_S - BEFORE_S)
                told = limit.symptom(watched, kept.series, readings(kept.series.kind, points), at)
                found += [told] if told else []
        return found
