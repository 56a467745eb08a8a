"""After a person was called: what belongs to the same trouble, and is not a reason to call again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from prodwise.model.diagnosis import Cause
from prodwise.model.incident import Symptom

BURST_S: Final = 30.0
"""Whatever users feel so soon after the call is the same trouble showing its other sides."""
QUIET_S: Final = 15 * 60.0
"""Away for so long, it is a new trouble when it comes back."""
REMIND_S: Final = 4 * 3600.0
"""Trouble that never goes away is called about again after this long."""

_FELT: Final = frozenset({"errors", "latency", "hang", "probe", "traffic_loss"})
_FOLLOWS: Final = {
    Cause.OVERLOAD: _FELT,
    Cause.UPSTREAM: _FELT | {"crash", "crash_loop"},
    Cause.CRASH_LOOP: _FELT | {"crash", "crash_loop"},
    Cause.HANG: _FELT,
    Cause.DISK: _FELT | {"crash", "crash_loop"},
    Cause.CERTIFICATE: _FELT,
}
"""What follows from a cause by itself. A crash does not follow from overload: it can be healed, so it is looked at."""


@dataclass(frozen=True, slots=True)
class Told:
    """A person was called about a service. at: when; seen_at: when any of it was last seen (at least `at`), Unix seconds."""

    symptoms: tuple[Symptom, ...]
    cause: Cause
    at: float
    seen_at: float


def news(told: Told, symptoms: Iterable[Symptom], now: float) -> tuple[Symptom, ...]:
    """The symptoms that the person does not know of yet."""
    if now - told.at >= REMIND_S or now - told.seen_at >= QUIET_S:
        return tuple(symptoms)
    return tuple(one for one in symptoms if not _known(told, one, now))


def _known(told: Told, symptom: Symptom, now: float) -> bool:
    """Trouble of the whole service covers that of each route; trouble of one route covers other routes, not the whole."""
    if symptom.ours and not any(one.ours for one in told.symptoms):
        return False  # the call rested on the word of others: that we see it too is what may be acted on
    if symptom.kind in _FOLLOWS.get(told.cause, frozenset()):
        return True
    if symptom.kind in _FELT and now - told.at < BURST_S:
        return True
    return any(_covers(one, symptom) for one in told.symptoms)


def _covers(known: Symptom, symptom: Symptom) -> bool:
    """What we saw ourselves covers what others say of the same kind; a source's word on everything covers that on each thing."""
    same = known.ours or (known.source == symptom.source and known.subject in ("", symptom.subject))
    return known.kind == symptom.kind and same and (not known.route or bool(symptom.route))
