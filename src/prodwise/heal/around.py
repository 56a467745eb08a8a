"""Gathers what reach is measured by; kept for a moment, as a story looks every second."""

from __future__ import annotations

import threading
import traceback

from prodwise.clock import monotonic, now
from prodwise.heal.crowd import HALF_S
from prodwise.heal.parts import Parts
from prodwise.heal.vitals import LiveVitals
from prodwise.loop import reach
from prodwise.loop.telemetry import graph_of
from prodwise.model.reach import Surroundings
from prodwise.model.telemetry import CallGraph

KEPT_S = 30.0
LOOK_BACK_S = 3600.0


class Around:
    """Traces that cannot be read say nothing; what is declared and what the proxy saw stays."""

    def __init__(self, parts: Parts, vitals: LiveVitals) -> None:
        self._parts, self._vitals = parts, vitals
        self._lock = threading.Lock()
        self._kept: tuple[float, Surroundings] | None = None

    def look(self) -> Surroundings:
        with self._lock:
            if self._kept is None or monotonic() - self._kept[0] > KEPT_S:
                self._kept = (monotonic(), self._gather(now()))
            return self._kept[1]

    def _gather(self, at: float) -> Surroundings:
        crowds = [self._vitals.window(one.id).crowd for one in self._parts.inventory]
        began = min((one.began for one in crowds), default=at)
        uses = [self._vitals.window(one.id).crowd.use(one.id, at) for one in self._parts.inventory]
        return reach.surroundings(
            self._parts.inventory,
            [one for one in uses if one is not None],
            self._traced(at),
            self._parts.config.shared,
            min(at, max(began, (at // HALF_S - 1) * HALF_S)),
            at,
        )

    def _traced(self, at: float) -> CallGraph:
        if self._parts.telemetry is None:
            return CallGraph()
        try:
            return graph_of(self._parts.telemetry.calls(at - LOOK_BACK_S, at))
        except Exception:  # noqa: BLE001 — a decision waits for no trace
            traceback.print_exc()
            return CallGraph()
