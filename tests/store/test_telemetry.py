"""Calls and series as receivers store them, on both databases: they add up, are bounded, and go when they are old."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from prodwise.loop.telemetry import graph_of
from prodwise.model.digest import Delivery
from prodwise.model.errors import StoreError
from prodwise.model.report import Reason
from prodwise.model.telemetry import Calls, Kind, Measured, Point, Series
from prodwise.store.reports.telemetry import SqlTelemetry
from prodwise.store.reports.telemetry_sums import CALLS_MAX
from prodwise.store.reports.tidy import DAY_S, Limits
from tests.store.test_reports import NOW, Place, event, place

__all__ = ["place"]
MINUTE = int(NOW) // 60 * 60


def call(callee: str = "stock", count: int = 1, minute: int = MINUTE) -> Calls:
    return Calls(minute, "shop", callee, "", count, 1, 20.0 * count, 30.0)


def measured(name: str = "orders", value: float = 1.0, kind: Kind = Kind.CHANGE, **more: object) -> Measured:
    series = Series(name.encode().hex().zfill(32), "shop", name, "1", kind, {"route": "/pay"})
    return Measured(series, replace(Point(MINUTE, MINUTE + 1.0, value), **more))  # type: ignore[arg-type]


def delivery(*parts: Calls | Measured, project: int = 1, at: float = NOW) -> Delivery:
    return Delivery(
        project,
        at,
        calls=tuple(one for one in parts if isinstance(one, Calls)),
        measured=tuple(one for one in parts if isinstance(one, Measured)),
    )


def test_two_receivers_and_a_restarted_one_add_up(place: Place) -> None:
    telemetry = SqlTelemetry(place.shelves)
    for number in (0, 1, 0):
        writer = place.writer(number)
        writer.write([delivery(call(count=2), call("mail")), delivery(call())])
        writer.write([delivery(call(), measured(count=1, buckets=((1.0, 1), (math.inf, 0))))])
        writer.close()
    calls = telemetry.calls(MINUTE, MINUTE + 60)
    assert [(one.callee, one.count, one.errors, one.ms_sum, one.ms_max) for one in calls] == [
        ("mail", 3, 3, 60.0, 30.0), ("stock", 12, 9, 240.0, 30.0)]  # fmt: skip
    assert [one.callee for one in graph_of(calls).edges] == ["mail", "stock"]
    (kept,), after = telemetry.series(1)
    assert (kept.series, kept.project, after) == (measured().series, 1, "")
    (point,) = telemetry.points(kept.series.key, 0)
    assert (point.value, point.count, point.buckets) == (3.0, 3, ((1.0, 3), (math.inf, 0)))
    assert telemetry.calls(MINUTE, MINUTE + 60, 2) == []
    assert telemetry.series(2) == ([], "")
    assert telemetry.points("0" * 32, 0) == []


def test_of_a_total_the_newer_holds_whoever_got_it(place: Place) -> None:
    first, second = place.writer(0), place.writer(1)
    newer = measured(value=9.0, kind=Kind.TOTAL, at=MINUTE + 30.0)
    second.write([delivery(newer)])
    first.write([delivery(measured(value=4.0, kind=Kind.TOTAL))])
    second.write([delivery(measured(value=5.0, kind=Kind.TOTAL, at=MINUTE + 20.0))])
    assert SqlTelemetry(place.shelves).points(newer.series.key, 0) == [newer.point]


def test_a_failed_commit_leaves_nothing_of_them(place: Place) -> None:
    writer, telemetry = place.writer(), SqlTelemetry(place.shelves)
    with pytest.raises(StoreError):
        writer.write([delivery(call(), measured()), Delivery(1, NOW, (event(1, level=None),))])
    writer.write([delivery(call(), measured())])
    assert [one.count for one in telemetry.calls(0, NOW + 60)] == [1]
    assert [one.value for one in telemetry.points(measured().series.key, 0)] == [1.0]


def test_calls_and_series_without_end_are_counted_and_left_out(place: Place) -> None:
    writer = place.writer(limits=Limits(series=3))
    writer.write([delivery(*(call(f"s{number}") for number in range(CALLS_MAX + 50)))])
    writer.write([delivery(*(measured(f"m{number}") for number in range(5))), delivery(measured("m9"), project=2)])
    telemetry = SqlTelemetry(place.shelves)
    calls = telemetry.calls(0, NOW + 60)
    assert (len(calls), sum(one.count for one in calls)) == (CALLS_MAX + 1, CALLS_MAX + 50)
    assert place.archive.received(1).counts == {Reason.CALLS: 50, Reason.SERIES: 2}
    assert len(telemetry.series()[0]) == 4


def test_series_come_in_pages(place: Place) -> None:
    first, second = place.writer(0), place.writer(1)
    for number in range(7):
        (first if number % 2 else second).write([delivery(measured(f"m{number}"), measured("m0"))])
    telemetry, names, after = SqlTelemetry(place.shelves), list[str](), ""
    while True:
        page, after = telemetry.series(after=after, limit=3)
        names += [one.series.name for one in page]
        if not after:
            break
    assert names == [f"m{number}" for number in range(7)]


def test_what_is_old_goes_and_makes_room(place: Place) -> None:
    writer = place.writer(limits=Limits(series=1))
    writer.write([delivery(call(), measured())])
    later = NOW + 3 * DAY_S
    writer.tidy(later)
    telemetry = SqlTelemetry(place.shelves)
    assert telemetry.series() == ([], "")
    assert telemetry.calls(0, later) != []
    writer.write([delivery(measured("other"), at=later)])
    assert [one.series.name for one in telemetry.series()[0]] == ["other"]
    writer.tidy(NOW + 8 * DAY_S)
    assert telemetry.calls(0, later) == []
