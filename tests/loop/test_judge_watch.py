"""After 100 %: the new release against the last good one's counts."""

from __future__ import annotations

from random import Random

import pytest

from prodwise.loop.detect.baseline import Baseline, BaselineBuilder, RouteBaseline
from prodwise.loop.watch.after import WatchJudge
from prodwise.model.gate import Verdict, worst
from tests.loop.traffic import pick_route, request, steady


def usual(errors: float = 0.002, seconds: float = 200, burst: float = 1.0) -> Baseline:
    builder = BaselineBuilder("web")
    for seen in steady(7, seconds, lambda t: 20, lambda t, r: errors, burst=burst):
        builder.observe(seen)
    return builder.build()


def watch(
    seed: int, base: Baseline, errors: float, broken: str = "", begins: int = 0, slower: float = 1.0, n: int = 4000
) -> tuple[Verdict, int]:
    rng, judge = Random(seed), WatchJudge(base, 0.01)
    for i in range(n):
        route = pick_route(rng, 10)
        late = i >= begins
        ok = rng.random() > (errors if late else 0.002) and not (late and route == broken)
        judge.observe(request(i, route, ok, rng.lognormvariate(3.5, 0.5) * (slower if late else 1)))
        if i % 20 == 19 and worst(judge.verdict()) is Verdict.FAIL:
            return Verdict.FAIL, i + 1 - begins
    return worst(judge.verdict()), n


@pytest.mark.parametrize("errors", [0.0, 0.002, 0.02])
def test_good_release_is_verified(errors: float) -> None:
    base = usual(errors)
    verdicts = [watch(s, base, errors)[0] for s in range(20)]
    assert verdicts.count(Verdict.PASS) >= 19


@pytest.mark.parametrize("begins", [0, 1500])
@pytest.mark.parametrize(("errors", "within"), [(1.0, 90), (0.2, 100), (0.05, 500)])
def test_bad_release_is_found_whenever_it_shows(errors: float, within: int, begins: int) -> None:
    base = usual()
    ends = [watch(s, base, errors, begins=begins, n=8000) for s in range(6)]
    assert all(verdict is Verdict.FAIL for verdict, _ in ends)
    assert sum(n for _, n in ends) / len(ends) <= within


def test_one_broken_route_is_found() -> None:
    verdict, n = watch(3, usual(), 0.002, broken="GET /r4", begins=500)
    assert verdict is Verdict.FAIL
    assert n <= 600


def test_slower_release_is_found() -> None:
    verdict, n = watch(3, usual(), 0.002, slower=10.0)
    assert verdict is Verdict.FAIL
    assert n <= 200


def test_little_traffic_holds() -> None:
    assert watch(1, usual(), 0.0, n=40)[0] is Verdict.HOLD
    assert worst(WatchJudge(usual(), 0.01).verdict()) is Verdict.HOLD


def test_a_thin_baseline_makes_it_slower_never_quicker() -> None:
    thin, thick = usual(seconds=10), usual(seconds=400)
    assert thin.whole.upper() > thick.whole.upper()
    assert watch(1, Baseline("web", RouteBaseline("")), 0.002, n=4000)[0] is not Verdict.FAIL


def test_baseline_survives_storage_and_merges() -> None:
    base = usual()
    assert Baseline.from_json(base.to_json()) == base
    both = base.merge(base)
    assert both.whole.n == 2 * base.whole.n
    assert both.whole.p95 == pytest.approx(base.whole.p95)
    assert [r.route for r in both.routes] == [r.route for r in base.routes]
    with pytest.raises(ValueError, match="version 9"):
        Baseline.from_json({**base.to_json(), "version": 9})
    with pytest.raises(ValueError, match="cannot be merged"):
        base.merge(Baseline("other", base.whole))


def test_errors_in_bursts_make_the_baseline_more_careful() -> None:
    alone, bursts = RouteBaseline("", 10_000, 100, 100), RouteBaseline("", 10_000, 100, 20)
    assert alone.upper() < bursts.upper() < 0.05
