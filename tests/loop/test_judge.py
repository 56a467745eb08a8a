"""A/A streams are not refused more often than alpha at any horizon; bad ones are caught about as fast as can be."""

from __future__ import annotations

from math import log, sqrt
from random import Random

import pytest

from prodwise.loop.watch.stream import Outcome, StreamJudge
from prodwise.model.gate import Verdict
from tests.loop.streams import Bursts, judge_known, judge_two

ALPHA = 0.01


def allowed(runs: int) -> float:
    """alpha, and three standard deviations of the count."""
    return runs * ALPHA + 3 * sqrt(runs * ALPHA * (1 - ALPHA))


def wald(p0: float, p1: float) -> float:
    """Fewest requests that can tell p1 from p0 at 1 % false alarms and 95 % power (Wald 1945)."""

    def kl(a: float, b: float) -> float:
        return a * log(a / b) + (1 - a) * log((1 - a) / (1 - b))

    return kl(0.95, 0.01) / kl(p1, p0)


@pytest.mark.parametrize(
    ("p", "burst"), [(0.01, 1), (0.001, 1), (0.01, 5), (0.03, 5), (0.05, 1), (0.01, 20), (0.03, 20)]
)
def test_good_release_against_known_baseline(p: float, burst: float) -> None:
    failed = [judge_known(s, p, p, 3000, burst).verdict is Verdict.FAIL for s in range(150)]
    assert sum(failed) <= allowed(150)


@pytest.mark.parametrize("share", [0.5, 0.05])
@pytest.mark.parametrize("bursts", [(1, 1), (5, 5), (20, 20), (1, 20)])
@pytest.mark.parametrize("every", [False, True])
def test_good_release_side_by_side(share: float, bursts: tuple[float, float], every: bool) -> None:
    failed = [judge_two(s, lambda c, t: 0.02, 3000, share, bursts, every).verdict is Verdict.FAIL for s in range(120)]
    assert sum(failed) <= allowed(120)


@pytest.mark.parametrize("share", [0.5, 0.05])
@pytest.mark.parametrize("burst", [5, 20])
def test_bursts_that_both_share_are_no_news(share: float, burst: float) -> None:
    failed = 0
    for seed in range(100):
        rng, judge = Random(seed), StreamJudge(ALPHA, None, 2.0)
        errors = Bursts(rng, burst)
        seen = (judge.observe(Outcome(rng.random() < share, errors.ok(0.02))) for _ in range(3000))
        failed += next((j.verdict is Verdict.FAIL for j in seen if j is not None), False)
    assert failed <= allowed(100)


