"""Sums of traces and metrics: in whatever order and pieces they came, the result is the same."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import reduce
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodwise.loop.telemetry import graph_of, merge, readings
from prodwise.loop.telemetry.series import COUNT_MAX, VALUE_MAX, quantile
from prodwise.model.telemetry import Calls, Edge, Kind, Node, Point

MINUTE = 1_795_479_840

BUCKETS = st.dictionaries(st.sampled_from([1.0, 5.0, 10.0, math.inf]), st.integers(0, 9)).map(
    lambda one: tuple(sorted(one.items()))
)
POINTS = st.builds(
    lambda at, value, buckets: Point(
        MINUTE, MINUTE + at, float(value), 0.0, sum(count for _, count in buckets), buckets
    ),
    st.integers(0, 59),
    st.integers(-1000, 1000),
    BUCKETS,
)


@given(st.sampled_from(list(Kind)), st.lists(POINTS, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_points_of_one_minute_come_in_any_order_and_pieces(kind: Kind, points: list[Point], chance: object) -> None:
    mixed = list(points)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    half = len(mixed) // 2

    def whole(parts: list[Point]) -> Point:
        return reduce(lambda one, other: merge(kind, one, other), parts)

    assert whole(mixed) == whole(points)
    if half:
        assert merge(kind, whole(mixed[:half]), whole(mixed[half:])) == whole(points)


def test_sums_never_go_over() -> None:
    most = Point(MINUTE, MINUTE, VALUE_MAX, 0.0, COUNT_MAX)
    assert merge(Kind.CHANGE, most, most) == most


def total(minute: int, value: float, since: float = MINUTE, **more: object) -> Point:
    return replace(Point(MINUTE + 60 * minute, MINUTE + 60.0 * minute, value, since), **more)  # type: ignore[arg-type]


def test_a_total_tells_what_was_added_and_begins_anew_with_its_program() -> None:
    points = [
        total(1, 10),
        total(2, 25),
        total(3, 4, MINUTE + 170),
        total(4, 9, MINUTE + 170),
        total(5, 2, MINUTE + 170),
    ]
    assert [one.value for one in readings(Kind.TOTAL, points)] == [10, 15, 4, 5, 2]


def test_a_total_that_is_old_gives_nothing_at_first_and_an_unsaid_start_neither() -> None:
    assert [one.value for one in readings(Kind.TOTAL, [total(60, 1000), total(61, 1007)])] == [7]
    assert readings(Kind.TOTAL, [total(1, 1000, 0.0)]) == []


def test_levels_and_changes_are_what_they_are() -> None:
    points = [total(1, 3), total(2, -4)]
    assert [one.value for one in readings(Kind.GAUGE, points)] == [3, -4]
    assert [one.value for one in readings(Kind.CHANGE, points)] == [3, -4]


def test_a_totals_histogram_is_read_by_what_was_added() -> None:
    before = total(1, 100, count=100, buckets=((10.0, 100), (20.0, 0)))
    after = total(2, 100 + 150, count=110, buckets=((10.0, 100), (20.0, 10)))
    first, second = readings(Kind.TOTAL, [before, after])
    assert (first.count, second.count, second.value) == (100, 10, 150)
    assert first.p95 == pytest.approx(9.5)
    assert second.p95 == pytest.approx(19.5)


@given(st.lists(st.floats(0.001, 999), min_size=1, max_size=200), st.floats(0.01, 0.99))
def test_a_quantile_lies_in_the_bucket_that_holds_it(values: list[float], share: float) -> None:
    bounds = [0.0, 1.0, 2.0, 5.0, 10.0, 50.0, 100.0, 500.0, 1000.0]
    buckets = tuple((high, sum(low < one <= high for one in values)) for low, high in pairwise(bounds))
    found = quantile(buckets, share)
    exact = sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
    low, high = next((low, high) for low, high in pairwise(bounds) if low < exact <= high)
    assert found is not None
    assert low - 1e-9 <= found <= high + 1e-9


def test_a_quantile_of_nothing_is_none_and_one_without_end_is_its_beginning() -> None:
    assert quantile((), 0.95) is None
    assert quantile(((1.0, 0), (math.inf, 0)), 0.95) is None
    assert quantile(((10.0, 0), (math.inf, 3)), 0.95) == 10.0


def call(caller: str, callee: str, address: str = "", count: int = 1, **more: int) -> Calls:
    return Calls(MINUTE, caller, callee, address, count, more.get("errors", 0), 10.0 * count, 10.0)


def test_calls_lead_to_the_service_that_answers_at_the_address() -> None:
    told = [
        call("shop", "", "10.0.0.7:80", 3, errors=1),
        call("", "stock", "10.0.0.7:80", 3),
        call("shop", "postgresql orders", "db:5432"),
        call("shop", "", "api.pay.example:443"),
        call("shop", "stock", count=2),
        call("stock", "stock"),
    ]
    graph = graph_of(told)
    assert graph == graph_of(reversed(told))
    assert graph.edges == (
        Edge("shop", "api.pay.example:443", 1, 0, 10.0, 10.0),
        Edge("shop", "postgresql orders", 1, 0, 10.0, 10.0),
        Edge("shop", "stock", 5, 1, 50.0, 10.0),
    )
    assert Node("stock", 3, 0, 30.0, 10.0) in graph.nodes
    assert Node("postgresql orders") in graph.nodes


def test_an_address_at_which_several_answer_stays_an_address() -> None:
    told = [call("shop", "", "gate:80"), call("", "stock", "gate:80"), call("", "mail", "gate:80")]
    assert [one.callee for one in graph_of(told).edges] == ["gate:80"]
