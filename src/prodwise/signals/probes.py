"""Asks every running slot whether it is well, a few times a second, from one thread and at little cost."""

from __future__ import annotations

import contextlib
import os
import selectors
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from prodwise import clock
from prodwise.model.service import ProbeKind
from prodwise.model.signal import ProbeSeen
from prodwise.model.target import TargetSeen
from prodwise.signals.asks import Answer, Ask, ProbeTarget, SocketAsk, begin

RESULTS_MAX = 10_000
SEEN_FOR_S = 5.0  # a look says for so long which release runs where: a longer one would blame the wrong release
IDLE_S = 60.0
COMMAND_POLL_S = 0.05
LATE_S = 0.25  # the loop was late by this much: a time-out then says nothing about the service
_DETAIL_MAX = 200


@dataclass(slots=True)
class _Flight:
    """A question in flight; times are monotonic seconds."""

    target: ProbeTarget
    ask: Ask
    began: float
    deadline: float
    events: int = 0


class ProbeRunner:
    """Implements Prober. At most one question a slot is in flight; a slot is asked again an interval after the last question."""

    def __init__(self, slots: Callable[[TargetSeen], Sequence[ProbeTarget]]) -> None:
        """slots: which slots of a look run and should be well."""
        self._slots = slots
        self._results: deque[ProbeSeen] = deque(maxlen=RESULTS_MAX)
        self._flights: dict[tuple[str, str], _Flight] = {}
        self._due: dict[tuple[str, str], float] = {}
        self._targets: dict[tuple[str, str], ProbeTarget] = {}
        self._given, self._given_until = self._targets, 0.0
        self._late = False
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe()
        self._selector.register(self._wake_read, selectors.EVENT_READ, None)
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="prodwise-probes", daemon=True)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()

    def see(self, seen: TargetSeen) -> None:
        """From now on the slots of this look are asked, and no others; without a newer look for SEEN_FOR_S seconds, none."""
        given, now = {(target.service, target.slot): target for target in self._slots(seen)}, clock.monotonic()
        news = given != self._given or now >= self._given_until
        self._given_until = now + SEEN_FOR_S
        if news:
            self._given = given
            os.write(self._wake_write, b"x")

    def results(self) -> list[ProbeSeen]:
        """Answers since the last call, oldest first; the oldest are dropped beyond 10,000."""
        found: list[ProbeSeen] = []
        with contextlib.suppress(IndexError):
            while len(found) < RESULTS_MAX:
                found.append(self._results.popleft())
        return found

    def close(self) -> None:
        """Ends the thread and everything in flight."""
        self._stopping = True
        os.write(self._wake_write, b"x")
        self._thread.join(timeout=5.0)
        for key in list(self._flights):
            self._end(key)
        self._selector.close()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _run(self) -> None:
        """Wherever in its round it was paused, the time from one waking to the next tells."""
        woke = clock.monotonic()
        while not self._stopping:
            now = clock.monotonic()
            self._take_over(now)
            self._begin_due(now)
            wait = self._wait_s(clock.monotonic())
            ready = self._selector.select(wait)
            before, woke = woke, clock.monotonic()
            self._late = woke - before > wait + LATE_S
            for key, _ in ready:
                if key.data is None:
                    os.read(self._wake_read, 512)
                else:
                    self._advance(key.data)
            self._finish_waiting(woke)

    def _take_over(self, now: float) -> None:
        """The slots of the newest look; those that are gone are forgotten, with their questions."""
        targets = self._given if now < self._given_until else {}
        if targets is self._targets:
            return
        for key in [key for key, flight in self._flights.items() if targets.get(key) != flight.target]:
            self._end(key)
        self._targets = targets
        self._due = {key: self._due.get(key, now) for key in targets}

    def _begin_due(self, now: float) -> None:
        for key, due in self._due.items():
            if due > now or key in self._flights:
                continue
            target = self._targets[key]
            self._due[key] = now + target.probe.interval_s
            asked = begin(target)
            if isinstance(asked, Answer):
                self._record(target, now, asked)
                continue
            flight = _Flight(target, asked, now, now + target.probe.timeout_s)
            self._flights[key] = flight
            self._watch(key, flight)

    def _watch(self, key: tuple[str, str], flight: _Flight) -> None:
        """Waits for the socket to become writable (connected), then readable (answered)."""
        if not isinstance(flight.ask, SocketAsk):
            return
        events = selectors.EVENT_WRITE if flight.ask.writing else selectors.EVENT_READ
        if events == flight.events:
            return
        if flight.events:
            self._selector.modify(flight.ask, events, key)
        else:
            self._selector.register(flight.ask, events, key)
        flight.events = events

    def _wait_s(self, now: float) -> float:
        times = [self._given_until if self._targets else now + IDLE_S]
        times += [due for key, due in self._due.items() if key not in self._flights]
        for flight in self._flights.values():
            command = flight.target.probe.kind is ProbeKind.COMMAND
            times.append(min(flight.deadline, now + COMMAND_POLL_S) if command else flight.deadline)
        return max(0.0, min(times) - now)

    def _advance(self, key: tuple[str, str]) -> None:
        flight = self._flights.get(key)
        if flight is None:
            return
        answer = flight.ask.advance()
        if answer is None:
            self._watch(key, flight)
            return
        self._record(flight.target, flight.began, answer)
        self._end(key)

    def _finish_waiting(self, now: float) -> None:
        for key, flight in list(self._flights.items()):
            if flight.target.probe.kind is ProbeKind.COMMAND:
                self._advance(key)
            if now < flight.deadline or key not in self._flights:
                continue
            if self._late:
                answer = Answer(None, "the prober itself was late")
            else:
                answer = Answer(False, f"no answer within {flight.target.probe.timeout_s * 1000:.0f} ms")
            self._record(flight.target, flight.began, answer)
            self._end(key)

    def _record(self, target: ProbeTarget, began: float, answer: Answer) -> None:
        ms = (clock.monotonic() - began) * 1000
        detail = "".join(c if c.isprintable() else "\ufffd" for c in answer.detail[:_DETAIL_MAX])
        self._results.append(ProbeSeen(clock.now(), target.service, target.release, target.slot, answer.ok, ms, detail))

    def _end(self, key: tuple[str, str]) -> None:
        flight = self._flights.pop(key)
        if flight.events:
            self._selector.unregister(flight.ask)
        flight.ask.close()
