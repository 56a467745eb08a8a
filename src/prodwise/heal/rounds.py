"""A look every so often, from a thread of its own."""

from __future__ import annotations

import contextlib
import threading
import traceback
from collections.abc import Callable

from prodwise.model.errors import ProdwiseError

STOP_S = 5.0


class Rounds:
    """A look that fails ends nothing: what it failed of is told once, until it changes or a look succeeds."""

    def __init__(
        self,
        name: str,
        look: Callable[[], object],
        pause: Callable[[], float],
        tell: Callable[[str], object] | None = None,
        at_once: bool = False,
    ) -> None:
        """pause: seconds before the next look, asked each time; tell: a failure in words, where its log is not enough; at_once:
        the first look is not waited for."""
        self._look, self._pause, self._tell, self._at_once = look, pause, tell, at_once
        self._said = ""
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Does nothing the second time, or once it was stopped."""
        if self._thread.ident is None and not self._ends.is_set():
            self._thread.start()

    def stop(self, within_s: float = STOP_S) -> None:
        """Waits so long for a look that is under way."""
        self._ends.set()
        if self._thread.is_alive():
            self._thread.join(timeout=within_s)

    def _run(self) -> None:
        while not self._ends.wait(0.0 if self._at_once else self._pause()):
            self._at_once = False
            try:
                self._look()
                self._said = ""
            except Exception as error:  # noqa: BLE001 — eyes that fail for an unknown reason must not stay shut
                self._failed(error)

    def _failed(self, error: Exception) -> None:
        said = error.message if isinstance(error, ProdwiseError) else type(error).__name__
        if said == self._said:
            return
        self._said = said
        if not isinstance(error, ProdwiseError):
            traceback.print_exc()
        if self._tell is not None:
            with contextlib.suppress(Exception):  # where it cannot be written down either, its own log has it
                self._tell(said)
