"""What to do about it: the smallest step that is allowed and may help, or why a person is needed."""

from prodwise.loop.choose import reached
from prodwise.loop.choose.authority import ASK, Authority, authority
from prodwise.loop.choose.choose import POLICY, AlreadyDone, Choice, choose
from prodwise.loop.choose.revision import revision
from prodwise.loop.choose.situation import Past, PastResult, Situation, WayBack

__all__ = [
    "ASK",
    "POLICY",
    "AlreadyDone",
    "Authority",
    "Choice",
    "Past",
    "PastResult",
    "Situation",
    "WayBack",
    "authority",
    "choose",
    "reached",
    "revision",
]
