"""The judge's promise, checked exactly: under the null the expected wealth never grows, whatever happened before."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import math
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prodwise.loop.detect.accept import Count, needed_for, upper_bound
from prodwise.loop.detect.bands import Band, Lengths, bands_up_to
from prodwise.loop.detect.known import BANDS, KnownErrors, first_start
from prodwise.loop.detect.markov import ChainCounts, known_chain, two_chains, two_rates
from prodwise.loop.detect.outage import CAP, OutageWager
from prodwise.loop.detect.twosample import ERRORS, TwoSample
from prodwise.loop.detect.wager import Labels, LabelWager, RateWager, settled

HISTORY = st.lists(st.booleans(), max_size=60)
RATE = st.sampled_from([0.0005, 0.001, 0.01, 0.05, 0.2, 0.4])


@settings(max_examples=300, deadline=None)
@given(HISTORY, RATE, st.integers(0, 400), st.sampled_from([20.0, 100.0, 1e4]))
def test_rate_wager_is_fair(history: list[bool], p0: float, quiet: int, cap: float) -> None:
    wager = RateWager(p0, 1.0, cap)
    for happened in [*history, *[False] * quiet]:
        wager.happened() if happened else wager.quiet()
    before = wager.wealth
    assert before <= cap * (1 + 1e-9)
    won, lost = copy.deepcopy(wager), copy.deepcopy(wager)
    won.happened()
    lost.quiet()
    assert p0 * won.wealth + (1 - p0) * lost.wealth <= before * (1 + 1e-9)
    assert lost.wealth <= before * (1 + 1e-9)  # so that a smaller rate is covered, too


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.floats(0.01, 0.99)), max_size=40), st.floats(0.01, 0.99), st.booleans())
def test_label_wager_is_fair(history: list[tuple[bool, float]], w: float, fewer: bool) -> None:
    wager = LabelWager(1.0, 100.0, 0.4, 0.05, 0.8) if fewer else LabelWager(1.0, 100.0)
    for canary, share in history:
        wager.event(canary, share)
    before = wager.wealth
    sides = []
    for canary in (True, False):
        side = copy.deepcopy(wager)
        side.event(canary, w)
        sides.append(side.wealth)
    assert w * sides[0] + (1 - w) * sides[1] == pytest.approx(before, rel=1e-9)
    assert max(sides) <= 100.0 * (1 + 1e-9)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.booleans(), max_size=40), st.floats(0.01, 0.99), st.floats(0.001, 1.0), st.booleans())
def test_a_bet_that_lands_on_the_bar_is_fair(history: list[bool], w: float, part: float, fewer: bool) -> None:
    """Raised or withdrawn, from any part of the bar: the mean stays, nothing passes the bar, a loss leaves something."""
    labels = Labels(0.4, 0.05, 0.8) if fewer else Labels(3.0)
    for canary in history:
        labels.event(canary, w)
    up, down = factors = labels.event(True, w)
    assert w * up + (1 - w) * down == pytest.approx(1, rel=1e-9)
    won, lost = (settled(part * 100.0, factors, canary, w, 100.0) for canary in (True, False))
    assert w * won + (1 - w) * lost == pytest.approx(part * 100.0, rel=1e-9)
    assert min(won, lost) > 0.0
    assert max(won, lost) <= 100.0 * (1 + 1e-9)


def test_a_bet_that_would_fall_a_little_short_is_raised() -> None:
    raised = settled(25.0, (3.5, 0.868), True, 0.05, 100.0)
    assert raised == pytest.approx(100.0)
    assert settled(25.0, (3.5, 0.868), False, 0.05, 100.0) == pytest.approx((25.0 - 5.0) / 0.95)
    assert settled(5.0, (3.5, 0.868), True, 0.05, 100.0) == pytest.approx(17.5)


@pytest.mark.parametrize("w", [0.0, 1.0])
def test_one_arm_alone_says_nothing(w: float) -> None:
    wager = LabelWager(1.0, 100.0)
    wager.event(True, w)
    assert wager.wealth == pytest.approx(1.0)


@given(HISTORY)
def test_outage_wager_never_exceeds_its_fair_value(history: list[bool]) -> None:
    wager = OutageWager(1.0)
    for error in history:
        if wager.riding:
            up, down = copy.deepcopy(wager), copy.deepcopy(wager)
            up.goes_on(True)
            down.goes_on(False)
            assert CAP * up.wealth + (1 - CAP) * down.wealth <= wager.wealth * (1 + 1e-9)
            wager.goes_on(error)
        elif error:
            before = wager.wealth
            wager.start()
            assert wager.wealth == pytest.approx(before)


@pytest.mark.parametrize(("a", "k"), [(0.05, 0.05), (0.02, 0.6), (0.01, 0.8), (0.003, 0.95)])
def test_chain_evidence_has_mean_at_most_one_for_any_burst_length(a: float, k: float) -> None:
    """Every sequence of 12 outcomes, weighted by its chance under a chain on the null's border."""
    p0 = a / (a + 1 - k)
    mean = 0.0
    for outcomes in itertools.product((False, True), repeat=12):
        chain, chance = ChainCounts(), 1.0
        for bad in outcomes:
            p = k if chain.bad else a
            chance *= p if bad else 1 - p
            chain.observe(bad)
        mean += chance * known_chain(chain, p0)
    assert mean <= 1.0


