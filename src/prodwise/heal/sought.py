"""For which incidents a fix was looked for: once, unless the search was cut off or a person asks again."""

from __future__ import annotations

from typing import Final

from prodwise.heal.hands import AUTOMATION
from prodwise.ports import Records

TRIED: Final = "asked:fixes"
"""Setting: incidents for which a fix was looked for, the newest last."""
TRIED_MAX: Final = 200


def forget(records: Records, incident: str) -> None:
    """A person asks again."""
    left = [one for one in records.settings.get(TRIED) or () if one != incident]
    records.settings.put(TRIED, left, AUTOMATION)
