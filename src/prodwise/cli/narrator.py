"""Tells a drill as it happens, and how it ended."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Self

from prodwise.cli.desk import Desk, paint
from prodwise.cli.follow import Ticker

if TYPE_CHECKING:
    from prodwise.drill.narrate import Line
    from prodwise.drill.result import DrillResult

STYLE = {"scenario": "bold", "dashboard": "accent", "fault": "warn", "note": "dim"}
MARK_STYLE = {"✓": "good", "✗": "bad", "■": "bad", "▲": "warn", "●": "good", "→": "accent", "↶": "warn"}
TICK_S = 0.1


class Narrator:
    """Lines that stay, above a live one with the time since it began."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._ticker = desk, Ticker(desk)
        self._now = "starting"
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="narrator", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(timeout=2)
        self._ticker.clear()

    def tell(self, line: Line) -> None:
        with self._lock:
            self._ticker.clear()
            if line.kind == "scenario":
                self._now = line.text
                self._desk.say("")
            text = f"{line.text}" if line.kind in ("scenario", "dashboard") else str(line)
            self._desk.say(text, STYLE.get(line.kind) or MARK_STYLE.get(line.mark, ""))

    def _run(self) -> None:
        while not self._over.wait(TICK_S):
            with self._lock:
                self._ticker.tick(self._now)


def closing(result: DrillResult, *, aside: bool) -> None:
    """The table of results. aside: stdout belongs to the JSON result."""
    from prodwise.drill.table import render

    stream = sys.stderr if aside else sys.stdout
    print(file=stream)
    for line in render(result).splitlines():
        style = "good" if line.startswith("✓") else "bad" if line.startswith("✗") else ""
        print(paint(line, style, stream), file=stream)
