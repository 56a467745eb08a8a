"""Whether one group of errors hits more than is usual for it: changes of a stream of seconds, at several levels of hits."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping
from math import log
from typing import Any, Final

from prodwise.loop.detect.accept import Count, upper_bound
from prodwise.loop.detect.change import ChangeDetector, Usual
from prodwise.loop.detect.hits import Unit, Units
from prodwise.loop.detect.service import H

LEVELS: Final = (1, 4, 16, 64)
"""Hits in one second; each level is a stream of its own, so that noise of every second may still grow to be a fault."""
RATE_H: Final = H + log(len(LEVELS))
"""All levels together alarm as rarely as one stream at H: at most once in e^15 seconds that are used, 38 days, if what is usual is
known exactly."""
QUICK_H: Final = log(50.0)
"""For what is new where it matters most: while it is young, what is odd at 1 : 50 is enough. After an absence of six minutes that
is its first hit."""
YOUNG_S: Final = 600
"""Seconds that were used since it was first seen: so long it is new."""
QUICK_S, ABSENT_MIN_S = 60, 60
"""For so many used seconds after it was first seen little is enough where it matters, and only if it was absent for so many before.
Otherwise it may be older than our listening: for as long it is learned, and not judged."""
OFTEN: Final = 0.5
"""A level that is usually reached again in the next second, as often as this, tells nothing by being reached: higher ones do."""
AGAIN_S: Final = 60
"""The same user is a hit at most once in so many seconds: reloading a broken page is one trouble."""
USERS_KEPT: Final = 256
SURE: Final = 0.05
TAIL: Final = 600


def never_seen(used_s: int) -> float:
    """Largest share of seconds (0…1) with a hit that is not ruled out by so many seconds without any."""
    return min(0.5, upper_bound(Count(max(1, used_s), 0), SURE))


class GroupRate:
    """`observe` each used second with hits, `pass_by` those without. born: the count of used seconds when it was first seen.

    absent_s: used seconds before that in which it was listened for, and not seen. So nothing is usual for a new group but what
    is left to chance by its absence, and noise that was there from the first second on is learned before it can alarm.
    """

    __slots__ = ("_levels", "_tail", "_users", "absent_s", "at_used", "born", "first_release", "hit_at", "last_release",
                 "regressed", "route", "title")  # fmt: skip

    def __init__(self, born: int, absent_s: int) -> None:
        self.born = self.at_used = self.hit_at = born
        self.absent_s = absent_s
        usual = never_seen(absent_s)
        self._levels = [ChangeDetector(RATE_H, Usual(usual)) for _ in LEVELS]
        self._users: OrderedDict[str, int] = OrderedDict()
        self._tail: deque[tuple[int, int]] = deque(maxlen=TAIL)  # (second, hits)
        self.title = self.route = self.first_release = self.last_release = ""
        self.regressed = False

    def renew(self, used: int, absent_s: int) -> None:
        """It was gone and is back: nothing is usual for it any more."""
        fresh = GroupRate(used, absent_s)
        self.born, self.at_used, self.absent_s, self._levels = used, used - 1, absent_s, fresh._levels
        self.regressed = True

    def learns(self, used: int) -> bool:
        """Whether it may be older than our listening, and is not judged yet."""
        return self.absent_s < ABSENT_MIN_S and used - self.born < QUICK_S

    def young(self, used: int) -> bool:
        return used - self.born < YOUNG_S

    def just_new(self, used: int) -> bool:
        return used - self.born < QUICK_S and self.absent_s >= ABSENT_MIN_S

    def catch_up(self, used: int, at: float) -> None:
        """Used seconds without a hit that nobody told it of."""
        if used > self.at_used:
            for one in self._levels:
                one.quiet(used - self.at_used, at)
            self.at_used = used

    def observe(self, second: int, units: Units, used: int, quick: bool) -> int:
        """One used second with hits, the `used`-th. Returns how many were new ones; a second that only knows old ones says nothing."""
        new = sum(self._first_time(unit, second) for unit in units.kept)
        self.at_used = self.hit_at = used
        if not new:
            return 0
        self._tail.append((second, new))
        self._judge(new, second, QUICK_H if quick else RATE_H)
        return new

    def pass_by(self, second: int, used: int) -> None:
        """One used second without a hit."""
        self.at_used = used
        self._judge(0, second, RATE_H)

    def _judge(self, hits: int, second: int, h: float) -> None:
        learns = self.learns(self.at_used)
        for level, one in zip(LEVELS, self._levels, strict=True):
            if one.on:
                one.observe(hits >= level, float(second))
            elif learns or one.usual.c >= OFTEN:
                one.learn(hits >= level)
            else:
                one.h = h
                one.observe(hits >= level, float(second))

    def _first_time(self, unit: Unit, second: int) -> bool:
        if not unit.known:
            return True
        before = self._users.get(unit.who)
        if before is not None and second - before < AGAIN_S:
            return False
        self._users[unit.who] = second
        self._users.move_to_end(unit.who)
        if len(self._users) > USERS_KEPT:
            self._users.popitem(last=False)
        return True

    @property
    def on(self) -> bool:
        return any(one.on for one in self._levels)

    @property
    def stirs(self) -> bool:
        """Whether a second without a hit would tell it anything that may not be told later."""
        return any(one.stirs for one in self._levels)

    @property
    def since(self) -> float:
        return min((one.since for one in self._levels if one.on), default=0.0)

    @property
    def usual(self) -> float:
        """Share of used seconds with a hit that is usual."""
        return self._levels[0].usual.p

    def hits_since(self, at: float) -> int:
        return sum(count for second, count in self._tail if second >= at)

    def to_json(self) -> dict[str, Any]:
        return {
            "born": self.born,
            "used": self.at_used,
            "hit": self.hit_at,
            "absent": self.absent_s,
            "usual": [[round(value, 3) for value in one.usual.counts] for one in self._levels],
            "title": self.title,
            "first": self.first_release,
            "last": self.last_release,
            "back": self.regressed,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> GroupRate:
        """Raises KeyError, TypeError or ValueError for a broken record."""
        made = cls(int(data["born"]), int(data["absent"]))
        made.at_used, made.hit_at, made.title = int(data["used"]), int(data["hit"]), str(data["title"])
        made.first_release, made.last_release = str(data["first"]), str(data["last"])
        made.regressed = bool(data["back"])
        for one, counts in zip(made._levels, data["usual"], strict=True):
            one.usual.counts = tuple(float(value) for value in counts)
        return made
