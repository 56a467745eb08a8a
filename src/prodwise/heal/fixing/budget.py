"""How long a repair may take, and how long each of its parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from prodwise.clock import monotonic
from prodwise.model.errors import ProdwiseError
from prodwise.ports.repair import Limits

LEAST_S: Final = 0.5


class BudgetOver(ProdwiseError):
    """The time for this repair is over."""

    code, exit_code = "budget", 124


@dataclass
class Budget:
    seconds: float
    clock: Callable[[], float] = monotonic

    def __post_init__(self) -> None:
        self.began = self.clock()

    @property
    def spent(self) -> float:
        return self.clock() - self.began

    @property
    def left(self) -> float:
        return self.seconds - self.spent

    def limits(self, most: float, output: int = 200_000) -> Limits:
        """For one run of at most so many seconds. Raises BudgetOver when there is no time for it."""
        left = self.left
        if left < LEAST_S:
            raise BudgetOver(f"{self.seconds:.0f} s are over", "give it more with --budget")
        seconds = min(most, left)
        return Limits(seconds=seconds, cpu_s=seconds + 1, output=output)
