"""What a person is told first of a release that goes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def headline(release: str, numbers: Mapping[str, Any]) -> str:
    """One line for a person about a release that goes back. numbers: as the judges sum them up, per service."""
    rows = [row for one in numbers.values() for row in one.get("routes", ()) if _broken(row)]
    if not rows:
        return f"Release {release} is worse than the one before"
    worst = max(rows, key=lambda row: (row["canary_errors"] / row["canary_n"], row["canary_errors"]))
    others = f" (and {len(rows) - 1} more)" if len(rows) > 1 else ""
    return (
        f"{worst['route']}{others} fails on release {release}: {worst['canary_errors']} of {worst['canary_n']} requests"
    )


def _broken(row: Mapping[str, Any]) -> bool:
    """Whether a route's errors on the new release stand out from those on stable."""
    usual = row["stable_errors"] / row["stable_n"] if row["stable_n"] else 0.0
    return bool(row["canary_errors"] >= 2 and row["canary_errors"] / row["canary_n"] >= 3 * usual)
