"""Which stories that another healer left are gone on with, and which one is a person's from now on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

MOST: Final = 20
WITHIN_S: Final = 6 * 3600.0
"""A story that was resumed so often within so long may be what healers die of."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """times: story → when it was resumed, Unix seconds, of those that are gone on with; given_up: the one that is not, "" for none."""

    times: Mapping[str, tuple[float, ...]]
    given_up: str = ""


def resumed(known: Mapping[str, Sequence[float]], left: Sequence[str], now: float) -> Resumed:
    """left: stories, the one that began first first.

    All that are under way are resumed together, so that those beside the one that healers die of are counted as often. The
    youngest is given up, alone: before it began healers lived. Then all others are counted anew.
    """
    times = {one: (*(at for at in known.get(one, ()) if now - at < WITHIN_S), now) for one in left}
    given_up = next((one for one in reversed(left) if len(times[one]) > MOST), "")
    if given_up:
        return Resumed({one: (now,) for one in left if one != given_up}, given_up)
    return Resumed(times)
