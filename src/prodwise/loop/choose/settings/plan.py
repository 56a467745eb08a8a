"""In which order settings are tried: one alone, then those of one file, then all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from prodwise.model.patch import Fault
from prodwise.model.setting import Change, PutBack

SINGLES_MAX: Final = 12
FILES_MAX: Final = 3
ONE, OF_A_FILE, ALL = 0.0, 1.0, 2.0
OUTPUT_CHARS: Final = 50_000


def planned(changes: Sequence[Change], fault: Fault) -> tuple[PutBack, ...]:
    """changes: the newest first. Alone, those that the fault speaks of are tried first, then those of suspect commits; that moves
    their order only: two that both end the fault are told from each other by tests, not by words."""
    text = _words(f"{fault.output[-OUTPUT_CHARS:]} {fault.error} {fault.message}")
    suspects = list(fault.suspects)

    def place(one: Change) -> tuple[bool, int]:
        return (not _spoken(one, text), suspects.index(one.by) if one.by in suspects else len(suspects))

    paths = list(dict.fromkeys(one.path for one in changes))
    found = [PutBack((one,), ONE) for one in sorted(changes, key=place)[:SINGLES_MAX]]
    for path in paths:
        here = tuple(one for one in changes if one.path == path)
        found += [PutBack(here, OF_A_FILE)] if len(here) > 1 else []
    if 1 < len(paths) <= FILES_MAX:
        found.append(PutBack(tuple(changes), ALL))
    return tuple(found)


def _spoken(one: Change, text: str) -> bool:
    name = _words(one.key[-1]).strip() if one.key else ""
    return len(name) > 2 and f" {name} " in text


def _words(text: str) -> str:
    """`checkoutTimeout`, `CHECKOUT_TIMEOUT` and `checkout-timeout` alike."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    return f" {' '.join(re.findall(r'[a-z0-9]+', spaced.lower()))} "
