"""A release that stops answering: found in a dozen requests, also when it begins in the middle of a ramp.

An outage has one *start* only, so tests of starts are blind to it. This one bets, anew at each start, that errors now
follow on errors (chance 0.98) against a cap of 0.85 on that chance (bursts of up to seven on average). Each start gets a
part of the reserve: 1/(j·(j+1)) of it, which sums to one, so that there is always something left to bet with.
"""

from __future__ import annotations

CONTINUES = 0.98
CAP = 0.85
_LONGEST = 0.97


class OutageWager:
    """Wealth = reserve + what rides on the burst that is going on. Sides of a start are left to the caller."""

    __slots__ = ("_cap", "_down", "_starts", "_unspent", "_up", "reserve", "riding")

    def __init__(self, share: float, cap: float = CAP) -> None:
        """cap: largest chance, under the null, that an error follows an error."""
        self._cap = cap
        self._up = self._down = 1.0
        self._unspent = share  # what the fractions refer to
        self.reserve = share
        self.riding = 0.0
        self._starts = 0

    def start(self, factor: float = 1.0, usual: float = 0.0) -> None:
        """A start: the next stake rides, multiplied by the start's own fair `factor` (mean at most 1 under the null).

        usual: how often errors went on in bursts that are over; it lifts the cap where bursts are long by nature.
        """
        self.close()
        cap = min(_LONGEST, max(self._cap, usual))
        self._up, self._down = CONTINUES / cap, (1 - CONTINUES) / (1 - cap)
        self._starts += 1
        part = min(self._unspent / (self._starts * (self._starts + 1)), self.reserve)
        self.reserve -= part
        self.riding = part * factor

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
