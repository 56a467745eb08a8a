"""Plays one scenario on a stage: strikes when it is time, watches, and ends as soon as the outcome is settled."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

from prodwise import clock
from prodwise.drill import narrate
from prodwise.drill.faults import Place
from prodwise.drill.narrate import Line, Tell
from prodwise.drill.result import ScenarioResult, Trace, trace
from prodwise.drill.scenario import Scenario
from prodwise.drill.score import score, settled
from prodwise.drill.seen import Seen
from prodwise.drill.stage import Stage
from prodwise.drill.strike import Strike
from prodwise.drill.traffic.process import TrafficProcess

TURN_S = 0.1
ASK_S = 0.5  # how often it is asked whether all is settled


class Play:
    """One scenario on one stage. The traffic runs already; what happened before `began` belongs to others."""

    def __init__(self, scenario: Scenario, stage: Stage, traffic: TrafficProcess | None, tell: Tell) -> None:
        self._scenario, self._stage, self._traffic, self._tell = scenario, stage, traffic, tell
        stage.look()
        self._began = clock.now()
        self._first_request, self._first_event = len(stage.requests), len(stage.events)
        self._strikes: list[Strike] = []
        self._over = threading.Event()

    def run(self, last: bool = True) -> tuple[ScenarioResult, Trace]:
        """Plays it to its end. `last`: the traffic ends too, and requests still in flight are waited for and counted."""
        reason, asked = "", 0.0
        try:
            while not reason and self._elapsed() < self._scenario.seconds:
                self._strike_when_due()
                self._look()
                if clock.monotonic() - asked > ASK_S:
                    self._look_at_workers()
                    reason, asked = settled(self._scenario, self._seen()), clock.monotonic()
                time.sleep(TURN_S)
        finally:
            for strike in self._strikes:
                strike.end()
        return self._result(last)

    def _elapsed(self) -> float:
        return clock.now() - self._began

    def _strike_when_due(self) -> None:
        for _, fault in self._scenario.numbered()[len(self._strikes) :]:
            if fault.at > self._elapsed():
                return
            stage, rate = self._stage, self._scenario.traffic.rate
            place = Place(stage.healer, stage.app_dir, self._traffic, rate, self._over, lambda pids: None, self._read)
            self._strikes.append(Strike(fault, place))
            self._tell(narrate.of_fault(self._strikes[-1].fault, self._elapsed()))

    def _read(self, line: str) -> None:
        self._tell(Line(self._elapsed(), "│", line, "note"))

    def _look(self) -> None:
        for event in self._stage.look():
            if narrate.worth_telling(event):
                self._tell(narrate.of_event(event, self._began))

    def _look_at_workers(self) -> None:
        for strike in self._strikes:
            strike.look()

    def _seen(self) -> Seen:
        return Seen(
            began=self._began,
            now=clock.now(),
            requests=self._stage.requests[self._first_request :],
            events=self._stage.events[self._first_event :],
            injected=sorted((strike.injected() for strike in self._strikes), key=lambda one: one.at),
            idle=self._stage.healer.settled(),
        )

    def _result(self, last: bool) -> tuple[ScenarioResult, Trace]:
        self._look()
        self._look_at_workers()
        ended = clock.now()
        if last:
            self._stage.finish()
        seen = replace(self._seen(), now=ended)
        notes = [strike.problem for strike in self._strikes if strike.problem]
        result = score(self._scenario, seen, notes)
        faults = [(at := one.at - self._began, narrate.of_fault(one.fault, at).text) for one in seen.injected]
        self._tell(narrate.of_result(result, self._elapsed()))
        return result, trace(self._scenario.name, self._began, seen.now, seen.requests, seen.events, faults)
