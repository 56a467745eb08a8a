"""How much Prodwise may do by itself. Teams adopt it in stages; only a person raises the stage."""

from __future__ import annotations

from enum import StrEnum


class Autonomy(StrEnum):
    """In rising order. A deploy's own way back (an unverified release returns to the stable one) is part of every stage."""

    OBSERVE = "observe"  # detect, diagnose, tell; a person rolls back with one click
    SUGGEST = "suggest"  # also propose a plan, and carry it out once a person approves
    AUTO = "auto"  # also carry out low-risk plans (T1, T2) whose gates pass, within budgets

    @property
    def rank(self) -> int:
        return list(Autonomy).index(self)

    def capped(self, ceiling: Autonomy) -> Autonomy:
        """The lower of the two: a repository's own config can lower autonomy, never raise it."""
        return self if self.rank <= ceiling.rank else ceiling
