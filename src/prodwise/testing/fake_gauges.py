"""What processes and the machine use up, as a test says."""

from __future__ import annotations

from dataclasses import dataclass, field

from prodwise.ports.gauges import Machine


@dataclass
class FakeGauges:
    """Implements Gauges. shares: pid → share of its files."""

    now: Machine = field(default_factory=Machine)
    shares: dict[int, float] = field(default_factory=dict)

    def machine(self) -> Machine:
        return self.now

    def files_share(self, pid: int) -> float | None:
        return self.shares.get(pid)
