"""What a person is told to do where no step of ours fits, and what a step that only buys time is told as."""

from __future__ import annotations

from typing import Final

from prodwise.model.diagnosis import Cause, Hypothesis

_TO_DO: Final = {
    Cause.DISK: "free space where the app writes (old logs, uploads, temporary files), or give it a larger disk",
    Cause.CERTIFICATE: "renew the certificate or token that has run out, here or at what is called, and start what holds it again",
    Cause.INPUT: "take the input out or mend it, and have the code refuse what it cannot handle",
    Cause.CLOCK: "set the clock right and see that it is kept (NTP); tokens and schedules may be off until then",
    Cause.UPSTREAM: "see to what does not answer, or wait for it: nothing of the app needs to change",
    Cause.OVERLOAD: "give it more capacity, or turn some of the traffic away",
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


def why(because: Hypothesis) -> str:
    """A plan's reason: what the hypothesis says, and that it is no cure, if it is none."""
    temporary = _TEMPORARY.get(because.cause)
    return f"{because.text}; {temporary}" if temporary else because.text
