"""What the traffic client writes: one line of JSON a request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

TIMEOUT_S = 10.0  # an answer later than this is none


@dataclass(frozen=True, slots=True)
class Sent:
    """One request as its user saw it.

    at: Unix seconds when it was sent; ms: until the answer was complete, or until it was given up; status: 0 without an
    answer; why: "" if it was served, else refused, reset, cut, timeout, garbled or 5xx; client: who sent it.
    """

    at: float
    ms: float
    method: str
    path: str
    status: int
    why: str
    client: str

    @property
    def failed(self) -> bool:
        """No answer, a 5xx, or none within 10 s."""
        return self.why != ""

    @property
    def ended(self) -> float:
        """Unix seconds when the answer was complete or given up."""
        return self.at + self.ms / 1000

    def line(self) -> str:
        return json.dumps({**asdict(self), "at": round(self.at, 4), "ms": round(self.ms, 2)}, separators=(",", ":"))


class Reader:
    """Follows a records file while it is written; a line that is not complete yet is read the next time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def read(self) -> Iterator[Sent]:
        """The requests that ended since the last call, in the order in which they ended."""
        if not self._path.is_file():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            yield Sent(**json.loads(line))
