"""What programs report of a release on trial, beside what they report of the stable one.

Under the null a hit of a group falls to the canary with the chance that a user does, whatever the group's rate: the label test
(`LabelWager`), one for each group, with shares of alpha that sum to one. A user counts once in a group, so that a reload is no
second proof; an event without a user counts for itself.

A DSN is public: whoever has the program can report whatever they like, of every release. So what is reported never fails a
release. It may hold one, where the proxy's own tests suspect it too (AGREES): held long enough it goes back, and that takes an
agreeing source that nobody outside can feed. Where our own eyes see nothing wrong, a person is told, and the release goes on.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from prodwise.loop.detect.wager import LabelWager
from prodwise.model.gate import GateResult, Verdict

GROUPS_MAX: Final = 200
UNITS_MAX: Final = 20_000
AGREES: Final = 20.0
"""An e-value of the proxy's own tests: in a good release one of three comes to it once in seven times at most."""
GATE: Final = "reports"


@dataclass(slots=True)
class _Group:
    title: str
    wager: LabelWager
    known: bool = False  # whether somebody was told that it is proven
    hits: Counter[bool] = field(default_factory=Counter)

    @property
    def proven(self) -> bool:
        return self.wager.wealth >= self.wager.cap * (1 - 1e-9)


class ReportsContrast:
    """One service's release on trial. `observe` hits in the order of judgement; bounded in groups and units."""

    def __init__(self, alpha: float) -> None:
        self._alpha = alpha
        self._groups: dict[str, _Group] = {}
        self._seen: set[tuple[str, str]] = set()

    def observe(self, group: str, title: str, who: str, canary: bool, w: float) -> None:
        """One hit while the canary had the share w of users (0…1)."""
        if not 0.0 < w < 1.0 or (group, who) in self._seen or len(self._seen) >= UNITS_MAX:
            return
        found = self._groups.get(group)
        if found is None:
            if len(self._groups) >= GROUPS_MAX:
                return
            k = len(self._groups) + 1
            found = self._groups[group] = _Group(title, LabelWager(1.0, k * (k + 1) / self._alpha, centre=8.0))
        self._seen.add((group, who))
        found.hits[canary] += 1
        found.wager.event(canary, w)

    def worse(self) -> tuple[tuple[str, str], ...]:
        """(key, what is known) of each group that the canary is proven to have more of, those that hit most first."""
        found = [(key, one) for key, one in self._groups.items() if one.proven]
        found.sort(key=lambda pair: (-pair[1].hits[True], pair[0]))
        return tuple((key, _told(one)) for key, one in found)

    def news(self) -> list[tuple[str, str]]:
        """(key, title) of the groups that are proven since the last call."""
        found = [(key, one) for key, one in self._groups.items() if one.proven and not one.known]
        for _, one in found:
            one.known = True
        return [(key, one.title) for key, one in found]

    def gate(self, doubt: float) -> GateResult | None:
        """None while nothing was reported: it was not asked, as not every program reports. doubt: the proxy's own e-value."""
        if not self._groups:
            return None
        worse = self.worse()
        if not worse:
            hits = sum((one.hits for one in self._groups.values()), Counter[bool]())
            text = f"{hits[True]} errors are reported of it and {hits[False]} of stable: no kind of them stands out"
            return GateResult(GATE, Verdict.PASS, text)
        more = f" and {len(worse) - 1} more" if len(worse) > 1 else ""
        if doubt >= AGREES:
            text = f"{worse[0][1]}{more}; the proxy suspects it too, waiting"
            return GateResult(GATE, Verdict.HOLD, text)
        text = f"{worse[0][1]}{more}; no request or probe of ours agrees, so it is told and holds nothing"
        return GateResult(GATE, Verdict.PASS, text)


def _told(group: _Group) -> str:
    return f"{group.title}: reported {group.hits[True]} times of the new release, {group.hits[False]} of stable"
