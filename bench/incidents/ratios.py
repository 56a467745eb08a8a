"""What it is worth that a certificate ended, is valid, or that a release changed other services only: counted in drawn incidents."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bench.incidents.world import Drawn
from prodwise.loop.diagnose import readings as read
from prodwise.loop.diagnose import validity
from prodwise.loop.diagnose import weights as w
from prodwise.loop.diagnose.case import Case
from prodwise.loop.diagnose.causes import released
from prodwise.loop.diagnose.sorts import Sort, about_token
from prodwise.model.diagnosis import BY_RELEASE, Cause

JUST, LATELY = w.CERTIFICATE_OVER
WEIGHTS = {
    "changed elsewhere": w.CHANGED_ELSEWHERE,
    "certificate over within the hour": JUST[1],
    "certificate over within the day": LATELY[1],
    "certificate due": w.CERTIFICATE_DUE,
    "certificates valid": w.CERTIFICATES_VALID,
    "certificate explains": w.CERTIFICATE_EXPLAINS,
}


@dataclass(frozen=True)
class Ratio:
    """right, wrong: how often the finding stands where its hypothesis is right, and where it is wrong, and of how many."""

    name: str
    weight: float
    right: int
    of_right: int
    wrong: int
    of_wrong: int

    @property
    def interval(self) -> tuple[float, float]:
        """95 %, of the logarithm of the ratio of both shares, with half a case added to each."""
        there, elsewhere = self.right + 0.5, self.wrong + 0.5
        middle = math.log(there / (self.of_right + 1) / (elsewhere / (self.of_wrong + 1)))
        half = 1.96 * math.sqrt(1 / there - 1 / (self.of_right + 1) + 1 / elsewhere - 1 / (self.of_wrong + 1))
        return middle - half, middle + half

    @property
    def borne_out(self) -> bool:
        """Whether the weight claims no more than can be told. Less is caution: what is drawn knows of no coincidence but its own."""
        low, high = self.interval
        return self.weight <= high if self.weight > 0 else self.weight >= low

    def told(self) -> str:
        low, high = self.interval
        counted = f"{self.right} of {self.of_right:,} right, {self.wrong} of {self.of_wrong:,} wrong"
        return f"drawn: {(low + high) / 2:+.1f} ± {(high - low) / 2:.1f} ({counted})"


def ratios(some: Iterable[Drawn]) -> list[Ratio]:
    counts: Counter[tuple[str, bool, bool]] = Counter()
    for drawn in some:
        counts.update(_found(drawn))

    def of(name: str) -> Ratio:
        there, without = ([counts[name, stands, right] for right in (True, False)] for stands in (True, False))
        return Ratio(name, WEIGHTS[name], there[0], there[0] + without[0], there[1], there[1] + without[1])

    return [of(name) for name in WEIGHTS]


def _found(drawn: Drawn) -> Iterator[tuple[str, bool, bool]]:
    """(finding, whether it stands, whether the hypothesis that it speaks for or against is right)."""
    case, certificate = drawn.case, drawn.cause is Cause.CERTIFICATE
    heaviest = max((its for _, its in validity.refused(case)), default=0.0)
    yield "certificate over within the hour", heaviest == JUST[1], certificate
    yield "certificate over within the day", heaviest == LATELY[1], certificate
    yield "certificate due", not heaviest and bool(validity.due(case)), certificate
    if not heaviest and not validity.due(case) and _of_certificates(case):
        found = [one for one in validity.certificate(case) if one.cause is Cause.CERTIFICATE]
        yield "certificates valid", any(one.contradicts for one in found), certificate
    for one in released(case):
        if one.cause is Cause.RELEASE:
            right = drawn.cause in BY_RELEASE and one.subject == drawn.subject
            cited = {each for fact in case.touched for each in read.ids(case, fact)}
            yield "changed elsewhere", bool(cited & {*one.contradicts}), right
            yield "certificate explains", heaviest == JUST[1], right


def _of_certificates(case: Case) -> bool:
    told = read.told_of(case, Sort.CERTIFICATE)
    return bool(told) and not any(about_token(one.title) for one in told)
