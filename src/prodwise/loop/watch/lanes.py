"""Users who keep their lane are clusters: one user with a broken account is one error, not a hundred."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

MAX_LANES = 20_000
MAX_PER_LANE = 8
"""Requests of one lane that count towards exposure."""


@dataclass(slots=True)
class Lane:
    """What this user has already been counted for."""

    counted: int = 0
    erred: bool = False
    slow: bool = False
    routes: tuple[str, ...] = ()  # routes on which an error was counted


class Lanes:
    """Least recently seen lanes are forgotten beyond MAX_LANES; a forgotten one that errs counts once more."""

    __slots__ = ("_lanes",)

    def __init__(self) -> None:
        self._lanes: OrderedDict[str, Lane] = OrderedDict()

    def __len__(self) -> int:
        return len(self._lanes)

    def see(self, lane_id: str) -> tuple[Lane, bool]:
        """The lane, and whether it is new."""
        lane = self._lanes.get(lane_id)
        if lane is not None:
            self._lanes.move_to_end(lane_id)
            return lane, False
        lane = self._lanes[lane_id] = Lane()
        if len(self._lanes) > MAX_LANES:
            self._lanes.popitem(last=False)
        return lane, True
