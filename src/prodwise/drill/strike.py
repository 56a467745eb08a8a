"""One fault on its way, and what became of the processes that it struck."""

from __future__ import annotations

import threading
from dataclasses import replace

from prodwise import clock
from prodwise.config import load
from prodwise.drill.faults import Place, inject, struck_service
from prodwise.drill.processes import age_s
from prodwise.drill.scenario import Fault
from prodwise.drill.seen import Injected
from prodwise.model.errors import ProdwiseError

ENDS_PROCESSES = ("kill", "hang", "crash_loop", "slow")


class Strike:
    """Runs in a thread of its own, as some faults are kept up for a while. problem: why it could not be injected, or ""."""

    def __init__(self, fault: Fault, place: Place) -> None:
        config = load(place.app_dir)
        service = struck_service(fault, config)
        self.fault = fault.model_copy(update={"service": service})
        self._worker = fault.kind in ENDS_PROCESSES and config.services[service].kind == "worker"
        self._place = replace(place, struck=self._struck)
        self._at = clock.now()
        self._pids: set[int] = set()
        self._ended: float | None = None
        self._back: float | None = None
        self.problem = ""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            inject(self.fault, self._place)
        except ProdwiseError as error:
            self.problem = f"{self.fault.kind} could not be injected: {error.message}"
        self._ended = clock.now()

    def _struck(self, pids: list[int]) -> None:
        """The clock starts when the first signal is sent, or what was waited for is there, not when it was decided to wait."""
        if not self._pids:
            self._at = clock.now()
        self._pids.update(pids)

    def look(self) -> None:
        """Notes since when a worker runs again: another process than those that were struck, or one that was let go on."""
        if not self._worker or not self._pids:
            return
        pids = self._place.healer.pids(self.fault.service)
        fresh = [pid for pid in pids if pid not in self._pids]
        if fresh:
            self._back = clock.now() - age_s(fresh[0])
        elif pids and self._let_go():
            self._back = self._back or self._ended
        else:
            self._back = None

    def _let_go(self) -> bool:
        return self.fault.kind in ("hang", "slow") and self.fault.lasts > 0 and self._ended is not None

    def injected(self) -> Injected:
        """What happens once is over at once; what is kept up is over when it is."""
        until = self._at if not self.fault.lasts else self._ended or self._at + self.fault.lasts
        return Injected(self.fault, self._at, until, self._worker, self._back)

    def end(self) -> None:
        self._place.over.set()
        self._thread.join(15)
