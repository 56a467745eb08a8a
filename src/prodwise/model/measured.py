"""What a change did, as measured: the same figures before and after it, with the interval that their difference lies in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Minute:
    """One service's requests of one minute. at: its beginning, Unix seconds; slow: bucket of latency → requests (see `bucket`)."""

    at: float
    requests: int
    failed: int
    slow: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Figure:
    """before, after, and the difference's limits (95 %). unit: "share" (0…1) or "ms"."""

    name: str
    unit: str
    before: float
    after: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """more or less, where the interval leaves out zero; else "same": no difference was shown."""
        return "more" if self.low > 0 else "less" if self.high < 0 else "same"


@dataclass(frozen=True, slots=True)
class Measured:
    """figures are empty where `why_not` says why. at_once: users were on both at once, else one window came after the other.

    window_s: the length of each window; before, after: requests in them.
    """

    change: str
    service: str = ""
    figures: tuple[Figure, ...] = ()
    why_not: str = ""
    at_once: bool = False
    window_s: float = 0.0
    before: int = 0
    after: int = 0
    not_measured: tuple[str, ...] = ()  # figures that the data does not support, and why
    final: bool = False  # more of it will not come in

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Measured:
        figures = tuple(Figure(**one) for one in data["figures"])
        return cls(**{**data, "figures": figures, "not_measured": tuple(data["not_measured"])})
