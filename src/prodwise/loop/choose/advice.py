"""What a person is told to do where no step of ours fits, and what a step that only buys time is told as."""

from __future__ import annotations

from typing import Final

from prodwise.loop.choose.situation import Situation
from prodwise.model.diagnosis import Cause, Hypothesis

_TO_DO: Final = {
    Cause.DISK: "free space where the app writes (old logs, uploads, temporary files), or give it a larger disk",
    Cause.CERTIFICATE: "renew or replace the certificate or token, here or at what is called, and start again what still holds it",
    Cause.INPUT: "take the input out or mend it, and have the code refuse what it cannot handle",
    Cause.CLOCK: "set the clock right and see that it is kept (NTP); tokens and schedules may be off until then",
    Cause.UPSTREAM: "see to what does not answer, or wait for it: nothing of the app needs to change",
    Cause.OVERLOAD: "give it more capacity or fewer requests (a limit before it, a costly page switched off, a larger machine): "
    "this target can neither shed requests nor add processes by itself",
    Cause.CONFIG: "take back what was changed",
    Cause.MEMORY: "find what holds the memory; until then give it more, or start it again now and then",
    Cause.DESCRIPTORS: "find what opens files or connections and does not close them; until then raise the limit",
}
_TEMPORARY: Final = {
    Cause.MEMORY: "this helps for a while only: what holds the memory has to be found",
    Cause.DESCRIPTORS: "this helps for a while only: what does not close its files has to be found",
}


def to_do(because: Hypothesis) -> str:
    """ "" where nothing better is known than what the hypothesis itself says."""
    return _TO_DO.get(because.cause, "")


def nearest(situation: Situation) -> str:
    """The same, with the names of this incident: what is waited for, and who runs it."""
    leading = situation.diagnosis.leading
    needed = situation.find(leading.subject) if leading.cause is Cause.UPSTREAM else None
    if needed is None or needed.id == situation.service:
        return to_do(leading)
    if not needed.upstream:
        return f"nothing here: {needed.id} has an incident of its own, and {situation.service} is looked at again once that is over"
    return (
        f"{needed.id} lies outside our control: ask whoever runs it, and wait for it, or switch off what needs it; "
        f"{situation.service} is well again once {needed.id} is"
    )


def why(because: Hypothesis) -> str:
    """A plan's reason: what the hypothesis says, and that it is no cure, if it is none."""
    temporary = _TEMPORARY.get(because.cause)
    return f"{because.text}; {temporary}" if temporary else because.text
