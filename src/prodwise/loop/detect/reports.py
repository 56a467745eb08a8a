"""When errors that programs report are a fault: one project's groups, each against what is usual for it.

Known noise never alarms at its usual rate; a group that was never seen before, or that was resolved and is back, has no usual
rate but what its absence leaves to chance, so a few hits of different users are enough, and where it matters most (an important
route; a release on trial, unhandled) a single one may be. Everything is judged in whole seconds that are closed, in the order of
the seconds, and only in seconds in which the service was used: silence of a service that nobody asks is no recovery.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from prodwise.loop.detect.hits import SECONDS_MAX, GroupHits, Seconds, Unit, Units
from prodwise.loop.detect.rate import YOUNG_S, GroupRate
from prodwise.model.digest import Heard
from prodwise.model.incident import Symptom
from prodwise.model.project import Project

GROUPS_KEPT: Final = 500
"""Told apart; what was not seen for longest is forgotten first, and what is forgotten is not new when it comes again."""
SHOWN_MAX: Final = 5
"""More groups at once are one trouble: a storm is told in one line."""
ODD: Final = 4.6
"""Hits that were expected and did not come, at which their absence is odd at 1 : 100: exp(-4.6)."""
VERSION: Final = 1


SOURCE: Final = "reports:"


def source_of(project: Project) -> str:
    """The credential that all of a project's reports rest on."""
    return SOURCE + project.name


@dataclass(frozen=True, slots=True)
class Hit:
    """One unit that a group hit, in the order in which all of them are judged."""

    second: int
    group: str
    title: str
    unit: Unit


@dataclass(frozen=True, slots=True)
class View:
    """What our own eyes say of the service. used: whether it was asked in that second, None where that cannot be seen;
    apart: whether what a release of this tag reported then is judged where it is on trial, beside the stable one; trial: whether
    the tag is of a release that is still watched."""

    used: Callable[[int], bool | None]
    apart: Callable[[str, int], bool]
    trial: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class _Gone:
    """A group that was resolved. at: Unix seconds; releases: those that have it; used: the count of used seconds then."""

    at: float
    releases: frozenset[str]
    used: int


