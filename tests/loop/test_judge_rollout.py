"""A rollout, stage by stage: good releases go through, bad ones are stopped, no evidence holds."""

from __future__ import annotations

import json
from random import Random

import pytest

from prodwise.loop.detect.baseline import RouteBaseline
from prodwise.loop.watch.rollout import RolloutJudge
from prodwise.model.gate import GateResult, Verdict, worst
from prodwise.model.rollout import DEFAULT_RAMP
from tests.loop.traffic import pick_route, request

FIRST, LAST = DEFAULT_RAMP[0], DEFAULT_RAMP[-1]


def failing(results: tuple[GateResult, ...]) -> set[str]:
    return {r.gate for r in results if r.verdict is Verdict.FAIL}


def play(
    seed: int,
    stable: float = 0.005,
    canary: float = 0.005,
    broken: str = "",
    ms: float = 0.0,
    routes: int = 10,
    users: int = 0,
    lost: bool = False,
    limit: int = 40_000,
) -> tuple[Verdict, int, set[str]]:
    """Ramp as fast as the judge allows. Returns the verdict, the canary's requests, and the gates that failed."""
    rng, judge, stage, served = Random(seed), RolloutJudge(0.01, 2.0), 0, 0
    for n in range(limit):
        share = DEFAULT_RAMP[stage].share
        lane = str(rng.randrange(users)) if users else str(n)
        on_canary = Random(f"{seed}/{lane}").random() < share
        route = pick_route(rng, routes)
        served += on_canary
        if on_canary and lost:
            continue
        ok = rng.random() > (canary if on_canary else stable) and not (on_canary and route == broken)
        slow = ms if on_canary else 0.0
        judge.observe(request(n, route, ok, rng.lognormvariate(3, 0.5) + slow, lane, on_canary, share))
        if n % 20 == 0:
            results = judge.verdict(DEFAULT_RAMP[stage])
            verdict = worst(results)
            if verdict is Verdict.FAIL:
                return verdict, served, failing(results)
            if verdict is Verdict.PASS:
                stage += 1
                if stage == len(DEFAULT_RAMP):
                    return verdict, served, set()
    return Verdict.HOLD, served, set()


@pytest.mark.parametrize("errors", [0.0, 0.002, 0.01, 0.05])
def test_good_release_goes_through(errors: float) -> None:
    verdicts = [play(s, errors, errors)[0] for s in range(25)]
    assert verdicts.count(Verdict.PASS) >= 24
    assert verdicts.count(Verdict.FAIL) <= 1


@pytest.mark.parametrize(("errors", "within"), [(1.0, 20), (0.3, 60), (0.1, 300)])
def test_bad_release_is_stopped(errors: float, within: int) -> None:
    ends = [play(s, canary=errors) for s in range(8)]
    assert all(verdict is Verdict.FAIL for verdict, _, _ in ends)
    assert sum(n for _, n, _ in ends) / len(ends) <= within


@pytest.mark.parametrize("route", ["GET /r5", "GET /r30"])
def test_one_broken_route_of_fifty_is_seen(route: str) -> None:
    """A busy one (4 % of the requests) and a rare one (1 %), which a lucky ramp may pass by; it is named."""
    ends = [play(s, 0.001, 0.001, broken=route, routes=50) for s in range(20)]
    assert sum(verdict is Verdict.FAIL for verdict, _, _ in ends) >= 18
    assert sum("routes" in gates for _, _, gates in ends) >= 12  # the whole service may fail first


