"""How many canary requests it takes to catch a bad release, against the theoretical limits and published rules.

Everything is simulated in the same run, from fixed seeds: α = 1 % false alarms at any horizon, 95 % power.
Published rules are written from their documentation:

* z-test with peeking: two proportions, |z| > 2.576, looked at every 100 requests per arm.
* mSPRT: normal mixture on the difference of means (Johari, Pekelis & Walsh 2015), τ² = (p0)², looked at every 10.
* Kayenta: Mann–Whitney on 50 points a side (each the error count of 200 requests), 98 % confidence, and a
  step beyond ±25 % (Netflix's judge); one run after the points are in, repeated until it says "high".
* Flagger's docs: success ≥ 99 % over the last interval (here 1,000 requests), five failed checks to roll back.
* Argo Rollouts' docs: success ≥ 95 % over an interval (1,000 requests), three failures allowed.

`python -m bench.judge [--quick] [--json FILE]`
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from math import exp, log, sqrt
from pathlib import Path
from random import Random

from prodwise.loop.watch.stream import Outcome, StreamJudge
from prodwise.model.gate import Verdict

ALPHA, POWER = 0.01, 0.95
CASES = ((0.01, 0.05), (0.01, 0.02), (0.001, 0.01), (0.005, 0.02), (0.02, 0.06), (0.002, 0.01))
Draw = Callable[[], bool]
Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Tally:
    """caught: share of runs that ended in "fail"; mean: canary requests until then, in the runs that did."""

    caught: float
    mean: float


def kl(a: float, b: float) -> float:
    return a * log(a / b) + (1 - a) * log((1 - a) / (1 - b))


def wald_bound(p0: float, p1: float) -> float:
    """Wald 1945: fewest requests for a known baseline."""
    return kl(POWER, ALPHA) / kl(p1, p0)


def two_sample_bound(p0: float, p1: float, share: float) -> float:
    """Canary requests: the best common rate is the hardest null."""
    stable = (1 - share) / share
    least = min(kl(p1, q) + stable * kl(p0, q) for q in (p0 + (p1 - p0) * i / 4000 for i in range(1, 4000)))
    return kl(POWER, ALPHA) / least


class Errors:
    """A stream of errors with long-run share p, `burst` errors in a row on average."""

    def __init__(self, rng: Random, p: float, burst: float = 1.0) -> None:
        self.rng, self.p, self.bad = rng, p, False
        self.goes_on = 1 - 1 / burst
        self.begins = p * (1 - self.goes_on) / (1 - p) if burst > 1 else p
        self.lasts = self.goes_on if burst > 1 else p

    def __call__(self) -> bool:
        self.bad = self.rng.random() < (self.lasts if self.bad else self.begins)
        return self.bad


def ours_known(seed: int, p0: float, p1: float, horizon: int, burst: float = 1.0) -> int | None:
    """Canary requests until "fail"; None = never."""
    errors, judge = Errors(Random(seed), p1, burst), StreamJudge(ALPHA, p0, 2.0)
    for _ in range(horizon):
        judged = judge.observe(Outcome(True, not errors()))
        if judged is not None:
            return judged.n_canary if judged.verdict is Verdict.FAIL else None
    return None


def ours_two(
    seed: int, p0: float, p1: float, share: float, horizon: int, burst: float = 1.0, calm_stable: bool = False
) -> int | None:
    """calm_stable: only the canary's errors come in bursts."""
    rng = Random(seed)
    arms = (Errors(rng, p0, 1.0 if calm_stable else burst), Errors(rng, p1, burst))
    judge = StreamJudge(ALPHA, None, 2.0)
    for _ in range(horizon):
        canary = rng.random() < share
        judged = judge.observe(Outcome(canary, not arms[canary]()))
        if judged is not None:
            return judged.n_canary if judged.verdict is Verdict.FAIL else None
    return None


def outage(seed: int, baseline: float | None, share: float, begins: int) -> int | None:
    """Canary requests from the moment at which nothing of it works any more; 1 % fail before, and of stable."""
    rng, judge, seen = Random(seed), StreamJudge(ALPHA, baseline, 2.0), 0
    for _ in range(int((begins + 2000) / share)):
        canary = rng.random() < share
        down = canary and seen >= begins
        seen += canary
        judged = judge.observe(Outcome(canary, not down and rng.random() >= 0.01))
        if judged is not None:
            return seen - begins if judged.verdict is Verdict.FAIL and seen > begins else None
    return None


def wald_sprt(seed: int, p0: float, p1: float, horizon: int) -> int | None:
    """The test that knows both rates."""
    rng, total = Random(seed), 0.0
    up, down = log(p1 / p0), log((1 - p1) / (1 - p0))
    for n in range(1, horizon + 1):
        total += up if rng.random() < p1 else down
        if total >= log(POWER / ALPHA):
            return n
        if total <= log((1 - POWER) / (1 - ALPHA)):
            return None
    return None


