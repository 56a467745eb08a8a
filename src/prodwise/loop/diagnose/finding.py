"""What speaks for or against a cause, and how findings add up to a hypothesis."""

from __future__ import annotations

from dataclasses import dataclass

from prodwise.loop.diagnose import weights as w
from prodwise.model.diagnosis import Cause, Hypothesis


@dataclass(frozen=True, slots=True)
class Finding:
    """weight > 0 speaks for, < 0 against; 0 is cited, and moves nothing; evidence: ids."""

    weight: float
    evidence: tuple[str, ...]


def hypothesis(
    cause: Cause, text: str, findings: list[Finding], subject: str = "", *, hearsay: bool = False
) -> Hypothesis:
    """The prior and the findings added up. Order does not matter: findings are summed sorted."""
    weights = sorted(finding.weight for finding in findings)
    supports = {one for finding in findings if finding.weight >= 0 for one in finding.evidence}
    contradicts = {one for finding in findings if finding.weight < 0 for one in finding.evidence}
    total = round(w.PRIOR[cause] + sum(weights), 6)
    total = min(total, w.HEARSAY_MAX) if hearsay else total
    against = tuple(sorted(contradicts - supports))
    return Hypothesis(cause, text, total, tuple(sorted(supports)), against, subject, hearsay=hearsay)
