"""Being the one that may act: a lease on the target, renewed from a thread of its own."""

from __future__ import annotations

import threading

from prodwise.heal.durable import EXIT_FENCED, leave
from prodwise.model.errors import Fenced, ProdwiseError, Refused
from prodwise.ports import Lease

RENEW_S = 5.0


class Leaseholder:
    """Acquires, renews, and ends the process when another executor took over."""

    def __init__(self, lease: Lease, holder: str) -> None:
        """holder: a name that no other process ever had or will have."""
        self._lease, self._holder = lease, holder
        self._token = 0
        self._ends = threading.Event()
        self._had = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)

    def token(self) -> int:
        """The present fencing token; 0 is never one. Waits while none is held: a predecessor may be paused, not dead."""
        self._had.wait()
        return self._token

    @property
    def held(self) -> bool:
        return self._token > 0

    def start(self) -> None:
        """Takes the lease if it can be had now, and keeps trying otherwise."""
        self._try()
        self._thread.start()

    def stop(self) -> None:
        self._ends.set()
        self._thread.join(timeout=2)

    def _renew(self) -> None:
        while not self._ends.wait(RENEW_S if self._token else 0.5):
            self._try()

    def _try(self) -> None:
        try:
            token = self._lease.acquire(self._holder)
        except Fenced as error:
            leave(EXIT_FENCED, error.message)
        except Refused:
            if self._token:
                leave(EXIT_FENCED, "another healer holds the lease now")
        except ProdwiseError:
            return  # the target does not answer: the token stays, and its door decides
        else:
            self._token = token
            self._had.set()