def _pairs(
    seed: int, p0: float, p1: float, horizon: int, every: int, fails: Callable[[int, int, int], bool]
) -> int | None:
    """One request of each arm a turn; `fails(n, stable errors, canary errors)` is asked every so often."""
    rng, stable, canary = Random(seed), 0, 0
    for n in range(1, horizon + 1):
        stable += rng.random() < p0
        canary += rng.random() < p1
        if n % every == 0 and fails(n, stable, canary):
            return n
    return None


def z_fails(n: int, stable: int, canary: int) -> bool:
    pooled = (stable + canary) / (2 * n)
    spread = sqrt(2 * pooled * (1 - pooled) / n)
    return spread > 0 and (canary - stable) / n > 2.576 * spread


def msprt_fails(tau2: float) -> Callable[[int, int, int], bool]:
    def fails(n: int, stable: int, canary: int) -> bool:
        a, b = stable / n, canary / n
        variance = a * (1 - a) + b * (1 - b)
        if variance <= 0 or b <= a:
            return False
        value = sqrt(variance / (variance + n * tau2)) * exp(
            min(500.0, n * n * tau2 * (b - a) ** 2 / (2 * variance * (variance + n * tau2)))
        )
        return value >= 1 / ALPHA

    return fails


def mann_whitney_z(stable: list[int], canary: list[int]) -> float:
    """Normal approximation with ties; > 0 when the canary's values are larger."""
    ordered = sorted([(v, 0) for v in stable] + [(v, 1) for v in canary])
    n, ranks, ties, i = len(ordered), 0.0, 0.0, 0
    while i < n:
        j = i
        while j < n and ordered[j][0] == ordered[i][0]:
            j += 1
        ranks += (i + j + 1) / 2 * sum(arm for _, arm in ordered[i:j])
        ties += (j - i) ** 3 - (j - i)
        i = j
    a, b = len(stable), len(canary)
    spread = sqrt(a * b / 12 * ((n + 1) - ties / (n * (n - 1))))
    return (ranks - b * (b + 1) / 2 - a * b / 2) / spread if spread > 0 else 0.0


def kayenta(seed: int, p0: float, p1: float, horizon: int) -> int | None:
    rng, size, n = Random(seed), 200, 0
    while n + 50 * size <= horizon:
        n += 50 * size
        points = [[sum(rng.random() < p for _ in range(size)) for _ in range(50)] for p in (p0, p1)]
        if mann_whitney_z(*points) > 2.326 and sum(points[1]) > 1.25 * sum(points[0]):
            return n
    return None


def flagger(seed: int, p1: float, horizon: int) -> int | None:
    return _interval_rule(seed, p1, horizon, 0.99, 5)


def argo(seed: int, p1: float, horizon: int) -> int | None:
    return _interval_rule(seed, p1, horizon, 0.95, 4)


def _interval_rule(seed: int, p1: float, horizon: int, success: float, fails: int) -> int | None:
    rng, failed, n = Random(seed), 0, 0
    while n + 1000 <= horizon:
        n += 1000
        failed += sum(rng.random() < p1 for _ in range(1000)) > 1000 * (1 - success)
        if failed >= fails:
            return n
    return None


def tally(runs: int, one: Callable[[int], int | None]) -> Tally:
    found = [n for n in (one(seed) for seed in range(runs)) if n is not None]
    return Tally(len(found) / runs, sum(found) / len(found) if found else 0.0)


def _row(case: str, rule: str, got: Tally, bound: float | None, aa: Tally | None) -> Row:
    return {
        "case": case,
        "rule": rule,
        "caught": round(got.caught, 4),
        "mean": round(got.mean, 1),
        "bound": None if bound is None else round(bound, 1),
        "ratio": round(got.mean / bound, 3) if got.mean and bound else None,
        "false_alarms": None if aa is None else round(aa.caught, 4),
    }


