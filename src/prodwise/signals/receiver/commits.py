"""Many deliveries in one commit: each is answered once it is durable, and none waits for more than the commit before it."""

from __future__ import annotations

import asyncio
import os
import threading
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from prodwise.clock import monotonic, now
from prodwise.model.digest import Delivery
from prodwise.model.errors import StoreError, Unstorable
from prodwise.model.report import Reason
from prodwise.ports import ReportSink
from prodwise.signals.receiver.seen import SeenIds, name_of

BATCH_MAX = 400
SAY_S = 5.0
"""What goes wrong again and again is said so often."""
EXIT_BROKEN = 70
LINGER_S, BUSY_S = 0.006, 0.1
"""While deliveries come one after the other, each commit waits a little for more to come: it costs as much for one as for ten."""
TIDY_S, TIDY_MORE_S = 60.0, 1.0
COUNTS_S = 1.0


@dataclass(frozen=True, slots=True)
class _Waiting:
    delivery: Delivery
    stored: asyncio.Future[bool]


class Commits:
    """A thread that owns the sink. `say` gets what went wrong."""

    def __init__(self, sink: ReportSink, seen: SeenIds, say: Callable[[str], None]) -> None:
        self._sink, self._seen, self._say = sink, seen, say
        self._queue: deque[_Waiting] = deque()
        self._counts: Counter[tuple[int, Reason]] = Counter()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._ended = False
        self._tidy_at = monotonic() + TIDY_S
        self._said_at = -SAY_S
        self._thread = threading.Thread(target=self._run, name="commits", daemon=True)

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def close(self) -> None:
        """Commits what waits. Blocks for one commit."""
        self._ended = True
        self._wake.set()
        self._thread.join()

    def put(self, delivery: Delivery) -> asyncio.Future[bool]:
        """Resolves to whether it was stored."""
        waiting = _Waiting(delivery, self._loop.create_future())
        self._queue.append(waiting)
        self._wake.set()
        return waiting.stored

    def count(self, project: int, reason: Reason, count: int = 1) -> None:
        """Of what is refused: written with the next commit, within a second."""
        with self._lock:
            self._counts[project, reason] += count

    def _run(self) -> None:
        """A thread that ended would leave everybody waiting: the process ends with it, and is started again."""
        try:
            self._commit_until_ended()
        except BaseException:  # noqa: BLE001 - whatever it was, nobody was acknowledged
            self._say(traceback.format_exc())
            os._exit(EXIT_BROKEN)

    def _commit_until_ended(self) -> None:
        committed = 0.0
        while not self._ended:
            self._wake.wait(COUNTS_S)
            self._wake.clear()
            if monotonic() - committed < BUSY_S:
                time.sleep(LINGER_S)
            if self._queue or self._counts:
                self._commit_all()
                committed = monotonic()
            self._tidy()
        self._commit_all()

    def _commit_all(self) -> None:
        while self._queue:
            self._commit()
        if self._counts:
            self._commit()

    def _commit(self) -> None:
        batch = [self._queue.popleft() for _ in range(min(len(self._queue), BATCH_MAX))]
        with self._lock:
            counts, self._counts = self._counts, Counter()
        self._store(batch, counts)

    def _store(self, batch: Sequence[_Waiting], counts: Counter[tuple[int, Reason]]) -> None:
        """1. What waits. 2. Without what was stored before. 3. In one transaction. 4. Answers.

        What cannot be stored costs nobody else's reports: it is found by halves.
        """
        new, names = self._without_repeated([one.delivery for one in batch])
        try:
            self._sink.write([*new, *_refused(counts)])
        except Unstorable as error:
            if len(batch) > 1:
                half = len(batch) // 2
                self._store(batch[:half], Counter())
                self._store(batch[half:], counts)
            else:
                self._give_back(batch, counts, error)
        except StoreError as error:
            self._give_back(batch, counts, error)
        else:
            for name in names:
                self._seen.add(name)
            self._tell(batch, stored=True)

    def _give_back(self, batch: Sequence[_Waiting], counts: Counter[tuple[int, Reason]], error: StoreError) -> None:
        self._complain(f"{error.message} {error.hint}".strip())
        with self._lock:
            self._counts.update(counts)
            self._counts.update((one.delivery.project, Reason.NOT_STORED) for one in batch)
        self._tell(batch, stored=False)

    def _tell(self, batch: Sequence[_Waiting], *, stored: bool) -> None:
        if batch:
            self._loop.call_soon_threadsafe(_answer, batch, stored)

    def _complain(self, text: str) -> None:
        if monotonic() - self._said_at > SAY_S:
            self._said_at = monotonic()
            self._say(text)

    def _without_repeated(self, deliveries: Sequence[Delivery]) -> tuple[list[Delivery], set[int]]:
        """(the deliveries without events that were stored before or come earlier in them, the names of their events)."""
        names: set[int] = set()
        new = []
        for delivery in deliveries:
            if delivery.whole:
                name = name_of(delivery.project, delivery.whole)
                if name in names or name in self._seen:
                    delivery = Delivery(
                        delivery.project, delivery.at, counts={Reason.REPEATED: max(1, len(delivery.events))}
                    )
                names.add(name)
            kept = []
            for event in delivery.events:
                name = name_of(delivery.project, event.seen.id)
                if name not in names and name not in self._seen:
                    names.add(name)
                    kept.append(event)
            if repeated := len(delivery.events) - len(kept):
                counts = Counter(delivery.counts)
                counts[Reason.REPEATED] += repeated
                delivery = replace(delivery, events=tuple(kept), counts=counts)
            new.append(delivery)
        return new, names

    def _tidy(self) -> None:
        """A piece now and then; soon again while there is more. What it cannot do is tried again at the next turn."""
        if monotonic() < self._tidy_at:
            return
        try:
            more = self._sink.tidy(now())
        except StoreError as error:
            self._complain(error.message)
            more = 0
        self._tidy_at = monotonic() + (TIDY_MORE_S if more else TIDY_S)


def _refused(counts: Counter[tuple[int, Reason]]) -> list[Delivery]:
    at = now()
    return [Delivery(project, at, counts={reason: count}, refused=True) for (project, reason), count in counts.items()]


def _answer(batch: Sequence[_Waiting], stored: bool) -> None:
    for one in batch:
        if not one.stored.done():
            one.stored.set_result(stored)
