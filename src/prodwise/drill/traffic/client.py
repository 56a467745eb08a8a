"""The open-loop client: requests leave when they are due, whether or not earlier ones were answered."""

from __future__ import annotations

import asyncio
import random
import sys
import threading
from typing import TextIO

from prodwise import clock
from prodwise.drill.traffic.http import Address, Jar, ask
from prodwise.drill.traffic.plan import IN_FLIGHT_MAX, Plan, Ramp, Step, parse_order
from prodwise.drill.traffic.records import TIMEOUT_S, Sent
from prodwise.model.errors import UsageError

REGULARS = 50  # browsers that keep their cookies
LOOK_S = 0.25  # how often the rate is looked at
BEHIND_S = 1.0  # a client that was held up for longer than this does not catch up in one burst


class Client:
    """Sends a plan's requests to one address and writes each outcome as soon as it is known."""

    def __init__(self, address: Address, plan: Plan, out: TextIO) -> None:
        self._address, self._plan, self._out = address, plan, out
        self._random = random.Random(plan.seed)
        self._regulars = [Jar() for _ in range(REGULARS)]
        self._strangers = 0
        self._ramp = Ramp(0.0, 0.0, plan.rate, plan.rate)
        self._in_flight: set[asyncio.Task[None]] = set()
        self._stop = asyncio.Event()
        self._wall_at_zero = clock.now() - clock.monotonic()
        self.unsent = 0  # arrivals that found too many requests in flight

    async def run(self) -> None:
        """Runs until its seconds are over or it is told to stop, then waits for the answers still due.

        Gaps are exponential, so a long one may be cut and drawn again without changing the traffic: that is how a new
        rate takes effect within LOOK_S.
        """
        due = clock.monotonic()
        end = due + self._plan.seconds
        while not self._stop.is_set() and (now := clock.monotonic()) < end:
            arrivals = self._plan.arrivals_per_second(self._ramp.rate(now))
            gap = self._random.expovariate(arrivals) if arrivals > 0 else LOOK_S
            due = max(due, now - BEHIND_S) + min(gap, LOOK_S)
            await self._sleep_until(min(due, end))
            if gap < LOOK_S and due < end and not self._stop.is_set():
                self._arrive()
        self.stop()
        if self._in_flight:
            await asyncio.wait(self._in_flight, timeout=TIMEOUT_S + 1)

    def obey(self, line: str) -> None:
        """One order from outside. Raises UsageError."""
        now = clock.monotonic()
        ramp = parse_order(line, now, self._ramp.rate(now))
        if ramp is None:
            self.stop()
        else:
            self._ramp = ramp

    def stop(self) -> None:
        self._stop.set()

    async def _sleep_until(self, due: float) -> None:
        wait = due - clock.monotonic()
        if wait > 0:
            try:
                await asyncio.wait_for(self._stop.wait(), wait)
            except TimeoutError:
                return

    def _arrive(self) -> None:
        if len(self._in_flight) >= IN_FLIGHT_MAX:
            self.unsent += 1
            return
        task = asyncio.create_task(self._visit(*self._draw()))
        self._in_flight.add(task)
        task.add_done_callback(self._in_flight.discard)

    async def _visit(self, steps: tuple[Step, ...], jar: Jar, name: str) -> None:
        for step in steps:
            if self._stop.is_set() or await self._send(step, jar, name):
                return

    def _draw(self) -> tuple[tuple[Step, ...], Jar, str]:
        """Who comes, with which cookies, and what they want."""
        chance = self._random
        visit = self._plan.visit and chance.random() < self._plan.visit_share
        steps = self._plan.visit if visit else (Step("GET", chance.choice(self._plan.paths)),)
        if chance.random() < self._plan.keep_cookies:
            number = chance.randrange(REGULARS)
            return steps, Jar(dict(self._regulars[number].cookies)) if visit else self._regulars[number], f"r{number}"
        self._strangers += 1
        return steps, Jar(), f"s{self._strangers}"

    async def _send(self, step: Step, jar: Jar, name: str) -> bool:
        """Sends one request and writes it down; says whether it failed (a visitor gives up then)."""
        begin = clock.monotonic()
        answer = await ask(self._address, step.method, step.path, step.form, jar)
        ms = (clock.monotonic() - begin) * 1000
        sent = Sent(self._wall_at_zero + begin, ms, step.method, step.path, answer.status, answer.why, name)
        self._out.write(sent.line() + "\n")
        self._out.flush()
        return sent.failed


def follow_orders(client: Client, loop: asyncio.AbstractEventLoop) -> None:
    """Reads orders from standard input in a thread of its own; its end (the drill died) means stop."""

    def obey(line: str) -> None:
        try:
            client.obey(line)
        except UsageError as error:
            print(f"{error.message}: {error.hint}", file=sys.stderr, flush=True)

    def read() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(obey, line)
        if not loop.is_closed():
            loop.call_soon_threadsafe(client.stop)

    threading.Thread(target=read, daemon=True).start()
