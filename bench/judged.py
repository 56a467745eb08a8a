"""The judge's rows (bench.judge) as figures of the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bench.table import Figure, Part

RATIO_KNOWN_MAX, RATIO_SIDE_MAX = 1.35, 1.4
ALARMS_MAX = 1.0  # percent


def judged(rows: Sequence[Mapping[str, Any]]) -> Part:
    """Ours against the bounds, then others' rules against the same bounds; and the false alarms of all."""
    return Part("judge", tuple(one for row in rows for one in _figures(row)), detail=tuple(rows))


def _figures(row: Mapping[str, Any]) -> list[Figure]:
    ours = str(row["rule"]).startswith("ours")
    burst = "burst" in str(row["case"])
    goal = None if not ours or burst else RATIO_KNOWN_MAX if "known" in row["rule"] else RATIO_SIDE_MAX
    name, caught = f"{row['case']}, {row['rule']}", f"caught {100 * row['caught']:.1f}%"
    if row["bound"] is None:
        return [Figure(f"{name}: canary requests until caught", row["mean"], "", beside=caught)]
    beside = f"mean {row['mean']:,.0f} canary requests, bound {row['bound']:,.0f}; {caught}"
    found = [Figure(f"{name}: mean ÷ bound", row["ratio"], "×", goal, beside=beside)]
    if row["false_alarms"] is not None:
        alarms = round(100 * row["false_alarms"], 2)
        found.append(Figure(f"{name}: false alarms", alarms, "%", ALARMS_MAX if ours else None))
    return found
