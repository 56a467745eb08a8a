"""What a person may do where no step of ours helps: faults of others, and more requests than can be answered."""

from __future__ import annotations

from prodwise.loop.choose.situation import Situation
from prodwise.model.diagnosis import Cause

CAPACITY = (
    "it needs fewer requests or more capacity: this target can neither shed requests nor add processes by itself, "
    "so a person does (a limit before it, a costly page switched off, a larger machine)"
)


def counsel(situation: Situation) -> tuple[str, ...]:
    """One sentence, or none."""
    leading = situation.diagnosis.leading
    if leading.cause is Cause.OVERLOAD:
        return (CAPACITY,)
    if leading.cause is not Cause.UPSTREAM:
        return ()
    needed = situation.find(leading.subject)
    if needed is None or leading.subject == situation.service:
        return ()
    if needed.upstream:
        return (
            f"{needed.id} lies outside our control: ask whoever runs it, and wait for it, or switch off what needs it; "
            f"{situation.service} is well again once {needed.id} is",
        )
    return (f"{needed.id} has an incident of its own: {situation.service} is looked at again once that is over",)
