"""For which incidents, and refused releases, a fix was looked for: once, unless the search was cut off or a person asks again."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Final

from prodwise.heal.hands import AUTOMATION
from prodwise.ports import Records

TRIED: Final = "asked:fixes"
"""Setting: incidents for which a fix was looked for, the newest last."""
TRIED_MAX: Final = 200
AT_WORK: Final = "asked:search"
"""Setting: the one for which a search has begun that has not come to an end."""
AGAIN: Final = "asked:again"
"""Setting: for which a person asks for another search, the oldest first."""
TIMES_MAX: Final = 3
ASKED: Final = "asked:models"
"""Setting: when searches began that may ask a model, Unix seconds."""
DAY_S: Final = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Search:
    """times: how often it was begun without an answer."""

    incident: str
    times: int = 0


class Searches:
    """One at a time; what was begun outlives this process."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def tried(self) -> list[str]:
        return list(self._records.settings.get(TRIED) or ())

    def asked(self) -> list[str]:
        """By people, the oldest first."""
        return list(self._records.settings.get(AGAIN) or ())

    def open(self) -> Search | None:
        """That was cut off, where none is at work in this process."""
        told = self._records.settings.get(AT_WORK)
        return Search(**told) if told else None

    def begin(self, incident: str) -> None:
        before = self.open()
        times = before.times if before is not None and before.incident == incident else 0
        others = [one for one in self.tried() if one != incident]
        with self._records.unit():
            self._records.settings.put(TRIED, [*others, incident][-TRIED_MAX:], AUTOMATION)
            self.passed_over(incident)
            self._records.settings.put(AT_WORK, asdict(Search(incident, times + 1)), AUTOMATION)

    def passed_over(self, incident: str) -> None:
        """What a person asked for is begun, or cannot be."""
        if incident in (asked := self.asked()):
            self._records.settings.put(AGAIN, [one for one in asked if one != incident], AUTOMATION)

    def may_ask(self, most: int, at: float) -> bool:
        """Whether this search may ask a model, of so many in a day; if so it counts."""
        asked = [one for one in self._records.settings.get(ASKED) or () if abs(at - one) < DAY_S]
        if len(asked) >= most:
            return False
        self._records.settings.put(ASKED, [*asked, at], AUTOMATION)
        return True

    def answered(self) -> None:
        """What it found may have to wait; lost meanwhile, it is looked for again, and not as one that was cut off."""
        if (known := self.open()) is not None and known.times:
            self._records.settings.put(AT_WORK, asdict(replace(known, times=0)), AUTOMATION)

    def end(self) -> None:
        self._records.settings.put(AT_WORK, None, AUTOMATION)


def again(records: Records, incident: str) -> None:
    """A person asks for another search, however long ago the first one was."""
    left = [one for one in records.settings.get(TRIED) or () if one != incident]
    asked = [one for one in records.settings.get(AGAIN) or () if one != incident]
    with records.unit():
        records.settings.put(TRIED, left, AUTOMATION)
        records.settings.put(AGAIN, [*asked, incident][-TRIED_MAX:], AUTOMATION)