def ours(quick: bool) -> list[Row]:
    """Our judge: known baseline, and side by side, with the A/A rate of independent errors."""
    rows = [row for p0, p1 in CASES for row in _known(p0, p1, 200 if quick else 2000)]
    for p0, p1 in CASES[:3]:
        for share, runs in ((0.5, 1000), (0.25, 500), (0.05, 1000)):
            rows.append(_side_by_side(p0, p1, share, runs // 10 if quick else runs))
    return rows


def _case(p0: float, p1: float) -> str:
    return f"{p0:.1%} → {p1:.1%}"


def _known(p0: float, p1: float, runs: int) -> list[Row]:
    bound = wald_bound(p0, p1)
    horizon = 40 * int(bound)
    got = tally(runs, lambda s: ours_known(s, p0, p1, horizon))
    best = tally(runs, lambda s: wald_sprt(s, p0, p1, horizon))
    aa = tally(runs, lambda s: ours_known(s, p0, p0, 6000))
    case = _case(p0, p1)
    return [_row(case, "ours, known baseline", got, bound, aa), _row(case, "SPRT that knows both", best, bound, None)]


def _side_by_side(p0: float, p1: float, share: float, runs: int) -> Row:
    bound = two_sample_bound(p0, p1, share)
    got = tally(runs, lambda s: ours_two(s, p0, p1, share, int(40 * bound / share)))
    aa = tally(runs, lambda s: ours_two(s, p0, p0, share, 6000))
    return _row(_case(p0, p1), f"ours, side by side {share:.0%}", got, bound, aa)


def hard(quick: bool) -> list[Row]:
    """Bursts of a good release (false alarms) and of a bad one (still caught); outages, from the start and in the middle."""
    rows = [row for burst in (5, 10, 20) for row in _bursts(burst, 40 if quick else 600)]
    return rows + [row for begins in (0, 300) for row in _outages(begins, 40 if quick else 300)]


def _bursts(burst: int, runs: int) -> list[Row]:
    few, case = max(20, runs // 10), f"1.0% → 5.0%, bursts of {burst}"
    good = tally(runs, lambda s: ours_known(s, 0.01, 0.01, 20_000, burst))
    bad = tally(few, lambda s: ours_known(s, 0.01, 0.05, 60_000, burst))
    rows = [_row(case, "ours, known baseline", bad, wald_bound(0.01, 0.05), good)]
    return rows + [_bursts_beside(case, burst, calm_stable, runs, few) for calm_stable in (False, True)]


def _bursts_beside(case: str, burst: int, calm_stable: bool, runs: int, few: int) -> Row:
    good = tally(runs, lambda s: ours_two(s, 0.01, 0.01, 0.5, 12_000, burst, calm_stable))
    bad = tally(few, lambda s: ours_two(s, 0.01, 0.05, 0.5, 120_000, burst, calm_stable))
    rule = "ours, 50%, stable calm" if calm_stable else "ours, side by side 50%"
    return _row(case, rule, bad, two_sample_bound(0.01, 0.05, 0.5), good)


def _outages(begins: int, runs: int) -> list[Row]:
    case = f"outage after {begins} requests"
    known = _row(case, "ours, known baseline", tally(runs, lambda s: outage(s, 0.01, 1.0, begins)), None, None)
    return [known, *(_beside(case, share, begins, runs) for share in (0.05, 0.5))]


def _beside(case: str, share: float, begins: int, runs: int) -> Row:
    got = tally(runs, lambda s: outage(s, None, share, begins))
    return _row(case, f"ours, side by side {share:.0%}", got, None, None)


def published(quick: bool) -> list[Row]:
    """The rules of others, 1:1, on the same three cases."""
    return [row for p0, p1 in CASES[:3] for row in _published(p0, p1, 40 if quick else 200)]


def _published(p0: float, p1: float, runs: int) -> list[Row]:
    bound, horizon = two_sample_bound(p0, p1, 0.5), 20_000
    rules: dict[str, Callable[[int, float], int | None]] = {
        "z-test with peeking": lambda s, p: _pairs(s, p0, p, horizon, 100, z_fails),
        "mSPRT": lambda s, p: _pairs(s, p0, p, horizon, 10, msprt_fails(p0 * p0)),
        "Kayenta": lambda s, p: kayenta(s, p0, p, horizon),
        "Flagger's docs": lambda s, p: flagger(s, p, horizon),
        "Argo's docs": lambda s, p: argo(s, p, horizon),
    }
    return [_published_row(name, rule, p0, p1, bound, runs) for name, rule in rules.items()]


def _published_row(
    name: str, rule: Callable[[int, float], int | None], p0: float, p1: float, bound: float, runs: int
) -> Row:
    return _row(_case(p0, p1), name, tally(runs, lambda s: rule(s, p1)), bound, tally(runs, lambda s: rule(s, p0)))


def run(quick: bool) -> list[Row]:
    """Rows: case, rule, caught (0…1), mean (canary requests), bound, ratio = mean ÷ bound, false_alarms (0…1 or None)."""
    return [*ours(quick), *hard(quick), *published(quick)]


def table(rows: list[Row]) -> str:
    head = f"{'case':26} {'rule':26} {'caught':>7} {'mean':>9} {'bound':>8} {'ratio':>6} {'false alarms':>13}"
    lines = [head, "-" * len(head)]
    for r in rows:
        ratio = "–" if r["ratio"] is None else f"{r['ratio']:.2f}"
        bound = "–" if r["bound"] is None else f"{r['bound']:,.0f}"
        alarms = "–" if r["false_alarms"] is None else f"{r['false_alarms']:.1%}"
        lines.append(
            f"{r['case']:26} {r['rule']:26} {r['caught']:7.1%} {r['mean']:9,.0f} {bound:>8} {ratio:>6} {alarms:>13}"
        )
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Judge efficiency against bounds and published rules.")
    parser.add_argument("--quick", action="store_true", help="a tenth of the runs; about a minute")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    options = parser.parse_args(argv)
    rows = run(options.quick)
    sys.stdout.write(table(rows) + "\n")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
