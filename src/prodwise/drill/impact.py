"""What a fault did to users: when it began to hurt, and when it was over. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from prodwise.drill.traffic.records import Sent

NEAR_S = 1.0  # requests this close belong together
AFTERMATH_S = 2.0  # a bad request this soon after the injection is its doing, even alone
SLOW_MS_MIN = 500.0
SLOW_TIMES_P95 = 5.0
USUAL_MIN = 20  # requests before the fault from which "usual" can be told


@dataclass(frozen=True, slots=True)
class Usual:
    """The app before the fault. failed: share of requests; slow_ms: what is slower than this is as bad as an error."""

    failed: float
    slow_ms: float


@dataclass(frozen=True, slots=True)
class Impact:
    """Unix seconds; onset: the first bad request of a burst, None when users noticed nothing; recovered: the end of the
    first good answer to a request sent after the last bad one, None while there is none yet."""

    onset: float | None
    recovered: float | None
    bad: int


def usual(before: Sequence[Sent]) -> Usual:
    """From the requests before the fault; with fewer than 20, no failure and 0.5 s are assumed."""
    if len(before) < USUAL_MIN:
        return Usual(0.0, SLOW_MS_MIN)
    times = sorted(one.ms for one in before)
    failed = sum(one.failed for one in before) / len(before)
    return Usual(failed, max(SLOW_MS_MIN, SLOW_TIMES_P95 * times[int(len(times) * 0.95)]))


def measure(
    requests: Sequence[Sent], since: float, rollout: bool = False, until: float = inf, well_until: float = inf
) -> Impact:
    """What happened to requests that ended after `since` and were sent before `until`, judged against those that ended before
    `since` and `well_until`. Times are Unix seconds.

    1. A request is bad when it failed, or took much longer than usual.
    2. Single bad requests happen to any app: only bursts count (at least three within a second either way and a share
       well above the usual one, or half of what there was), and whatever goes wrong right after the injection. During a
       rollout few users meet the new release, so there every failure counts if the app had none before; one slow answer
       right after the deploy does not, as nothing of the release serves yet.
    3. The impact is over when a request sent after the last bad one of a burst was answered well.
    """
    before = [one for one in requests if one.ended < min(since, well_until)]
    after = sorted((one for one in requests if one.ended >= since and one.at < until), key=lambda one: one.at)
    standard = usual(before)
    starts = [one.at for one in after]
    bad = [one.at for one in after if _bad(one, standard)]
    clean = standard.failed == 0
    failed = {one.at for one in after if one.failed and rollout and clean}
    struck = since + AFTERMATH_S if clean and not rollout else since
    burst = [at for at in bad if at in failed or at < struck or _bursts(at, bad, starts, standard)]
    last = max(since, burst[-1]) if burst else since
    good = [one.ended for one in after if one.at > last and not _bad(one, standard)]
    return Impact(burst[0] if burst else None, min(good) if good else None, len(burst))


def _bad(one: Sent, standard: Usual) -> bool:
    return one.failed or one.ms > standard.slow_ms


def _bursts(at: float, bad: Sequence[float], starts: Sequence[float], standard: Usual) -> bool:
    count, near = _within(bad, at), _within(starts, at)
    share = count / near
    return share >= 0.5 or (count >= 3 and share >= max(0.04, 3 * standard.failed))


def _within(times: Sequence[float], at: float) -> int:
    return bisect_right(times, at + NEAR_S) - bisect_left(times, at - NEAR_S)
