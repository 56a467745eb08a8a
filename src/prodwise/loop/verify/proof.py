"""Before, during and after, as one stored fact."""

from __future__ import annotations

from collections.abc import Mapping

from prodwise.model.evidence import Evidence

KIND = "proof"


def proof_of(service: str, counts: Mapping[str, tuple[int, int]], acted: float, at: float) -> Evidence:
    """counts: (requests, failed) `before` the onset, `during` it, and `after` (from `acted` on, Unix seconds)."""
    told = ", ".join(f"{name} {failed:,} of {n:,} failed" for name, (n, failed) in counts.items())
    data = {name: {"requests": n, "failed": failed} for name, (n, failed) in counts.items()}
    return Evidence(KIND, "proxy", acted, at, f"{service}: {told}", {"service": service, "acted_at": acted, **data})
