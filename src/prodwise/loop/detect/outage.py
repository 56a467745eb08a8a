"""A release that stops answering, also when it begins in the middle of a ramp.

An outage has one *start* only, so tests of starts are blind to it. This one bets, anew at each start, that errors now
follow on errors for good, against a cap on that chance (`bands.py`). The j-th start gets 1/(j+1) of what is left, so that
there is always something to bet with.
"""

from __future__ import annotations

CAP = 0.85
"""The cap where one band has to do: bursts of up to seven errors on average."""
_CONTINUES = 0.98
_LONGEST = 0.97


class OutageWager:
    """Wealth = reserve + what rides on the burst that is going on."""

    __slots__ = ("_bet", "_cap", "_down", "_starts", "_up", "reserve", "riding")

    def __init__(self, share: float, cap: float = CAP) -> None:
        """cap: largest chance, under the null, that an error follows an error."""
        self._cap = cap
        self._bet = max(_CONTINUES, 1 - (1 - cap) / 20)
        self._up = self._down = 1.0
        self.reserve = share
        self.riding = 0.0
        self._starts = 0

    def start(self, usual: float = 0.0, extra: float = 0.0) -> None:
        """A start: the next stake rides.

        usual: how often errors went on in bursts that are over; it lifts the cap where bursts are long by nature.
        extra: money from elsewhere that rides along.
        """
        self.close()
        cap = min(_LONGEST, max(self._cap, usual))
        self._up, self._down = self._bet / cap, (1 - self._bet) / (1 - cap)
        self._starts += 1
        part = self.reserve / (self._starts + 1)
        self.reserve -= part
        self.riding = part + extra

    def goes_on(self, error: bool) -> None:
        """The next request after an error."""
        self.riding *= self._up if error else self._down
        if not error:
            self.close()

    def close(self) -> None:
        self.reserve += self.riding
        self.riding = 0.0

    @property
    def wealth(self) -> float:
        return self.reserve + self.riding
