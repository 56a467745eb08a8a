"""What a repair by a model did, step by step: JSON lines in a file of its own, readable by its owner only."""

from __future__ import annotations

import os
import re
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from prodwise import clock
from prodwise.repair.veil import Veil

BYTES_MAX, KEPT = 4_000_000, 50
_LINE_MAX = 60_000


class Transcript:
    """Bounded: once it is full it says so, and only its end is still written. Threads may share it."""

    def __init__(self, folder: Path, name: str, veil: Veil) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _forget(folder)
        plain = re.sub(r"[^A-Za-z0-9-]+", "-", name)[:40].strip("-") or "repair"
        self.path = folder / f"{int(clock.now())}-{plain}-{os.urandom(3).hex()}.jsonl"
        self._lock = threading.Lock()
        self._veil, self._began, self._left = veil, clock.monotonic(), BYTES_MAX
        os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))

    def say(self, kind: str, **told: object) -> None:
        self._write(kind, told)

    def end(self, why: str, **told: object) -> None:
        self._left = max(self._left, _LINE_MAX + 1)
        self._write("end", {"why": why, **told})

    def _write(self, kind: str, told: dict[str, object]) -> None:
        with self._lock:
            self._written(kind, told)

    def _written(self, kind: str, told: dict[str, object]) -> None:
        if self._left <= 0:
            return
        head = {"at": round(clock.monotonic() - self._began, 3), "kind": kind}
        line = self._veil.json({**head, **told}) + "\n"
        if len(line) > _LINE_MAX:
            line = self._veil.json({**head, "too_long": len(line)}) + "\n"
        self._left -= len(line)
        if self._left <= 0 and kind != "end":
            line = '{"kind": "full"}\n'
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line)


def _forget(folder: Path) -> None:
    """Keeps the newest ones; names begin with the time."""
    for old in sorted(folder.glob("*.jsonl"))[: -KEPT + 1]:
        with suppress(FileNotFoundError):
            old.unlink()


@dataclass(frozen=True, slots=True)
class Ended:
    """How a repair by a model ended. why: "proposed", the bound that ended it ("steps", "tokens", "money", "time"), or what else
    did; dollars: None where the price is not known."""

    why: str
    transcript: Path
    steps: int = 0
    tokens: int = 0
    dollars: float | None = None
    seconds: float = 0.0