class ReportMonitor:
    """`hear` in any order, `close` seconds in theirs. Bounded: groups, seconds, hits of a second."""

    def __init__(self, project: Project, important: frozenset[str] = frozenset()) -> None:
        self.project = project
        self.source = source_of(project)
        self._seconds = Seconds(important)
        self._rates: OrderedDict[str, GroupRate] = OrderedDict()  # last seen last
        self._stirring: set[str] = set()
        self._used = 0  # seconds that the service was used, since listening began
        self._forgot = 0  # of them, when a group was last forgotten
        self._closed = 0  # the last closed second
        self._kinds = GroupRate(0, 0)
        self._gone: OrderedDict[str, _Gone] = OrderedDict()  # resolved groups
        self._returned: dict[str, float] = {}  # came back → from which resolution
        self._news: list[tuple[str, str]] = []

    @property
    def used(self) -> int:
        return self._used

    def hear(self, heard: Heard) -> None:
        self._seconds.add(heard, self._closed + 1)

    def close(self, until: int, view: View) -> list[Hit]:
        """Judges every second before `until`. Returns what was hit in them, in the order of judgement.

        A clock that was set back opens nothing again: what is heard under it counts from where it stands now.
        """
        if until < self._closed - SECONDS_MAX:
            self._seconds.forget()
            self._closed = 0
        oldest = self._seconds.oldest or until
        first = self._closed + 1 if self._closed else oldest
        if until - first > SECONDS_MAX:  # nobody looked: of that time only what was reported is known
            first = max(first, min(oldest, until - SECONDS_MAX))
        self._closed = max(self._closed, first - 1)
        found: list[Hit] = []
        for second in range(first, until):
            found += self._judge(second, view)
            self._closed = second
        return found

    def _judge(self, second: int, view: View) -> list[Hit]:
        groups, alive = self._seconds.take(second)
        used = view.used(second)
        if not (alive or used or used is None):
            return []
        self._used += 1
        hits = [Hit(second, key, one.title, unit) for key, one in groups for unit in one.units.kept]
        hit, first_ones = set[str](), Units()
        for key, one in groups:
            units = Units([unit for unit in one.units.kept if not view.apart(unit.release, second)])
            if units.kept:
                hit.add(key)
                if key not in self._rates:
                    first_ones.add(Unit(key))
                self._observe(key, one, units, second, view)
        for key in sorted(self._stirring - hit):
            self._rates[key].pass_by(second, self._used)
            if not self._rates[key].stirs:
                self._stirring.discard(key)
        self._judge_kinds(second, first_ones)
        return hits

    def _observe(self, key: str, hits: GroupHits, units: Units, second: int, view: View) -> None:
        releases = {unit.release for unit in units.kept}
        rate = self._rates.get(key)
        if rate is None:
            rate = self._rates[key] = GroupRate(self._used, self._used - 1 - self._forgot)
            rate.first_release = min(releases)
        elif gone := self._back(key, releases):
            rate.renew(self._used, max(0, self._used - 1 - gone.used))
            self._news.append((key, hits.title))
        else:
            rate.catch_up(self._used - 1, float(second))
        self._rates.move_to_end(key)
        was_on = rate.on
        matters = hits.important or rate.regressed or (hits.unhandled and any(map(view.trial, releases)))
        rate.observe(second, units, self._used, quick=matters and rate.just_new(self._used))
        rate.title, rate.last_release = hits.title, max(releases)
        if rate.on and not was_on:
            rate.route = hits.route
        self._stirring.add(key)
        self._forget_old()

    def _judge_kinds(self, second: int, first_ones: Units) -> None:
        """How often a kind of error is seen for the first time: a storm may have each of its errors once."""
        if first_ones.kept:
            self._kinds.catch_up(self._used - 1, float(second))
            self._kinds.observe(second, first_ones, self._used, quick=False)
        elif self._kinds.stirs:
            self._kinds.pass_by(second, self._used)

    def _forget_old(self) -> None:
        while len(self._rates) > GROUPS_KEPT:
            key = next((one for one, rate in self._rates.items() if not rate.on), next(iter(self._rates)))
            del self._rates[key]
            self._stirring.discard(key)
            self._forgot = self._used

    def came_with(self, group: str, title: str, release: str) -> None:
        """A release on trial was proven to have it, and the one beside it not: it is as new as after a long absence."""
        rate = self._rates.get(group)
        if rate is None or rate.learns(self._used):
            rate = self._rates[group] = GroupRate(self._used, YOUNG_S)
            rate.title, rate.first_release = title, release
            self._stirring.discard(group)
            self._forget_old()

    # -- resolved, and back --------------------------------------------------------------------------------------------

    def resolved(self, group: str, at: float, releases: frozenset[str]) -> None:
        """Somebody's word, or a release's proof, that it is gone. releases: those that have it. Told again it means nothing new."""
        if self._returned.get(group, 0.0) < at:
            if group not in self._gone or self._gone[group].at != at:
                self._gone[group] = _Gone(at, releases, self._used)
            while len(self._gone) > GROUPS_KEPT:
                self._gone.popitem(last=False)

    def take_returned(self) -> list[tuple[str, str]]:
        """(key, title) of groups that were resolved and are back, each once."""
        found, self._news = self._news, []
        return found

    def _back(self, key: str, releases: set[str]) -> _Gone | None:
        """From what it is back: a release has it that is not known to, or one that does not say which it is."""
        gone = self._gone.get(key)
        if gone is None or releases <= gone.releases:
            return None
        del self._gone[key]
        self._returned[key] = gone.at
        if len(self._returned) > GROUPS_KEPT:
            del self._returned[next(iter(self._returned))]
        return gone

    def missing(self, release: Callable[[str], bool], used_s: int) -> list[str]:
        """Groups that this release should have had by now, and does not: in so many used seconds of its own their absence is
        as odd as 1 : 100, at the rate that was usual before."""
        return [
            key
            for key, one in self._rates.items()
            if key not in self._gone and one.last_release and not release(one.last_release) and not one.on
            and self._used - one.hit_at >= used_s and used_s * one.usual >= ODD
        ]  # fmt: skip

    # -- what stands ---------------------------------------------------------------------------------------------------

    def worst(self, limit: int = SHOWN_MAX) -> list[str]:
        """Groups that are a fault now: those that hit most first."""
        return [key for key, _ in self._on()][:limit]

    def _on(self) -> list[tuple[str, GroupRate]]:
        found = [(key, one) for key, one in self._rates.items() if one.on]
        return sorted(found, key=lambda pair: (-pair[1].hits_since(pair[1].since), pair[0]))

    def symptoms(self, now: float) -> tuple[Symptom, ...]:
        """What is a fault now; a storm is one symptom, whose subject "" stands for every group."""
        found = self._on()
        if found and len(found) <= SHOWN_MAX:
            return tuple(self._symptom(self._told(one), one, key, now) for key, one in found)
        if not found and not self._kinds.on:
            return ()
        first = min([one for _, one in found] or [self._kinds], key=lambda one: one.since)
        if not found:
            return (self._symptom("errors of many kinds are reported that were not seen before", first, "", now),)
        named = "; ".join(one.title[:80] for _, one in found[:3])
        return (self._symptom(f"errors of {len(found)} kinds are reported: {named}; …", first, "", now),)

    def _symptom(self, text: str, rate: GroupRate, subject: str, now: float) -> Symptom:
        """No release and no route of a storm: what others say names no target."""
        route = rate.route if subject else ""
        return Symptom("errors", self.project.service, text, rate.since, now, route, severity=0.0, source=self.source,
                       subject=subject)  # fmt: skip

    def _told(self, rate: GroupRate) -> str:
        hits = rate.hits_since(rate.since)
        where = f" on {rate.route}" if rate.route else ""
        if rate.regressed:
            usual = "it was resolved, and is back"
        elif rate.young(self._used):
            usual = "never seen before" + (f", first in release {rate.first_release}" if rate.first_release else "")
        else:
            usual = f"usual is one in {1 / rate.usual:.0f} s"
        return f"{rate.title}: reported {'once' if hits == 1 else f'{hits} times'}{where}; {usual}"

    # -- over a restart ------------------------------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        return {
            "version": VERSION,
            "used": self._used,
            "forgot": self._forgot,
            "kinds": self._kinds.to_json(),
            "rates": {key: one.to_json() for key, one in self._rates.items()},
            "returned": self._returned,
            "gone": {key: [one.at, sorted(one.releases), one.used] for key, one in self._gone.items()},
        }

    def restore(self, data: Mapping[str, Any]) -> None:
        """What was usual in an earlier life. Raises KeyError, TypeError or ValueError for a broken record or another version."""
        if data["version"] != VERSION:
            raise ValueError(f"what is usual of version {data['version']!r}; this one reads {VERSION}")
        rates = OrderedDict((str(key), GroupRate.from_json(one)) for key, one in data["rates"].items())
        self._kinds = GroupRate.from_json(data["kinds"])
        self._used, self._forgot, self._rates = int(data["used"]), int(data["forgot"]), rates
        self._returned = {str(key): float(at) for key, at in data["returned"].items()}
        for key, (at, releases, used) in data["gone"].items():
            self._gone[str(key)] = _Gone(float(at), frozenset(releases), int(used))