@pytest.mark.parametrize("p", [0.02, 0.3, 0.8])
def test_two_rates_has_mean_at_most_one(p: float) -> None:
    n, m, mean = 12, 20, 0.0
    for c, s in itertools.product(range(n + 1), range(m + 1)):
        chance = comb(n, c) * p**c * (1 - p) ** (n - c) * comb(m, s) * p**s * (1 - p) ** (m - s)
        mean += chance * two_rates(c, n - c, s, m - s, 1.5)
    assert mean <= 1.0


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.5), (0.5, 0.8), (0.9, 0.95)])
@given(history=HISTORY)
def test_lengths_of_bursts_within_the_band_are_no_news(low: float, high: float, history: list[bool]) -> None:
    lengths = Lengths(low, high)
    for error in history:
        lengths.after_error(error)
    for chance in (low, high):
        sides = [copy.deepcopy(lengths).after_error(error) for error in (True, False)]
        assert chance * sides[0] + (1 - chance) * sides[1] <= 1 + 1e-9


def test_the_moment_of_the_first_start_is_a_bet_of_one_unit() -> None:
    assert sum(first_start(quiet) for quiet in range(100_000)) == pytest.approx(1, abs=0.01)


def test_bands_leave_no_gap_and_lay_out_one_unit() -> None:
    for bands in (BANDS, ERRORS.bands):
        assert [band.low for band in bands] == [0.0, *(band.high for band in bands[:-1])]
        assert all(sum(band[2:]) <= 1 + 1e-9 for band in bands)
    assert [(band.low, band.high) for band in bands_up_to(0.6, BANDS)] == [(0.0, 0.5), (0.5, 0.6)]


@settings(max_examples=200, deadline=None)
@given(HISTORY, st.sampled_from([0.001, 0.01, 0.1]))
def test_known_errors_is_fair_in_every_band(history: list[bool], p0: float) -> None:
    """Bets on starts, lengths and outages; long runs (mean ≤ 1, above) are left out: their own steps need not be fair."""
    test = KnownErrors(p0, 1e9)
    test._bands.cap = math.inf  # none is ruled out
    for error in [True, *history]:
        test.observe(error)
    sides = [copy.deepcopy(test), copy.deepcopy(test)]
    for error, side in zip((True, False), sides, strict=True):
        side.observe(error)
    for band, *after in zip(*(worths(one) for one in (test, *sides)), strict=True):
        (own, before), (_, up), (_, down) = band, *after
        for chance in (own.low, own.high) if test.chain.bad else ((1 - own.low) * min(p0, p0 / (1 - p0)),):
            assert chance * up + (1 - chance) * down <= before * (1 + 1e-9)


def worths(test: KnownErrors) -> list[tuple[Band, float]]:
    test._settle()
    for one in test._bands.left:
        one.long = 0.0
    return [(one.band, one.worth(one.starts.wealth)) for one in test._bands.left]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60), st.floats(0.02, 0.9))
def test_two_sample_is_fair_in_every_band(history: list[tuple[bool, bool]], w: float) -> None:
    """The label of a start while both are calm, and what follows an error of the canary."""
    test = TwoSample(1e9, question=dataclasses.replace(ERRORS, long=lambda canary, stable: 0.0))
    test._bands.cap = math.inf
    for canary, error in [(False, False), (True, True), *history]:
        test.observe(canary, error, w)
    calm = not (test.canary.bad or test.stable.bad)
    for band in range(len(ERRORS.bands)):
        before = worth(test, w, band)
        if calm:
            sides = [(w, worth(test, w, band, canary=True)), (1 - w, worth(test, w, band, canary=False))]
            assert sum(chance * value for chance, value in sides) <= before * (1 + 1e-9)
        elif test.canary.bad:
            up, down = worth(test, w, band, canary=True), worth(test, w, band, canary=True, error=False)
            for chance in (ERRORS.bands[band].low, ERRORS.bands[band].high):
                assert chance * up + (1 - chance) * down <= before * (1 + 1e-9)


def worth(test: TwoSample, w: float, band: int, canary: bool | None = None, error: bool = True) -> float:
    """What a band is worth, after one more request if `canary` says whose."""
    after = copy.deepcopy(test)
    if canary is not None:
        after.observe(canary, error, w)
    one = after._bands.left[band]
    one.long = 0.0
    return one.worth(one.starts)


@pytest.mark.parametrize(("a", "k"), [(0.2, 0.2), (0.1, 0.6), (0.05, 0.9)])
def test_two_chains_has_mean_at_most_one(a: float, k: float) -> None:
    """Every pair of sequences of 6 outcomes, both arms under the same chain."""
    ways = []
    for outcomes in itertools.product((False, True), repeat=6):
        chain, chance = ChainCounts(), 1.0
        for bad in outcomes:
            p = k if chain.bad else a
            chance *= p if bad else 1 - p
            chain.observe(bad)
        ways.append((chance, chain))
    assert sum(p * q * two_chains(c, s) for p, c in ways for q, s in ways) <= 1.0


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 2000), st.integers(0, 50), st.sampled_from([0.01, 0.05]))
def test_upper_bound_is_above_the_share_and_falls_with_good_news(n: int, k: int, alpha: float) -> None:
    k = min(k, n)
    bound = upper_bound(Count(n, k), alpha)
    assert k / n <= bound <= 1.0
    assert upper_bound(Count(2 * n + 50, k), alpha) <= bound


def test_needed_is_what_it_takes() -> None:
    more = needed_for(Count(5, 0), 0.01, 0.2)
    assert upper_bound(Count(5 + more, 0), 0.01) < 0.2 <= upper_bound(Count(5 + more - 2, 0), 0.01)