@pytest.mark.parametrize("share", [0.5, 0.05])
@pytest.mark.parametrize("shape", ["slow", "step", "waves"])
def test_drift_of_both_arms_is_no_news(share: float, shape: str) -> None:
    def rate(canary: bool, t: int) -> float:
        if shape == "slow":
            return 0.005 * (1 + 5 * t / 4000)
        return (0.005 if t < 2000 else 0.05) if shape == "step" else (0.002 if t // 500 % 2 else 0.05)

    failed = [judge_two(s, rate, 4000, share).verdict is Verdict.FAIL for s in range(100)]
    assert sum(failed) <= allowed(100)


def test_a_ramp_of_the_share_is_no_news() -> None:
    """5 → 25 → 50 % without anyone saying so."""
    failed = 0
    for seed in range(100):
        rng, judge = Random(seed), StreamJudge(ALPHA, None, 2.0)
        for t in range(3000):
            share = (0.05, 0.25, 0.5)[t // 1000]
            judged = judge.observe(Outcome(rng.random() < share, rng.random() > 0.03))
            if judged is not None:
                failed += judged.verdict is Verdict.FAIL
                break
    assert failed <= allowed(100)


@pytest.mark.parametrize(("p0", "p1"), [(0.01, 0.05), (0.005, 0.02), (0.02, 0.06), (0.002, 0.01)])
def test_caught_near_the_limit(p0: float, p1: float) -> None:
    caught = [judge_known(s, p0, p1, 20_000) for s in range(400)]
    assert sum(c.verdict is Verdict.FAIL for c in caught) >= 0.97 * len(caught)
    assert sum(c.n_canary for c in caught) / len(caught) <= 1.5 * wald(p0, p1)


@pytest.mark.parametrize(("share", "bound"), [(0.5, 279), (0.05, 111)])
def test_caught_near_the_limit_side_by_side(share: float, bound: float) -> None:
    caught = [judge_two(s, lambda c, t: 0.05 if c else 0.01, 30_000, share) for s in range(150)]
    assert sum(c.verdict is Verdict.FAIL for c in caught) >= 0.97 * len(caught)
    assert sum(c.n_canary for c in caught) / len(caught) <= 1.6 * bound


@pytest.mark.parametrize("burst", [5, 20])
def test_bursty_bad_canary_is_found(burst: float) -> None:
    """Slowly: side by side a canary of equal error share, in long bursts, must not be taken for it."""
    known = [judge_known(s, 0.01, 0.05, 30_000, burst).verdict for s in range(40)]
    beside = [judge_two(s, lambda c, t: 0.05 if c else 0.01, 60_000, 0.5, (1, burst)).verdict for s in range(20)]
    assert known.count(Verdict.FAIL) >= 32
    assert beside.count(Verdict.FAIL) >= 17


@pytest.mark.parametrize("begins", [0, 300])
@pytest.mark.parametrize("baseline", [0.01, None])
def test_outage_is_found_whenever_it_begins(begins: int, baseline: float | None) -> None:
    """From the first request or in the middle. Before any error was seen it might be one burst of 20 on average."""
    took = []
    for seed in range(20):
        rng, judge = Random(seed), StreamJudge(ALPHA, baseline, 2.0)
        seen, judged = 0, None
        for _ in range(8000):
            canary = rng.random() < 0.25
            down = canary and seen >= begins
            seen += canary
            judged = judge.observe(Outcome(canary, not down and rng.random() > 0.01))
            if judged is not None:
                break
        assert judged is not None
        assert judged.verdict is Verdict.FAIL
        took.append(judged.n_canary - begins)
    assert max(took) <= 160
    assert sum(took) / len(took) <= (20 if baseline and not begins else 125)


def quick(rng: Random, canary: bool) -> float:
    return rng.lognormvariate(4, 0.5)


@pytest.mark.parametrize(("extra", "part", "within"), [(350, 1.0, 120), (350, 0.34, 250), (40, 1.0, 900)])
@pytest.mark.parametrize("share", [0.5, 0.05])
def test_slower_canary_is_found(extra: float, part: float, within: int, share: float) -> None:
    def slow(rng: Random, canary: bool) -> float:
        return quick(rng, canary) + (extra if canary and rng.random() < part else 0)

    caught = [judge_two(s, lambda c, t: 0.001, 40_000, share, ms=slow) for s in range(12)]
    assert all(c.verdict is Verdict.FAIL and "latency" in c.reason for c in caught)
    assert sum(c.n_canary for c in caught) / len(caught) <= within


def test_equal_latency_is_not_refused() -> None:
    failed = [judge_two(s, lambda c, t: 0.002, 2500, 0.3, ms=quick).verdict is Verdict.FAIL for s in range(100)]
    assert sum(failed) <= allowed(100)


def test_passing_needs_evidence() -> None:
    """A good canary passes in the end; one at the border (twice the baseline) hardly ever does; no evidence holds."""
    good = [judge_known(s, 0.01, 0.008, 20_000).verdict for s in range(60)]
    border = [judge_known(s, 0.01, 0.02, 20_000).verdict for s in range(150)]
    assert good.count(Verdict.PASS) >= 57
    assert border.count(Verdict.PASS) <= allowed(150)
    assert judge_known(1, 0.01, 0.0, 200).verdict is Verdict.HOLD
    assert StreamJudge(ALPHA, None, 2.0).end().verdict is Verdict.HOLD


def test_good_release_passes_side_by_side() -> None:
    verdicts = [judge_two(s, lambda c, t: 0.02, 12_000, 0.5).verdict for s in range(30)]
    assert verdicts.count(Verdict.PASS) >= 26


@pytest.mark.full
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("p", "burst"), [(0.01, 1), (0.001, 1), (0.02, 5), (0.01, 20), (0.03, 20)])
def test_good_release_many_times(p: float, burst: float) -> None:
    failed = [judge_known(s, p, p, 6000, burst).verdict is Verdict.FAIL for s in range(2000)]
    assert sum(failed) <= allowed(2000)


@pytest.mark.full
@pytest.mark.timeout(600)
@pytest.mark.parametrize("share", [0.5, 0.05])
@pytest.mark.parametrize("bursts", [(1, 1), (20, 20), (1, 20)])
def test_good_release_side_by_side_many_times(share: float, bursts: tuple[float, float]) -> None:
    failed = [judge_two(s, lambda c, t: 0.02, 6000, share, bursts).verdict is Verdict.FAIL for s in range(1500)]
    assert sum(failed) <= allowed(1500)