def test_a_route_that_always_fails_often_is_no_news() -> None:
    """One route fails 15 % of the time, on both."""
    for seed in range(25):
        rng, judge = Random(seed), RolloutJudge(0.01, 2.0)
        for n in range(2500):
            share = (0.05, 0.25, 0.5, 0.5, 1.0)[n // 500]
            route = pick_route(rng, 10)
            ok = rng.random() > (0.15 if route == "GET /r3" else 0.001)
            judge.observe(request(n, route, ok, rng.lognormvariate(3, 0.5), canary=rng.random() < share, share=share))
        assert not failing(judge.verdict(FIRST))


def test_slower_release_is_stopped() -> None:
    ends = [play(s, ms=300.0) for s in range(6)]
    assert all(verdict is Verdict.FAIL and gates == {"latency"} for verdict, _, gates in ends)


@pytest.mark.parametrize("ms", [0.5, 3.0])
def test_what_nobody_feels_is_not_slower(ms: float) -> None:
    """On pages that take about a millisecond: a busy machine alone does that."""
    for seed in range(6):
        rng, judge = Random(seed), RolloutJudge(0.01, 2.0)
        for n in range(4000):
            canary = rng.random() < 0.5
            taken = rng.lognormvariate(-0.3, 0.2) + (ms if canary else 0.0)
            judge.observe(request(n, "GET /", True, taken, str(n), canary, 0.5))
        assert worst(judge.verdict(DEFAULT_RAMP[2])) is Verdict.PASS


@pytest.mark.parametrize(("stable", "usual"), [(60, None), (20, 0), (0, 2)])
@pytest.mark.parametrize(("errors", "fails"), [(0.22, True), (0.001, False)])
def test_once_everybody_is_on_it_little_of_stable_is_no_reason_to_judge_nothing(
    stable: int, usual: int | None, errors: float, fails: bool
) -> None:
    """However quick the ramp was: what was usual before counts as well, where it is known."""
    known = None if usual is None else RouteBaseline("", 2000, usual, usual)
    for seed in range(5):
        rng, judge = Random(seed), RolloutJudge(0.01, 2.0, usual=known)
        for n in range(stable):
            judge.observe(request(n, canary=False, share=0.01))
        for n in range(stable, stable + 600):
            judge.observe(request(n, "GET /", rng.random() > errors, 5.0, str(n), True, 1.0))
        assert (failing(judge.verdict(LAST)) == {"errors"}) is fails, judge.verdict(LAST)


def test_requests_that_never_come_back_are_missed() -> None:
    """The canary swallows its users: nothing of it is logged."""
    verdict, _, gates = play(1, lost=True)
    assert verdict is Verdict.FAIL
    assert gates == {"traffic"}


def test_answers_of_the_other_release_count_against_the_canary() -> None:
    judge = RolloutJudge(0.01, 2.0)
    for n in range(400):
        on_canary = n % 10 == 0
        judge.observe(request(n, canary=on_canary, share=0.1, fell_over=on_canary))
    assert Verdict.FAIL is worst(judge.verdict(FIRST))
    assert judge.summary()["fell_over"] == 40


def test_one_user_with_a_broken_account_is_one_error() -> None:
    """Two hundred errors, one lane: not two hundred proofs."""
    rng, judge = Random(2), RolloutJudge(0.01, 2.0)
    for n in range(4000):
        unlucky = n % 20 == 0
        on_canary = unlucky or rng.random() < 0.05
        lane = "unlucky" if unlucky else str(n)
        judge.observe(
            request(n, ok=not unlucky, lane=lane, canary=on_canary, share=0.05, ms=rng.lognormvariate(3, 0.5))
        )
    assert not failing(judge.verdict(FIRST))


def test_a_failure_of_both_is_no_news_of_the_canary() -> None:
    for seed in range(20):
        rng, judge = Random(seed), RolloutJudge(0.01, 2.0)
        for n in range(3000):
            share = 0.25 if n < 1500 else 0.5
            down = 1700 < n < 1900
            judge.observe(
                request(n, ok=not down, canary=rng.random() < share, share=share, ms=rng.lognormvariate(3, 0.5))
            )
        assert not failing(judge.verdict(FIRST))


def test_no_evidence_holds_and_says_what_is_missing() -> None:
    judge = RolloutJudge(0.01, 2.0)
    results = judge.verdict(FIRST)
    assert {r.verdict for r in results} == {Verdict.HOLD}
    judge.observe(request(1, canary=True, share=0.05))
    exposure = next(r for r in judge.verdict(LAST) if r.gate == "exposure")
    assert exposure.verdict is Verdict.HOLD
    assert "needed" in exposure.reason


def test_replays_are_evidence_too() -> None:
    good, bad = RolloutJudge(0.01, 2.0), RolloutJudge(0.01, 2.0)
    for n in range(120):
        route = f"GET /r{n % 4}"
        good.observe_pair(route, True, True, 20.0 + n % 9, 20.0 + (n * 7) % 9)
        bad.observe_pair(route, True, n % 4 != 1)
    assert worst(good.verdict(FIRST)) is Verdict.PASS
    assert "replay" in failing(bad.verdict(FIRST))
    both = RolloutJudge(0.01, 2.0)
    for _ in range(100):
        both.observe_pair("GET /r", False, False)
    assert worst(both.verdict(FIRST)) is Verdict.HOLD


def test_memory_is_bounded_and_the_summary_is_json() -> None:
    judge = RolloutJudge(0.01, 2.0, max_routes=20)
    for n in range(30_000):
        judge.observe(request(n, f"GET /x{n % 500}", lane=f"lane-{n}", canary=n % 4 == 0, share=0.25))
    summary = json.loads(json.dumps(judge.summary(), allow_nan=False))
    assert len(judge._lanes) <= 20_000
    assert len(judge._routes) == 20
    assert summary["arms"]["canary"]["n"] == 7500
    assert summary["arms"]["stable"]["p95_ms"] == 30.0


@pytest.mark.full
@pytest.mark.timeout(600)
@pytest.mark.parametrize("errors", [0.002, 0.01, 0.05])
def test_good_release_goes_through_many_times(errors: float) -> None:
    verdicts = [play(s, errors, errors)[0] for s in range(400)]
    assert verdicts.count(Verdict.FAIL) <= 4 + 6
